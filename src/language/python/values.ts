import type { Problem, Range } from '../../core/errors';
import type { Syntax } from '../syntax';
import type { Tensor } from './tensor';

/** A number that came from source: which literals made it decides what an edit can change. */
export interface NumberValue {
  readonly kind: 'number';
  readonly value: number;
  /** The literal that has exactly this value. */
  readonly literal?: Range;
  /** The literals whose product it is. */
  readonly factors?: readonly { readonly range: Range; readonly value: number }[];
  /** The literals whose sum it is, each times a count, besides what is not written as a literal. */
  readonly sum?: LiteralSum;
  /** It was read off a tensor, so it follows the widths by itself. */
  readonly followsTensor?: boolean;
}

/** `constant + Σ count · literal`, by the start of each literal. */
export interface LiteralSum {
  readonly terms: ReadonlyMap<
    number,
    { readonly range: Range; readonly value: number; readonly count: number }
  >;
  readonly constant: number;
}

/** What an expression of a Python file is known to be. */
export type Value =
  | NumberValue
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'none' }
  | ListValue
  | { readonly kind: 'dict'; readonly entries: Map<string, Value> }
  | FunctionValue
  | ClassValue
  | InstanceValue
  /** Something of a library, by its full name, e.g. `torch.nn.Conv2d`. */
  | { readonly kind: 'path'; readonly path: string }
  | LayerValue
  | SequenceValue
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | ModelValue
  /** The size of the batch axis. */
  | { readonly kind: 'batch' }
  /** A method that belongs to a value. */
  | { readonly kind: 'bound'; readonly name: string; readonly self: Value }
  | UnknownValue;

export interface ListValue {
  readonly kind: 'list';
  readonly items: Value[];
  readonly tuple: boolean;
}

export interface FunctionValue {
  readonly kind: 'function';
  /** A `function_definition` or `lambda`. */
  readonly node: Syntax;
  readonly scope: Scope;
  readonly self?: Value;
  /** The class it is a method of, for `super()`. */
  readonly ofClass?: ClassValue;
}

export interface ClassValue {
  readonly kind: 'class';
  readonly name: string;
  readonly node: Syntax;
  readonly bases: readonly Value[];
  readonly members: Map<string, Value>;
}

export interface InstanceValue {
  readonly kind: 'instance';
  readonly ofClass: ClassValue;
  readonly attributes: Map<string, Value>;
}

/** A layer that has been made and can be called. */
export interface LayerValue {
  readonly kind: 'layer';
  /** The constructor as the source names it. */
  readonly type: string;
  readonly node: Syntax;
  /** Key of its site, for those that are in the source's model. */
  readonly site: string | undefined;
  /** The name that it should have in the topology, where the source or its place in the model gives one. */
  name: string | undefined;
  /** Adds the layer to the graph. */
  readonly apply: (inputs: readonly Tensor[], name: string, node: Syntax) => Tensor;
  /** What calling it gives, for layers that give more than a tensor. */
  readonly wrap?: (tensor: Tensor, node: Syntax) => Value;
  /** What a Keras layer says of its input. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of a Keras layer that another one may hold: what it is in the topology. */
  readonly plain?: { readonly className: string; readonly config: Readonly<Record<string, unknown>> };
}

/** `nn.Sequential`, `nn.ModuleList`, `nn.ModuleDict` and `keras.Sequential`. */
export interface SequenceValue {
  readonly kind: 'sequence';
  readonly type: 'torch' | 'list' | 'keras';
  readonly items: { readonly name: string; readonly value: Value }[];
  readonly node: Syntax;
  /** Features of the input, if the source says. */
  input: readonly (number | null)[] | undefined;
  name: string | undefined;
}

/** A Keras functional model. */
export interface ModelValue {
  readonly kind: 'model';
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly node: Syntax;
}

export interface UnknownValue {
  readonly kind: 'unknown';
  /** Ends a sentence: "… is not known: …". */
  readonly reason: string;
  readonly range: Range;
  /** What kept the code from being read that would have set it. */
  readonly cause?: Problem;
}

export interface Scope {
  readonly names: Map<string, Value>;
  readonly parent: Scope | undefined;
  /** Names declared `global`. */
  readonly globals: Set<string>;
}

export const NONE: Value = { kind: 'none' };

export function numberOf(value: number): NumberValue {
  return { kind: 'number', value };
}

export function boolOf(value: boolean): Value {
  return { kind: 'bool', value };
}

export function listOf(items: Value[], tuple = false): ListValue {
  return { kind: 'list', items, tuple };
}

export function unknownAt(node: Syntax, reason: string): UnknownValue {
  return { kind: 'unknown', reason, range: node.range };
}

/** Evaluation cannot go on: what the model needs is not known, or does not fit. Caught within this folder. */
export class Stop extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

export function stopAt(node: { readonly range: Range }, code: string, message: string): Stop {
  return new Stop({ severity: 'error', code, message, range: node.range });
}

/** The model needs a value that is not known. @param what ends in a full stop, and goes with the value's reason */
export function stopAtUnknown(value: UnknownValue, code: string, what: string): Stop {
  return value.cause === undefined ? stopAt(value, code, what) : new Stop(value.cause);
}

/** Whether a value counts as true; undefined where that is not known. */
export function truthOf(value: Value): boolean | undefined {
  switch (value.kind) {
    case 'number':
      return value.value !== 0;
    case 'string':
      return value.value !== '';
    case 'bool':
      return value.value;
    case 'none':
      return false;
    case 'list':
      return value.items.length > 0;
    case 'dict':
      return value.entries.size > 0;
    case 'unknown':
      return undefined;
    default:
      return true;
  }
}

/** How messages show a value. */
export function describeValue(value: Value): string {
  switch (value.kind) {
    case 'number':
      return String(value.value);
    case 'string':
      return JSON.stringify(value.value);
    case 'bool':
      return value.value ? 'True' : 'False';
    case 'none':
      return 'None';
    case 'list':
      return `(${value.items.map(describeValue).join(', ')})`;
    case 'path':
      return value.path;
    case 'class':
      return value.name;
    default:
      return `a ${value.kind}`;
  }
}
