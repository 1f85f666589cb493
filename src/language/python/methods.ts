import type { Syntax } from '../syntax';
import { argument, libraryBase, type CallArguments, type Evaluator } from './evaluation';
import { readShape } from './kerasLayers';
import { callTorchFunction } from './torchCalls';
import { listOf, NONE, unknownAt, type InstanceValue, type SequenceValue, type Value } from './values';

/** Calls a method of a tensor, a list, a dictionary, a sequence of modules or a module. */
export function callMethod(
  interpreter: Evaluator,
  self: Value,
  name: string,
  args: CallArguments,
  node: Syntax,
): Value {
  switch (self.kind) {
    case 'tensor':
      return (
        callTorchFunction(
          interpreter.graph,
          name,
          { ...args, positional: [self, ...args.positional] },
          node,
        ) ?? unknownAt(node, `.${name}() of a tensor is not supported`)
      );
    case 'list':
      return callListMethod(interpreter, self.items, name, args, node);
    case 'dict':
      return callDictMethod(self.entries, name, args, node);
    case 'sequence':
      return callSequenceMethod(interpreter, self, name, args, node);
    case 'instance':
      return callModuleMethod(interpreter, self, name, args, node);
    default:
      // Methods that move or mode a module give the module back.
      return /^(?:to|cuda|cpu|train|eval|float|half|apply|double)$/.test(name)
        ? self
        : unknownAt(node, `.${name}() is not read here`);
  }
}

function callListMethod(
  interpreter: Evaluator,
  items: Value[],
  name: string,
  args: CallArguments,
  node: Syntax,
): Value {
  const first = args.positional[0];
  if (name === 'append' && first !== undefined) items.push(first);
  else if (name === 'extend' && first !== undefined)
    items.push(...(interpreter.itemsOf(first) ?? [unknownAt(node, 'what is added is not known')]));
  else if (name === 'insert' && first?.kind === 'number' && args.positional[1] !== undefined)
    items.splice(first.value, 0, args.positional[1]);
  else if (name === 'pop') return items.splice(first?.kind === 'number' ? first.value : -1, 1)[0] ?? NONE;
  else return unknownAt(node, `.${name}() is not read here`);
  return NONE;
}

function callDictMethod(entries: Map<string, Value>, name: string, args: CallArguments, node: Syntax): Value {
  const keys = [...entries.keys()].map((value): Value => ({ kind: 'string', value }));
  switch (name) {
    case 'items':
      return listOf([...entries.values()].map((value, index) => listOf([keys[index] ?? NONE, value], true)));
    case 'keys':
      return listOf(keys);
    case 'values':
      return listOf([...entries.values()]);
    case 'get': {
      const key = args.positional[0];
      return (key?.kind === 'string' ? entries.get(key.value) : undefined) ?? args.positional[1] ?? NONE;
    }
    default:
      return unknownAt(node, `.${name}() is not read here`);
  }
}

function callSequenceMethod(
  interpreter: Evaluator,
  self: SequenceValue,
  name: string,
  args: CallArguments,
  node: Syntax,
): Value {
  const [first, second] = args.positional;
  switch (name) {
    case 'add':
    case 'append':
      if (first !== undefined) append(self, first);
      return self;
    case 'extend':
      for (const item of (first === undefined ? undefined : interpreter.itemsOf(first)) ?? [
        unknownAt(node, 'what is added is not known'),
      ])
        append(self, item);
      return self;
    case 'add_module':
      if (first?.kind === 'string' && second !== undefined)
        self.items.push({ name: first.value, value: second });
      return NONE;
    case 'build': {
      const shape = argument(args, 0, 'input_shape');
      if (shape?.kind === 'list') self.input = readShape(listOf(shape.items.slice(1)), node);
      return NONE;
    }
    case 'children':
      return listOf(self.items.map((item) => item.value));
    default:
      return /^(?:to|cuda|cpu|train|eval|float)$/.test(name)
        ? self
        : unknownAt(node, `.${name}() is not read here`);
  }
}

function callModuleMethod(
  interpreter: Evaluator,
  self: InstanceValue,
  name: string,
  args: CallArguments,
  node: Syntax,
): Value {
  const [first, second] = args.positional;
  if (/^(?:to|cuda|cpu|train|eval|float|half|apply|double)$/.test(name)) return self;
  const base = libraryBase(self.ofClass) ?? '';
  const holds = /^torch\.nn\.(?:Sequential|ModuleList|ModuleDict)$/.test(base);
  if (holds && name === 'forward') return interpreter.library.callModule(interpreter, self, args, node);
  if (holds && /^(?:items|keys|values|children)$/.test(name))
    return callDictMethod(new Map(modulesOf(self)), name === 'children' ? 'values' : name, args, node);
  if (!/^(?:add_module|append|extend|register_\w+|__init__|compile|build|save_hyperparameters)$/.test(name))
    return unknownAt(node, `.${name}() of ${self.ofClass.name} is not read here`);
  if (/_module$/.test(name) && first?.kind === 'string' && second !== undefined)
    self.attributes.set(first.value, second);
  if (holds && /^(?:__init__|append|extend)$/.test(name)) addModules(interpreter, self, name, args);
  return NONE;
}

/** What `super().__init__(*layers)`, `append` and `extend` put into a class of the source's own that holds modules. */
function addModules(
  interpreter: Evaluator,
  self: InstanceValue,
  name: string,
  { positional }: CallArguments,
): void {
  const [first] = positional;
  if (first?.kind === 'dict') {
    for (const [key, value] of first.entries) self.attributes.set(key, value);
    return;
  }
  const isOne = name === 'append' || (name === '__init__' && first?.kind !== 'list');
  const values = isOne ? positional : first === undefined ? [] : (interpreter.itemsOf(first) ?? []);
  for (const value of values) self.attributes.set(String(modulesOf(self).length), value);
}

/** The modules among an object's attributes, in the order in which they were set. */
export function modulesOf(self: InstanceValue): [string, Value][] {
  return [...self.attributes].filter(([, value]) => /^(?:layer|sequence|instance|model)$/.test(value.kind));
}

/** Puts a layer at the end of a sequence; an input only gives it its shape. */
export function append(sequence: SequenceValue, value: Value): void {
  if (value.kind === 'tensor') {
    // keras.Input as the first item only gives the shape.
    sequence.input = value.tensor.shape;
    return;
  }
  if (value.kind === 'layer' && sequence.input === undefined && sequence.items.length === 0) {
    const shape = value.config?.['input_shape'];
    if (Array.isArray(shape)) sequence.input = shape as (number | null)[];
  }
  if (value.kind === 'layer' && value.type === 'InputLayer') return;
  // A first item that is a sequence of layers says the shape of the whole.
  if (value.kind === 'sequence' && sequence.items.length === 0) sequence.input ??= value.input;
  sequence.items.push({ name: String(sequence.items.length), value });
}
