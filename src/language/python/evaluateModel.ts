import type { FunctionalTopology } from '../../core/topology';
import type { Syntax } from '../syntax';
import type { GraphRecord } from './graph';
import type { Tensor } from './tensor';
import {
  emptyArguments,
  findMember,
  fromJson,
  isPlainCall,
  libraryBase,
  parameterName,
  type CallArguments,
} from './evaluation';
import type { ModelPlace } from './findPlaces';
import type { Interpreter } from './interpreter';
import type { ModuleRun, ModuleRuns } from './moduleRuns';
import { isModuleBase } from './modules';
import { plainPath } from './paths';
import { leadTo, valueOf } from './runPlace';
import { Target } from './target';
import { Stop, stopAt, stopAtUnknown, type ClassValue, type InstanceValue, type Value } from './values';
import type { Problem } from '../../core/errors';

/** Where a model of a Python file comes from. */
export type PythonOrigin =
  | { readonly kind: 'class'; readonly name: string; readonly node: Syntax }
  | { readonly kind: 'function'; readonly name: string; readonly node: Syntax }
  | { readonly kind: 'variable'; readonly name: string; readonly node: Syntax }
  /** A call that makes a model in a method, a loop, a branch. */
  | { readonly kind: 'place'; readonly name: string; readonly node: Syntax; readonly place: ModelPlace };

/** What became of a model, as far as it could be read. */
export interface EvaluatedModel {
  readonly graph: GraphRecord;
  /** Starts of the identifiers that were read for it. */
  readonly readNames: ReadonlySet<number>;
  readonly topology?: FunctionalTopology;
  /** Axis order in which the source gives its input. */
  readonly axes: 'channels-first' | 'channels-last';
  /** What the model was made of, for its kind. */
  readonly value?: Value;
  readonly problem?: Problem;
}

/** Values that the author wrote into the model's hint, parsed. */
export interface EvaluationHints {
  readonly args?: readonly unknown[];
  readonly input?: readonly (number | null)[];
}

/** Sizes of pictures to try where only the result of flattening them is written in the source. */
const COMMON_SIZES = [28, 32, 224, 227, 64, 84, 96, 128, 256, 299, 16, 48, 100, 150, 180];

/** Evaluates a model to its topology, with what stands behind each number. */
export function evaluateModel(
  runs: ModuleRuns,
  origin: PythonOrigin,
  hints: EvaluationHints,
): EvaluatedModel {
  const first = attempt(runs, origin, hints, null);
  if (first.problem?.code !== 'unknown-size' || hints.input !== undefined) return first;
  let mismatch: EvaluatedModel | undefined;
  for (const size of COMMON_SIZES) {
    const tried = attempt(runs, origin, hints, size);
    if (tried.problem === undefined) return tried;
    if (!/^(?:shape-mismatch|unknown-size|unsupported)$/.test(tried.problem.code)) return tried;
    mismatch ??= tried;
  }
  return mismatch ?? first;
}

function attempt(
  runs: ModuleRuns,
  origin: PythonOrigin,
  hints: EvaluationHints,
  size: number | null,
): EvaluatedModel {
  const target = origin.kind === 'place' ? new Target(origin.place.call) : undefined;
  const { graph, interpreter } = openRun(runs, origin, hints, size, target);
  let axes: EvaluatedModel['axes'] = 'channels-last';
  let value: Value | undefined;
  const finish = (rest: Pick<EvaluatedModel, 'topology' | 'problem'>): EvaluatedModel => ({
    graph: graph.record(),
    readNames: interpreter.readNames,
    axes,
    ...(value === undefined ? {} : { value }),
    ...rest,
  });
  try {
    value = makeValue(interpreter, origin, hints, target);
    axes = isTorch(value) ? 'channels-first' : 'channels-last';
    graph.order = axes;
    const { outputs } = connect(interpreter, value, origin, hints, axes);
    return finish({ topology: graph.finish(topologyName(origin), outputs) });
  } catch (thrown) {
    if (thrown instanceof Stop) return finish({ problem: thrown.problem });
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return finish({
      problem: stopAt(origin.node, 'cannot-read', `This model cannot be read: ${message}.`).problem,
    });
  }
}

/** A run of the module in which the model can be made without what others made of it. */
function openRun(
  runs: ModuleRuns,
  origin: PythonOrigin,
  hints: EvaluationHints,
  size: number | null,
  target: Target | undefined,
): ModuleRun {
  if (origin.kind === 'place' && origin.place.around.length === 0) return runs.own(size, target, hints.input);
  const shared = runs.shared(size);
  // A functional model lies in the graph already: it needs a graph that other models leave alone.
  if (origin.kind === 'variable' && shared.interpreter.globals.names.get(origin.name)?.kind === 'model')
    return runs.own(size);
  shared.interpreter.begin(shared.reads, shared.made);
  shared.graph.inputHint = hints.input;
  return shared;
}

function topologyName(origin: PythonOrigin): string {
  return origin.name.replaceAll(/\W+/g, '_');
}

/** Makes the module, layer list or model that an origin stands for. */
function makeValue(
  interpreter: Interpreter,
  origin: PythonOrigin,
  hints: EvaluationHints,
  target: Target | undefined,
): Value {
  if (origin.kind === 'place' && target !== undefined) {
    if (origin.place.around.length > 0) leadTo(interpreter, origin.place, target, hints.args);
    return valueOf(interpreter, origin.place, target);
  }
  const known = interpreter.globals.names.get(origin.name);
  if (origin.kind === 'variable') {
    if (known === undefined) throw stopAt(origin.node, 'unknown-value', `${origin.name} is not known.`);
    return known;
  }
  const given = hints.args === undefined ? undefined : emptyArguments(hints.args.map(fromJson));
  if (known?.kind === 'class') {
    const made = interpreter.made.filter((entry) => entry.value.ofClass === known);
    const usable = made.find((entry) => isKnown(entry.args));
    if (given === undefined && usable !== undefined) return usable.value;
    return interpreter.instantiate(known, given ?? emptyArguments(), origin.node);
  }
  if (known?.kind === 'function') {
    // Where the module calls it, its arguments are what the author means.
    const called = (interpreter.called.get(known.node) ?? []).find(isPlainCall);
    return interpreter.callFunction(known, given ?? called ?? emptyArguments(), origin.node);
  }
  throw stopAt(origin.node, 'unknown-value', `${origin.name} is not known.`);
}

function isKnown(args: CallArguments): boolean {
  return [...args.positional, ...args.named.values()].every((value) => value.kind !== 'unknown');
}

function isTorch(value: Value): boolean {
  if (value.kind === 'sequence') return value.type !== 'keras';
  if (value.kind === 'instance') return !plainPath(libraryBase(value.ofClass) ?? '').startsWith('keras');
  return value.kind === 'layer' && !/^[A-Z]\w*D$/.test(value.type);
}

/** Whether a value is a model that can be connected. */
export function isModelValue(value: Value | undefined): boolean {
  if (value?.kind === 'sequence') return value.type !== 'list';
  if (value?.kind === 'instance') return isModuleBase(libraryBase(value.ofClass) ?? '');
  return value?.kind === 'model';
}

function connect(
  interpreter: Interpreter,
  value: Value,
  origin: PythonOrigin,
  hints: EvaluationHints,
  axes: EvaluatedModel['axes'],
): { outputs: Tensor[] } {
  if (value.kind === 'model') return { outputs: [...value.outputs] };
  if (!isModelValue(value)) {
    const reason = value.kind === 'unknown' ? value.reason : 'it makes something else';
    throw stopAt(
      value.kind === 'unknown' ? value : origin.node,
      'unknown-value',
      `${origin.name} is no model that can be read: ${reason}.`,
    );
  }
  nameParts(interpreter, value, '', 0);
  const inputs = inputNames(value).map((name, index) => {
    const shape = index === 0 ? inputShape(value, hints, axes) : undefined;
    const tensor = interpreter.graph.input(name, shape);
    return { kind: 'tensor' as const, tensor };
  });
  const result = interpreter.call(value, emptyArguments(inputs), origin.node);
  return { outputs: outputsOf(result, origin) };
}

function inputShape(
  value: Value,
  hints: EvaluationHints,
  axes: EvaluatedModel['axes'],
): (number | null)[] | undefined {
  if (hints.input !== undefined) {
    const [first, ...rest] = hints.input;
    return axes === 'channels-first' && rest.length > 0 && !readsSequence(value)
      ? [...rest, first ?? null]
      : [...hints.input];
  }
  return value.kind === 'sequence' && value.input !== undefined ? [...value.input] : undefined;
}

/** Whether a model's first layer reads steps in time, whose features come last in PyTorch as well. */
export function readsSequence(value: Value | undefined): boolean {
  const parts =
    value?.kind === 'instance'
      ? [...value.attributes.values()]
      : value?.kind === 'sequence'
        ? value.items.map((item) => item.value)
        : [];
  const first = parts.find(
    (part) => part.kind === 'layer' || part.kind === 'sequence' || part.kind === 'instance',
  );
  return first?.kind === 'layer' ? first.wrap !== undefined : first !== undefined && readsSequence(first);
}

/** Names of a model's inputs: the parameters that a call of it must give. */
function inputNames(value: Value): string[] {
  if (value.kind !== 'instance') return ['input'];
  const method = forwardOf(value);
  const parameters = method?.field('parameters')?.namedChildren.slice(1) ?? [];
  const wanted = parameters.filter(
    (parameter) => /^(?:identifier|typed_parameter)$/.test(parameter.type) && !parameter.text.startsWith('*'),
  );
  const names = wanted.map(parameterName).filter((name) => name !== 'training' && name !== 'mask');
  return names.length === 0 ? ['input'] : names;
}

function forwardOf(value: InstanceValue): Syntax | undefined {
  for (const name of ['forward', 'call']) {
    const method = findMember(value.ofClass, name);
    if (method?.kind === 'function') return method.node;
  }
  return undefined;
}

function outputsOf(result: Value, origin: PythonOrigin): Tensor[] {
  if (result.kind === 'tensor') return [result.tensor];
  if (result.kind === 'list') return result.items.flatMap((item) => outputsOf(item, origin));
  if (result.kind === 'dict') return [...result.entries.values()].flatMap((item) => outputsOf(item, origin));
  if (result.kind === 'unknown')
    throw stopAtUnknown(result, 'unknown-value', `What the model gives is not known: ${result.reason}.`);
  throw stopAt(origin.node, 'unknown-value', `${origin.name} gives no tensor that is known.`);
}

/** Names layers by where they lie in the model, as their weights are named in the source's own library. */
function nameParts(interpreter: Interpreter, value: Value, path: string, depth: number): void {
  if (depth > 20) return;
  const under = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (value.kind === 'layer') {
    if (path !== '') interpreter.graph.placeAt(value, path);
    value.name ??=
      path === '' ? undefined : interpreter.graph.freeName(/^\d/.test(path) ? `layer_${path}` : path);
  } else if (value.kind === 'sequence' && (value.type !== 'keras' || path !== '')) {
    for (const item of value.items) nameParts(interpreter, item.value, under(item.name), depth + 1);
  } else if (value.kind === 'list') {
    value.items.forEach((item, index) => nameParts(interpreter, item, under(String(index)), depth + 1));
  } else if (value.kind === 'dict') {
    for (const [name, item] of value.entries) nameParts(interpreter, item, under(name), depth + 1);
  } else if (value.kind === 'instance') {
    for (const [name, item] of value.attributes) nameParts(interpreter, item, under(name), depth + 1);
  }
}

/** The classes of a file that are modules with a body of their own. */
export function moduleClasses(interpreter: Interpreter): ClassValue[] {
  return [...interpreter.globals.names.values()].filter(
    (value): value is ClassValue =>
      value.kind === 'class' &&
      isModuleBase(libraryBase(value) ?? '') &&
      ['forward', 'call'].some((name) => findMember(value, name)?.kind === 'function'),
  );
}
