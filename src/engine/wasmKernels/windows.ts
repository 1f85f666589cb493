/** The windows of a 2D convolution as a matrix: one row a window, its columns in the order of a filter's. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { floats, share, zeros } from './heap';
import type { Matrix, Piece } from './product/product';

export type Pair = readonly [height: number, width: number];

/** Where windows lie in an image. */
export interface Windows {
  /** How many of them. */
  readonly count: Pair;
  /** Elements of a window. */
  readonly size: Pair;
  /** From window to window. */
  readonly strides: Pair;
  /** From element to element of a window. */
  readonly dilations: Pair;
  /** Rows above and columns before the image where the first window begins; negative inside of it. */
  readonly top: number;
  readonly left: number;
}

/** Rows or columns from the first of the first window to the last of the last. */
function reach({ count, size, strides, dilations }: Windows, axis: 0 | 1): number {
  return (count[axis] - 1) * strides[axis] + (size[axis] - 1) * dilations[axis] + 1;
}

/** Puts zeros around the images, before and behind. */
function pad(backend: BackendWasm, x: TensorInfo, before: Pair, behind: Pair): TensorInfo {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const tall = before[0] + height + behind[0];
  const row = (before[1] + width + behind[1]) * channels;
  const out = zeros(backend, [batch, tall, row / channels, channels]);
  const from = floats(backend, x);
  const to = floats(backend, out);
  for (let line = 0; line < batch * height; line += 1) {
    const target = Math.floor(line / height) * tall + before[0] + (line % height);
    const source = line * width * channels;
    to.set(from.subarray(source, source + width * channels), target * row + before[1] * channels);
  }
  return out;
}

/** Pieces of a window's memory: lines of it where its elements are neighbours, else elements. */
function piecesOf({ size, dilations }: Windows, width: number, channels: number): Piece[] {
  const lines = Array.from({ length: size[0] }, (_, y) => y * dilations[0] * width);
  return dilations[1] === 1
    ? lines.map((line) => ({ offset: line * channels * 4, columns: size[1] * channels }))
    : lines.flatMap((line) =>
        Array.from({ length: size[1] }, (_, x) => ({
          offset: (line + x * dilations[1]) * channels * 4,
          columns: channels,
        })),
      );
}

/**
 * @param x `[batch, height, width, channels]`
 * @returns `[batch · count, size · channels]`, windows of an image line by line; and what it lies in, for the caller to release
 */
export function windowMatrix(
  backend: BackendWasm,
  x: TensorInfo,
  windows: Windows,
): { readonly matrix: Matrix; readonly image: TensorInfo } {
  const { count, strides, top, left } = windows;
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const before: Pair = [Math.max(0, top), Math.max(0, left)];
  const behind: Pair = [
    Math.max(0, reach(windows, 0) - top - height),
    Math.max(0, reach(windows, 1) - left - width),
  ];
  const whole = [...before, ...behind].every((zeros) => zeros === 0);
  const image = whole ? share(backend, x) : pad(backend, x, before, behind);
  const tall = before[0] + height + behind[0];
  const wide = before[1] + width + behind[1];
  const start =
    backend.getMemoryOffset(image.dataId) + ((before[0] - top) * wide + before[1] - left) * channels * 4;
  const steps = [tall * wide, strides[0] * wide, strides[1]].map((pixels) => pixels * channels * 4);
  const [imageBytes = 0, lineBytes = 0, windowBytes = 0] = steps;
  return {
    image,
    matrix: {
      rows: batch * count[0] * count[1],
      pieces: piecesOf(windows, wide, channels),
      locate(first, into) {
        let column = first % count[1];
        let line = Math.floor(first / count[1]);
        for (let i = 0; i < into.length; i += 1) {
          const inImage = Math.floor(line / count[0]);
          into[i] = start + inImage * imageBytes + (line % count[0]) * lineBytes + column * windowBytes;
          column += 1;
          if (column === count[1]) {
            column = 0;
            line += 1;
          }
        }
      },
    },
  };
}
