/**
 * ConvLSTM2D with channels first. TensorFlow.js 4.22 asks the backend for convolutions of that layout, which only some
 * can do; its other layers turn the tensors round. So does this one here.
 */
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const MARK = Symbol('channels first mended');

type Convolve = (this: Cell, x: tf.Tensor, ...rest: readonly unknown[]) => tf.Tensor;

interface Cell {
  readonly dataFormat: 'channelsFirst' | 'channelsLast';
  inputConv: Convolve;
  recurrentConv: Convolve;
  [MARK]?: true;
}

/** The convolution of a cell that says of itself that its channels lie last. */
function channelsLast(convolve: Convolve): Convolve {
  return function (this: Cell, x, ...rest) {
    if (this.dataFormat !== 'channelsFirst') return convolve.call(this, x, ...rest);
    const turned = Object.create(this, { dataFormat: { value: 'channelsLast' } }) as Cell;
    return tf.tidy(() =>
      tf.transpose(convolve.call(turned, tf.transpose(x, [0, 2, 3, 1]), ...rest), [0, 3, 1, 2]),
    );
  };
}

/** Harmless when repeated. */
export function mendConvolutionalRecurrence(): void {
  const prototype = Object.getPrototypeOf(layers.convLstm2dCell({ filters: 1, kernelSize: 1 })) as Cell;
  if (prototype[MARK] === true) return;
  prototype.inputConv = channelsLast(prototype.inputConv);
  prototype.recurrentConv = channelsLast(prototype.recurrentConv);
  prototype[MARK] = true;
}
