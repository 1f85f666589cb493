import type { Syntax } from '../syntax';
import { kerasLayerWidth } from './kerasLayers';
import { plainPath } from './paths';
import { torchLayerWidth } from './torchLayers';
import { unknownAt, type Value } from './values';

/** What an import statement binds. @param star gets the module of `from … import *` */
export function readImport(
  node: Syntax,
  bind: (name: string, value: Value) => void,
  star: (module: string) => void,
): void {
  const module = node.field('module_name')?.text;
  if (module !== undefined && node.child('wildcard_import') !== undefined) star(module);
  for (const entry of node.fields('name')) {
    const name = entry.field('name')?.text ?? entry.text;
    const alias = entry.field('alias')?.text;
    const path = module === undefined ? name : `${module}.${name}`;
    if (module === undefined && alias === undefined) {
      const top = name.split('.')[0] ?? name;
      bind(top, { kind: 'path', path: top });
    } else {
      const isOwn = module?.startsWith('.') ?? false;
      const value: Value = isOwn
        ? unknownAt(entry, `${name} is declared in another file`)
        : { kind: 'path', path };
      bind(alias ?? name, value);
    }
  }
}

/** What modules give to `import *`, by their plain name: only what is read here. */
const GIVEN: Readonly<Record<string, (name: string) => boolean>> = {
  'keras.layers': (name) =>
    kerasLayerWidth(name) !== undefined ||
    /^(?:Input|InputLayer|Bidirectional|TimeDistributed|add|multiply|average|maximum|minimum|concatenate|Random[A-Z]\w*)$/.test(
      name,
    ),
  'keras.models': (name) => /^(?:Sequential|Model|load_model)$/.test(name),
  keras: (name) => /^(?:Sequential|Model|Input|layers|models|activations|ops)$/.test(name),
  tensorflow: (name) => /^(?:keras|nn|concat)$/.test(name),
  torch: (name) => /^(?:nn|optim|cat|concat|flatten|relu|sigmoid|tanh|softmax|mean|add|mul)$/.test(name),
  'torch.nn': (name) =>
    torchLayerWidth(name) !== undefined ||
    /^(?:Module|Sequential|ModuleList|ModuleDict|LSTM|RNN|GRU|functional)$/.test(name),
  'torch.nn.functional': (name) => /^[a-z][a-z0-9_]*$/.test(name),
};

/** Modules of layers, whose other names in capitals are layers that are not read here. */
const LAYER_MODULES = /^(?:keras\.layers|torch\.nn)$/;

/**
 * A name that nothing declares, out of the modules whose names were all imported: the last that has it.
 *
 * @param modules of `from … import *`, in source order
 */
export function fromStars(modules: readonly string[], name: string): Value | undefined {
  const plain = modules.map((module) => plainPath(module)).reverse();
  const module =
    plain.find((candidate) => GIVEN[candidate]?.(name) === true) ??
    // A module that is not known may have it just as well.
    (/^[A-Z]\w*[a-z]/.test(name) && plain.every((candidate) => GIVEN[candidate] !== undefined)
      ? plain.find((candidate) => LAYER_MODULES.test(candidate))
      : undefined);
  return module === undefined ? undefined : { kind: 'path', path: `${module}.${name}` };
}
