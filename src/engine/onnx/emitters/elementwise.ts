import { backend_util, broadcast_util } from '@tensorflow/tfjs-core';
import type { ElementType, Graph, Value } from '../graph';
import {
  cast,
  emitter,
  fill,
  listEmitter,
  scalar,
  valueOf,
  type Emitter,
  type EmitterTable,
} from './emitter';

const SELU_SCALE = backend_util.SELU_SCALE;
const SELU_SCALE_ALPHA = backend_util.SELU_SCALEALPHA;

export function binary(graph: Graph, type: string, a: Value, b: Value, dtype: ElementType = a.dtype): Value {
  const shape = broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);
  return valueOf(graph.node(type, [a.name, b.name]), shape, dtype);
}

/** An elementwise node on one tensor and constants. */
export function unary(graph: Graph, type: string, x: Value, ...rest: string[]): Value {
  return valueOf(graph.node(type, [x.name, ...rest]), x.shape, x.dtype);
}

function binaryKernel(type: string, dtype?: ElementType): Emitter {
  return emitter<'a' | 'b'>((graph, { a, b }) => binary(graph, type, a, b, dtype));
}

function unaryKernel(type: string): Emitter {
  return emitter<'x'>((graph, { x }) => unary(graph, type, x));
}

/** Functions that ONNX Runtime has for floats only. */
function floatComparison(type: string): Emitter {
  return emitter<'a' | 'b'>((graph, { a, b }) => {
    const isBool = a.dtype === 'bool' && type !== 'Equal';
    return isBool
      ? binary(graph, type, cast(graph, a, 'int32'), cast(graph, b, 'int32'), 'bool')
      : binary(graph, type, a, b, 'bool');
  });
}

/** `condition ? t : e`, of the shape of `like`. */
export function where(graph: Graph, condition: string, t: string, e: string, like: Value): Value {
  return valueOf(graph.node('Where', [condition, t, e]), like.shape, like.dtype);
}

function isPositive(graph: Graph, x: Value): string {
  return graph.node('Greater', [x.name, scalar(graph, 0)]);
}

/** `x > 0 ? x : alpha * x`; alpha is a name so that it may vary with the step. */
function leaky(graph: Graph, x: Value, alpha: string): Value {
  return where(graph, isPositive(graph, x), x.name, graph.node('Mul', [x.name, alpha]), x);
}

/** `e^x - 1`. */
function expMinusOne(graph: Graph, x: Value): string {
  return graph.node('Sub', [graph.node('Exp', [x.name]), scalar(graph, 1)]);
}

/** `x > 0 ? scale * x : scaleAlpha * (e^x - 1)`. */
function exponentialUnit(graph: Graph, x: Value, scale: number, scaleAlpha: number): Value {
  // The exponential of a large positive x must not overflow although it is not chosen.
  const negative = valueOf(graph.node('Min', [x.name, scalar(graph, 0)]), x.shape);
  const low = graph.node('Mul', [expMinusOne(graph, negative), scalar(graph, scaleAlpha)]);
  const high = graph.node('Mul', [x.name, scalar(graph, scale)]);
  return where(graph, isPositive(graph, x), high, low, x);
}

/** Activations that TensorFlow.js fuses into matrix products and convolutions. */
export function activate(
  graph: Graph,
  x: Value,
  activation: string | null | undefined,
  preluWeights?: Value,
  leakyreluAlpha = 0.2,
): Value {
  switch (activation) {
    case undefined:
    case null:
    case 'linear':
      return x;
    case 'relu':
      return unary(graph, 'Relu', x);
    case 'relu6':
      return unary(graph, 'Clip', x, scalar(graph, 0), scalar(graph, 6));
    case 'elu':
      return exponentialUnit(graph, x, 1, 1);
    case 'sigmoid':
      return unary(graph, 'Sigmoid', x);
    case 'leakyrelu':
      return leaky(graph, x, scalar(graph, leakyreluAlpha));
    case 'prelu':
      if (preluWeights !== undefined) return leaky(graph, x, preluWeights.name);
      break;
  }
  throw new RangeError(`fused activation ${activation}`);
}

const unaryKernels = Object.fromEntries(
  (
    [
      ['Abs', 'Abs'],
      ['Acos', 'Acos'],
      ['Asin', 'Asin'],
      ['Atan', 'Atan'],
      ['Ceil', 'Ceil'],
      ['Cos', 'Cos'],
      ['Cosh', 'Cosh'],
      ['Erf', 'Erf'],
      ['Exp', 'Exp'],
      ['Floor', 'Floor'],
      ['Log', 'Log'],
      ['LogicalNot', 'Not'],
      ['Neg', 'Neg'],
      ['Reciprocal', 'Reciprocal'],
      ['Relu', 'Relu'],
      ['Round', 'Round'],
      ['Sigmoid', 'Sigmoid'],
      ['Sign', 'Sign'],
      ['Sin', 'Sin'],
      ['Sinh', 'Sinh'],
      ['Softplus', 'Softplus'],
      ['Sqrt', 'Sqrt'],
      ['Tan', 'Tan'],
      ['Tanh', 'Tanh'],
    ] as const
  ).map(([kernel, type]) => [kernel, unaryKernel(type)]),
);

const binaryKernels = Object.fromEntries(
  (
    [
      ['Add', 'Add'],
      ['Sub', 'Sub'],
      ['Multiply', 'Mul'],
      ['RealDiv', 'Div'],
      ['Maximum', 'Max'],
      ['Minimum', 'Min'],
      ['Pow', 'Pow'],
    ] as const
  ).map(([kernel, type]) => [kernel, binaryKernel(type)]),
);

const comparisonKernels = Object.fromEntries(
  (
    [
      ['Greater', 'Greater'],
      ['GreaterEqual', 'GreaterOrEqual'],
      ['Less', 'Less'],
      ['LessEqual', 'LessOrEqual'],
      ['Equal', 'Equal'],
    ] as const
  ).map(([kernel, type]) => [kernel, floatComparison(type)]),
);

export const elementwise: EmitterTable = {
  ...unaryKernels,
  ...binaryKernels,
  ...comparisonKernels,
  LogicalAnd: binaryKernel('And'),
  LogicalOr: binaryKernel('Or'),
  NotEqual: emitter<'a' | 'b'>((graph, { a, b }) =>
    unary(graph, 'Not', binary(graph, 'Equal', a, b, 'bool')),
  ),
  AddN: listEmitter((graph, list) => {
    const [first] = list;
    if (first === undefined) throw new RangeError('AddN of nothing');
    return list.slice(1).reduce((sum, value) => binary(graph, 'Add', sum, value), first);
  }),
  Cast: emitter<'x', { dtype: ElementType }>((graph, { x }, { dtype }) => {
    // TensorFlow.js makes a bool of a float by comparing with 0, ONNX too; a float to int is cut off in both.
    return cast(graph, x, dtype);
  }),
  ClipByValue: emitter<'x', { clipValueMin: number; clipValueMax: number }>((graph, { x }, attrs) => {
    const low = graph.node('Max', [x.name, scalar(graph, attrs.clipValueMin, x.dtype)]);
    return valueOf(graph.node('Min', [low, scalar(graph, attrs.clipValueMax, x.dtype)]), x.shape, x.dtype);
  }),
  Elu: emitter<'x'>((graph, { x }) => exponentialUnit(graph, x, 1, 1)),
  EluGrad: emitter<'dy' | 'y'>((graph, { dy, y }) => {
    const below = graph.node('Mul', [dy.name, graph.node('Add', [y.name, scalar(graph, 1)])]);
    return where(graph, graph.node('GreaterOrEqual', [y.name, scalar(graph, 0)]), dy.name, below, dy);
  }),
  Expm1: emitter<'x'>((graph, { x }) => valueOf(expMinusOne(graph, x), x.shape)),
  FloorDiv: emitter<'a' | 'b'>((graph, { a, b }) => {
    const quotient = binary(graph, 'Div', cast(graph, a, 'float32'), cast(graph, b, 'float32'));
    return cast(graph, unary(graph, 'Floor', quotient), a.dtype);
  }),
  Identity: emitter<'x'>((_graph, { x }) => x),
  IsNan: emitter<'x'>((graph, { x }) => valueOf(graph.node('IsNaN', [x.name]), x.shape, 'bool')),
  LeakyRelu: emitter<'x', { alpha: number }>((graph, { x }, { alpha }) =>
    leaky(graph, x, scalar(graph, alpha)),
  ),
  Log1p: emitter<'x'>((graph, { x }) => unary(graph, 'Log', binary(graph, 'Add', x, fill(graph, 1, [])))),
  Mod: emitter<'a' | 'b'>((graph, { a, b }) => {
    // The sign of the divisor, as in TensorFlow.js.
    const quotient = unary(graph, 'Floor', binary(graph, 'Div', a, b));
    return binary(graph, 'Sub', a, binary(graph, 'Mul', quotient, b));
  }),
  Prelu: emitter<'x' | 'alpha'>((graph, { x, alpha }) => leaky(graph, x, alpha.name)),
  Relu6: emitter<'x'>((graph, { x }) => activate(graph, x, 'relu6')),
  Rsqrt: emitter<'x'>((graph, { x }) => unary(graph, 'Reciprocal', unary(graph, 'Sqrt', x))),
  Select: emitter<'condition' | 't' | 'e'>((graph, { condition, t, e }) => {
    // A condition of rank 1 chooses rows.
    const rank = t.shape.length;
    const shape = [...condition.shape, ...Array<number>(Math.max(0, rank - condition.shape.length)).fill(1)];
    const rows = condition.shape.length === 1 && rank > 1;
    const chosen = rows ? graph.node('Reshape', [condition.name, graph.shape(shape)]) : condition.name;
    return where(graph, chosen, t.name, e.name, t);
  }),
  Selu: emitter<'x'>((graph, { x }) => exponentialUnit(graph, x, SELU_SCALE, SELU_SCALE_ALPHA)),
  Square: emitter<'x'>((graph, { x }) => binary(graph, 'Mul', x, x)),
  SquaredDifference: emitter<'a' | 'b'>((graph, { a, b }) => {
    const difference = binary(graph, 'Sub', a, b);
    return binary(graph, 'Mul', difference, difference);
  }),
  Step: emitter<'x', { alpha: number }>((graph, { x }, { alpha }) => {
    // ONNX Runtime takes nearly twice as long to choose between two constants as to cast.
    if (alpha === 0) return cast(graph, valueOf(isPositive(graph, x), x.shape, 'bool'), 'float32');
    const ones = scalar(graph, 1);
    return where(graph, isPositive(graph, x), ones, scalar(graph, alpha), x);
  }),
  // Constants are of rank 0; who needs them written out does so.
  ZerosLike: emitter<'x'>((graph, { x }) => fill(graph, 0, [], x.dtype)),
  OnesLike: emitter<'x'>((graph, { x }) => fill(graph, 1, [], x.dtype)),
  Fill: emitter<never, { shape: number[]; value: number; dtype?: ElementType }>((graph, _inputs, attrs) =>
    fill(graph, attrs.value, [], attrs.dtype),
  ),
};
