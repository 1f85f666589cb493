/** Gradients of TensorFlow.js itself that are replaced, for every engine. */
import {
  cast,
  getGradient,
  registerGradient,
  reshape,
  sum,
  unregisterGradient,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { Tensor, TileAttrs } from '@tensorflow/tfjs-core';

/**
 * The stock gradient of Tile takes one slice per repetition and adds them up: layer normalisation of a small image
 * made thousands. One sum over the repeated axes does the same.
 *
 * @param dy `[d0 * reps[0], …]`
 * @returns `[d0, …]`
 */
function tileGradient(dy: Tensor, shape: readonly number[], reps: readonly number[]): Tensor {
  const split: number[] = [];
  const repeated: number[] = [];
  shape.forEach((length, axis) => {
    const count = reps[axis] ?? 1;
    if (count !== 1) {
      repeated.push(split.length);
      split.push(count);
    }
    // An axis that is nothing but repetitions needs no second one; GPUs have no ranks above 6.
    if (length !== 1 || count === 1) split.push(length);
  });
  return repeated.length === 0
    ? reshape(dy, [...shape])
    : reshape(sum(reshape(dy, split), repeated), [...shape]);
}

/** Comparisons that lack a gradient. A comparison is flat wherever it has one: 0. */
const FLAT = ['Greater', 'Less', 'LessEqual', 'Equal', 'NotEqual'];

function registerFlatGradient(kernelName: string): void {
  registerGradient({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (_dy, [a, b]) => {
      if (a === undefined || b === undefined) throw new TypeError(`${kernelName} has two inputs`);
      return { a: () => zerosLike(cast(a, 'float32')), b: () => zerosLike(cast(b, 'float32')) };
    },
  });
}

let installed = false;

/** Replaces them once a process. @param again even so, because something has registered the stock ones since */
export function installGradients(again = false): void {
  if (installed && !again) return;
  installed = true;
  // The registry's type promises a gradient for every name; asked for a missing one it answers undefined.
  const find = getGradient as (name: string) => ReturnType<typeof getGradient> | undefined;
  for (const name of FLAT) if (find(name) === undefined) registerFlatGradient(name);
  unregisterGradient('Tile');
  registerGradient({
    kernelName: 'Tile',
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const [x] = saved;
      if (x === undefined || Array.isArray(dy)) throw new TypeError('Tile has one input and one output');
      const { reps } = attrs as unknown as TileAttrs;
      return { x: () => tileGradient(dy, x.shape, reps) };
    },
  });
}
