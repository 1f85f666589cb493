import type { Syntax } from '../syntax';
import type { Evaluator } from './evaluation';
import type { Graph } from './graph';
import * as ops from './ops';
import type { Tensor } from './tensor';
import { unknownAt, type Value } from './values';

/** An operator of which at least one side is a tensor; the other one a tensor or a number. */
export function operate(
  { graph }: Evaluator,
  operator: string,
  left: Value,
  right: Value,
  node: Syntax,
): Value {
  if (left.kind === 'tensor' && right.kind === 'tensor')
    return operateTwo(graph, operator, [left.tensor, right.tensor], node);
  const [tensor, number] = left.kind === 'tensor' ? [left, right] : [right, left];
  const line = number.kind === 'number' ? lineOf(operator, number.value, left.kind === 'tensor') : undefined;
  if (tensor.kind !== 'tensor' || line === undefined)
    return unknownAt(node, `${operator} of these is not supported`);
  return asValue(rescale(graph, tensor.tensor, ...line));
}

/** `x ∘ number` as scale and offset; undefined for what is no straight line of x. */
function lineOf(operator: string, number: number, isFirst: boolean): [number, number] | undefined {
  switch (operator) {
    case '*':
      return [number, 0];
    case '/':
      return isFirst && number !== 0 ? [1 / number, 0] : undefined;
    case '+':
      return [1, number];
    case '-':
      return isFirst ? [1, -number] : [-1, number];
    default:
      return undefined;
  }
}

function rescale(graph: Graph, tensor: Tensor, scale: number, offset: number): Tensor {
  // A factor of 1 leaves it as it is.
  if (scale === 1 && offset === 0) return tensor;
  const again = ([input]: readonly Tensor[]): Tensor =>
    ops.keepShape(graph, 'Rescaling', graph.freeName('rescale'), { scale, offset }, input ?? tensor);
  return { ...again([tensor]), source: { inputs: [tensor], again } };
}

function operateTwo(graph: Graph, operator: string, inputs: readonly [Tensor, Tensor], node: Syntax): Value {
  if (!/^[-+*]$/.test(operator)) return unknownAt(node, `${operator} of two tensors is not supported`);
  const [left, right] = inputs;
  // What is taken away is added, times −1.
  const added = operator === '-' ? [left, rescale(graph, right, -1, 0)] : inputs;
  const again = (others: readonly Tensor[]): Tensor =>
    ops.merge(graph, operator === '*' ? 'Multiply' : 'Add', others, undefined, node);
  return asValue({ ...again(added), source: { inputs: added, again } });
}

function asValue(tensor: Tensor): Value {
  return { kind: 'tensor', tensor };
}
