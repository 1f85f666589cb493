import { assign, BLACK, layOut, type Code } from './layout';
import { writePython } from './writeKeras';

/** A module, or what holds modules. */
interface Branch {
  readonly children: Map<string, Branch>;
  /** What makes a module; absent for what only holds others. */
  module?: Code;
  hint?: string | undefined;
}

const STEP = BLACK.step;

/**
 * The modules of a class by where they lie: `layer1.0.conv1` is made as an entry of a `ModuleDict` in a `ModuleDict`, so
 * that its parameters have the names that they have in the source's own model.
 */
export class ModuleTree {
  private readonly root: Branch = { children: new Map() };
  private readonly places = new Map<string, string>();

  /** @param nameOf gives a layer without a place in the source's model a name that is free */
  constructor(private readonly nameOf: (name: string) => string) {}

  /**
   * Adds a layer, or finds it if it was added.
   *
   * @param paths where it lies in the source's model; several for one module under several names
   * @param module what makes it
   * @returns the expression by which `forward` reaches it
   */
  add(layer: string, paths: readonly string[], module: Code, hint: string | undefined): string {
    const known = this.places.get(layer);
    if (known !== undefined) return known;
    const [first = this.nameOf(layer), ...others] = paths.filter((path) => path !== '');
    const place = placeOf(first.split('.'));
    this.places.set(layer, place);
    this.put(first, module, hint);
    for (const path of others) this.put(path, place, undefined);
    return place;
  }

  private put(path: string, module: Code, hint: string | undefined): void {
    let at = this.root;
    for (const name of path.split('.')) {
      const next = at.children.get(name) ?? { children: new Map() };
      at.children.set(name, next);
      at = next;
    }
    at.module = module;
    at.hint = hint;
  }

  /** The statements of `__init__`. */
  lines(): string[] {
    const indent = 2 * STEP;
    return [...this.root.children].flatMap(([name, branch]) => {
      const [head, tail] = isName(name)
        ? [`self.${name} = `, '']
        : [`self.add_module(${writePython(name)}, `, ')'];
      return [...hintLines(branch, indent), ...writeBranch(branch, indent, head, tail)];
    });
  }
}

function writeBranch(branch: Branch, indent: number, head: string, tail: string): string[] {
  const { module } = branch;
  if (module !== undefined)
    return head.endsWith(' = ')
      ? assign(head.slice(0, -3), module, indent)
      : layOut([head, module, tail], indent, BLACK);
  const inner = indent + 2 * STEP;
  const [outside, within] = [' '.repeat(indent), ' '.repeat(indent + STEP)];
  const entries = [...branch.children].flatMap(([name, child]) => [
    ...hintLines(child, inner),
    ...writeBranch(child, inner, `${writePython(name)}: `, ','),
  ]);
  return [`${outside}${head}nn.ModuleDict(`, `${within}{`, ...entries, `${within}}`, `${outside})${tail}`];
}

function hintLines({ hint }: Branch, indent: number): string[] {
  return hint === undefined ? [] : [`${' '.repeat(indent)}# ${hint}`];
}

function isName(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text);
}

function placeOf([first = '', ...rest]: readonly string[]): string {
  const head = isName(first) ? `self.${first}` : `getattr(self, ${writePython(first)})`;
  return [head, ...rest.map((name) => `[${writePython(name)}]`)].join('');
}
