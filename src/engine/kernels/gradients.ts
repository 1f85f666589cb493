/** Gradients of TensorFlow.js itself that are replaced, for every engine. */
import {
  cast,
  concat,
  getGradient,
  registerGradient,
  reshape,
  stack,
  sum,
  unregisterGradient,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { GradFunc, SplitVAttrs, Tensor, TileAttrs, UnpackAttrs } from '@tensorflow/tfjs-core';
import { installExtremeGradients } from './extremeGradients';

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

/** Kernels that lack a gradient, with their inputs. Their outputs are truth values, flat wherever they have a slope: 0. */
const FLAT: Readonly<Record<string, readonly string[]>> = {
  Greater: ['a', 'b'],
  Less: ['a', 'b'],
  LessEqual: ['a', 'b'],
  Equal: ['a', 'b'],
  NotEqual: ['a', 'b'],
  LogicalAnd: ['a', 'b'],
  LogicalOr: ['a', 'b'],
  LogicalNot: ['x'],
  Any: ['x'],
  All: ['x'],
};

function registerFlatGradient(kernelName: string, inputs: readonly string[]): void {
  registerGradient({
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_dy, saved) =>
      Object.fromEntries(
        inputs.map((name, index) => {
          const input = saved[index];
          if (input === undefined) throw new TypeError(`${kernelName} has ${inputs.length} inputs`);
          return [name, () => zerosLike(cast(input, 'float32'))];
        }),
      ),
  });
}

function replaceGradient(kernelName: string, inputsToSave: string[], gradFunc: GradFunc): void {
  unregisterGradient(kernelName);
  registerGradient({ kernelName, inputsToSave, gradFunc });
}

/** The gradient of a kernel with several outputs is a list, but a single tensor where there happens to be one. */
const listOf = (dy: Tensor | Tensor[]): Tensor[] => (Array.isArray(dy) ? dy : [dy]);

let installed = false;

/** Replaces them once a process. @param again even so, because something has registered the stock ones since */
export function installGradients(again = false): void {
  if (installed && !again) return;
  installed = true;
  // The registry's type promises a gradient for every name; asked for a missing one it answers undefined.
  const find = getGradient as (name: string) => ReturnType<typeof getGradient> | undefined;
  for (const [name, inputs] of Object.entries(FLAT))
    if (find(name) === undefined) registerFlatGradient(name, inputs);
  replaceGradient('Tile', ['x'], (dy, saved, attrs) => {
    const [x] = saved;
    if (x === undefined || Array.isArray(dy)) throw new TypeError('Tile has one input and one output');
    const { reps } = attrs as unknown as TileAttrs;
    return { x: () => tileGradient(dy, x.shape, reps) };
  });
  installExtremeGradients();
  // The stock ones throw for a sequence of one step, whose list of pieces is one long.
  replaceGradient('Unpack', [], (dy, _saved, attrs) => ({
    value: () => stack(listOf(dy), (attrs as unknown as UnpackAttrs).axis),
  }));
  replaceGradient('SplitV', [], (dy, _saved, attrs) => ({
    x: () => concat(listOf(dy), (attrs as unknown as SplitVAttrs).axis),
  }));
}
