import type { Syntax } from '../syntax';

/** What is private in a class (`#model`) cannot be read from outside, so the slice's class gets a way in. */

/** Members that are written at the end of a class. */
export interface ClassAccess {
  readonly ofClass: Syntax;
  readonly code: string;
}

/** The name by which a member is reached from outside. */
function publicName(name: string): string {
  return name.startsWith('#') ? `__shrink_${name.slice(1)}` : name;
}

/** How a member is read of an object: `.build`, `['build it']`. */
export function memberPath(name: string): string {
  if (/^['"]/.test(name)) return `[${name}]`;
  return name.startsWith('[') ? name : `.${publicName(name)}`;
}

/** Ways to the private ones among a field and some methods; undefined where there are none. */
export function accessTo(
  ofClass: Syntax,
  field: string | undefined,
  methods: readonly string[],
  isStatic: boolean,
): ClassAccess | undefined {
  const isPrivate = (name: string | undefined): name is string => name?.startsWith('#') === true;
  const keyword = isStatic ? 'static ' : '';
  const getters = [field]
    .filter(isPrivate)
    .map((name) => `${keyword}get ${publicName(name)}() { return this.${name}; }`);
  const calls = methods
    .filter(isPrivate)
    .map((name) => `${keyword}${publicName(name)}(...args) { return this.${name}(...args); }`);
  const code = [...getters, ...calls].join(' ');
  return code === '' ? undefined : { ofClass, code };
}
