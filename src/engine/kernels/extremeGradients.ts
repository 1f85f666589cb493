/** Gradients of Maximum and Minimum of tensors of different shapes: the stock ones have the shape of the result. */
import {
  backend_util,
  cast,
  greaterEqual,
  less,
  lessEqual,
  greater,
  mul,
  registerGradient,
  reshape,
  sum,
  unregisterGradient,
} from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

type Compare = (a: Tensor, b: Tensor) => Tensor;

/** The part of `dy` where an input was chosen, summed over what it was spread over. */
function chosenPart(dy: Tensor, chosen: Tensor, shape: readonly number[]): Tensor {
  const part = mul(dy, cast(chosen, 'float32'));
  const spread = backend_util.getReductionAxes([...shape], dy.shape);
  return reshape(spread.length === 0 ? part : sum(part, spread), [...shape]);
}

/** @param first where the first input is the result; it is too where both are the same */
function replaceExtreme(kernelName: string, first: Compare, second: Compare): void {
  unregisterGradient(kernelName);
  registerGradient({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved;
      if (a === undefined || b === undefined || Array.isArray(dy))
        throw new TypeError(`${kernelName} has two inputs and one output`);
      return {
        a: () => chosenPart(dy, first(a, b), a.shape),
        b: () => chosenPart(dy, second(a, b), b.shape),
      };
    },
  });
}

export function installExtremeGradients(): void {
  replaceExtreme('Maximum', greaterEqual, less);
  replaceExtreme('Minimum', lessEqual, greater);
}
