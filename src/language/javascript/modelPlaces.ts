import type { ModelKind } from '../reading';
import { piecewise, type Syntax } from '../syntax';
import { argumentsOf, enclosingStatement, isFunction, propertyOf, unwrap, wrapOut } from './nodes';
import type { Binding, ProgramScopes, ScopeTable } from './scopes';
import { tfPath } from './tfNames';

/** A key of something that has a name: `state.model`, `this.models.price`. */
export interface Place {
  readonly binding: Binding;
  /** What follows the name, e.g. `.model`. */
  readonly path: string;
}

/** The place that an assignment gives a model to; undefined for what no name leads to, and for computed keys. */
export function placeOf(target: Syntax, scopes: ScopeTable): Place | undefined {
  const path: string[] = [];
  for (let at = unwrap(target); ;) {
    const binding = scopes.bindingOf(at);
    if (binding !== undefined) return isOwn(binding, at) ? { binding, path: path.join('') } : undefined;
    const [object, property] = [at.field('object'), at.field('property')];
    if (at.type !== 'member_expression' || object === undefined || property === undefined) return undefined;
    path.unshift(`.${property.text}`);
    at = unwrap(object);
  }
}

/** What is handed in, or another file's, is not made here. */
function isOwn({ kind, node }: Binding, use: Syntax): boolean {
  const isVariable = kind === 'variable' && node.field('name')?.type === 'identifier';
  return (isVariable || kind === 'member') && node.tree === use.tree;
}

/** Whether a variable holds nothing but an empty object that its surroundings make: `useRef(null)`, `ref()`. */
export function isBox({ kind, node }: Binding): boolean {
  const value = kind === 'variable' ? node.field('value') : undefined;
  return value !== undefined && unwrap(value).type === 'call_expression';
}

/** How people call a place: what a box holds has the box's name. */
export function placeName({ binding, path }: Place): string {
  return `${binding.name}${path.replace(/^\.(?:current|value)$/, '')}`;
}

/** Whether a creation makes all of the model at once, so that it is the model wherever it is handed on to. */
export function isComplete(creation: Syntax, kind: ModelKind): boolean {
  if (kind === 'functional') return true;
  const config = argumentsOf(creation)[0];
  return config?.type === 'object' && propertyOf(config, 'layers') !== undefined;
}

/** Whether an expression is handed on: to a function that is not the library's, in a list, or under a key. */
export function isHandedOn(expression: Syntax, tfCalls: ReadonlyMap<Syntax, readonly string[]>): boolean {
  const statement = enclosingStatement(expression);
  const isDirect =
    statement?.parent?.type === 'program' || isFunction(statement?.parent?.parent ?? expression);
  for (let at = wrapOut(expression), parent = at.parent; parent !== null; at = parent, parent = at.parent) {
    if (isFunction(parent) || parent === statement) return isDirect;
    if (parent.type !== 'call_expression' || parent.field('function') === at) continue;
    const method = parent.field('function')?.field('property')?.text ?? '';
    // What becomes a layer of another model is a part of that.
    if (tfCalls.has(parent) || /^(?:add|apply)$/.test(method)) return false;
  }
  return isDirect;
}

const heritages = piecewise((nodes) => nodes.filter((node) => node.type === 'class_heritage'));

/** Classes that are models themselves: `class Net extends tf.Sequential`. */
export function modelClasses(
  root: Syntax,
  scopes: ProgramScopes,
): { readonly ofClass: Syntax; readonly kind: ModelKind }[] {
  return heritages(root).flatMap((heritage) => {
    const base = heritage.walk().find(({ type }) => /^(?:identifier|member_expression)$/.test(type));
    const path = base === undefined ? undefined : tfPath(base, scopes)?.join('.');
    const ofClass = heritage.parent;
    if (ofClass === null || (path !== 'Sequential' && path !== 'LayersModel')) return [];
    return [{ ofClass, kind: path === 'Sequential' ? 'sequential' : 'functional' } as const];
  });
}
