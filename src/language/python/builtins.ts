import type { Syntax } from '../syntax';
import { argument, type CallArguments, type Evaluator } from './evaluation';
import { writeAttribute } from './attributes';
import { boolOf, listOf, NONE, numberOf, truthOf, unknownAt, type Value } from './values';

/** Calls one of Python's own functions; undefined if the path is none of them. */
export function callBuiltin(
  interpreter: Evaluator,
  path: string,
  args: CallArguments,
  node: Syntax,
): Value | undefined {
  if (path === 'collections.OrderedDict') return orderedDict(interpreter, args);
  if (path === 'numpy.prod') return fold(interpreter, 'prod', args, node);
  if (path.startsWith('math.')) return callMath(path.slice(5), args, node);
  if (!path.startsWith('builtins.')) return undefined;
  const first = args.positional[0];
  const items = first === undefined ? undefined : interpreter.itemsOf(first);
  switch (path.slice('builtins.'.length)) {
    case 'range':
      return range(interpreter, args, node);
    case 'len':
      return items === undefined ? unknownAt(node, 'its length is not known') : numberOf(items.length);
    case 'int':
    case 'round': {
      if (first?.kind !== 'number') return unknownAt(node, 'this number is not known');
      const whole = path.endsWith('round') ? Math.round(first.value) : Math.trunc(first.value);
      return whole === first.value ? first : numberOf(whole);
    }
    case 'float':
      return first?.kind === 'number' ? first : unknownAt(node, 'this number is not known');
    case 'str':
      return first?.kind === 'number' || first?.kind === 'string'
        ? { kind: 'string', value: String(first.value) }
        : unknownAt(node, 'its text is not known');
    case 'bool': {
      const truth = first === undefined ? false : truthOf(first);
      return truth === undefined ? unknownAt(node, 'whether it holds is not known') : boolOf(truth);
    }
    case 'list':
    case 'tuple':
    case 'sorted':
      if (first === undefined) return listOf([]);
      return items === undefined
        ? unknownAt(node, 'its items are not known')
        : listOf([...items], path.endsWith('tuple'));
    case 'reversed':
      return items === undefined ? unknownAt(node, 'its items are not known') : listOf([...items].reverse());
    case 'dict':
      return { kind: 'dict', entries: new Map(args.named) };
    case 'enumerate':
      return items === undefined
        ? unknownAt(node, 'its items are not known')
        : listOf(items.map((item, index) => listOf([numberOf(index), item], true)));
    case 'zip':
      return zip(interpreter, args, node);
    case 'sum':
    case 'min':
    case 'max':
      return fold(interpreter, path.slice('builtins.'.length), args, node);
    case 'abs':
      return first?.kind === 'number'
        ? numberOf(Math.abs(first.value))
        : unknownAt(node, 'this number is not known');
    case 'hasattr':
      return unknownAt(node, 'what it has is not known');
    case 'isinstance':
      return isInstance(first, args.positional[1], node);
    case 'getattr': {
      const name = args.positional[1];
      return first !== undefined && name?.kind === 'string'
        ? interpreter.attribute(first, name.value, node)
        : unknownAt(node, 'which attribute is not known');
    }
    case 'setattr': {
      const [, name, value] = args.positional;
      if (first !== undefined && name?.kind === 'string' && value !== undefined)
        writeAttribute(first, name.value, value);
      return NONE;
    }
    case 'print':
      return NONE;
    default:
      return unknownAt(node, `${path.slice('builtins.'.length)}() is not read here`);
  }
}

function range(interpreter: Evaluator, args: CallArguments, node: Syntax): Value {
  const numbers = args.positional.map((value) => (value.kind === 'number' ? value.value : undefined));
  if (numbers.includes(undefined)) return unknownAt(node, 'the range is not known');
  for (const value of args.positional) interpreter.graph.pin(value, node.range);
  const [a = 0, b, step = 1] = numbers;
  const [start, end] = b === undefined ? [0, a] : [a, b];
  const length = step === 0 ? 0 : Math.max(0, Math.min(10_000, Math.ceil((end - start) / step)));
  return listOf(Array.from({ length }, (_, index) => numberOf(start + index * step)));
}

function zip(interpreter: Evaluator, args: CallArguments, node: Syntax): Value {
  const lists = args.positional.map((value) => interpreter.itemsOf(value));
  const known = lists.filter((list) => list !== undefined);
  if (known.length !== lists.length) return unknownAt(node, 'its items are not known');
  const length = Math.min(...known.map((list) => list.length));
  return listOf(
    Array.from({ length: known.length === 0 ? 0 : length }, (_, index) =>
      listOf(
        known.map((list) => list[index] ?? NONE),
        true,
      ),
    ),
  );
}

function fold(interpreter: Evaluator, name: string, args: CallArguments, node: Syntax): Value {
  const first = args.positional[0];
  const items =
    args.positional.length > 1 && name !== 'sum' ? args.positional : first && interpreter.itemsOf(first);
  const numbers = items?.map((item) => (item.kind === 'number' ? item.value : undefined));
  if (numbers === undefined || numbers.includes(undefined) || numbers.length === 0)
    return unknownAt(node, 'its numbers are not known');
  const known = numbers.filter((value) => value !== undefined);
  for (const item of items ?? []) interpreter.graph.pin(item, node.range);
  if (name === 'prod') return numberOf(known.reduce((product, value) => product * value, 1));
  if (name === 'sum') return numberOf(known.reduce((total, value) => total + value, 0));
  return numberOf(name === 'min' ? Math.min(...known) : Math.max(...known));
}

function isInstance(value: Value | undefined, of: Value | undefined, node: Syntax): Value {
  const isNumber = value?.kind === 'number';
  const name = of?.kind === 'path' ? of.path : '';
  if (name === 'builtins.int') return boolOf(isNumber && Number.isInteger(value.value));
  if (name === 'builtins.str') return boolOf(value?.kind === 'string');
  if (name === 'builtins.list' || name === 'builtins.tuple') return boolOf(value?.kind === 'list');
  if (name === 'torch.Tensor') return boolOf(value?.kind === 'tensor');
  return unknownAt(node, 'its type is not known');
}

function callMath(name: string, args: CallArguments, node: Syntax): Value {
  const value = argument(args, 0, 'x');
  const functions: Readonly<Record<string, (x: number) => number>> = {
    ceil: Math.ceil,
    floor: Math.floor,
    sqrt: Math.sqrt,
    log2: Math.log2,
  };
  const fn = functions[name];
  return fn !== undefined && value?.kind === 'number'
    ? numberOf(fn(value.value))
    : unknownAt(node, `math.${name} is not read here`);
}

function orderedDict(interpreter: Evaluator, args: CallArguments): Value {
  const entries = new Map<string, Value>(args.named);
  const first = args.positional[0];
  if (first?.kind === 'dict') return { kind: 'dict', entries: new Map(first.entries) };
  for (const pair of (first === undefined ? undefined : interpreter.itemsOf(first)) ?? []) {
    const [key, value] = interpreter.itemsOf(pair) ?? [];
    if (key?.kind === 'string' && value !== undefined) entries.set(key.value, value);
  }
  return { kind: 'dict', entries };
}
