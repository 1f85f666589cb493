/** The windows of a 2D convolution as a matrix: one row a window, its columns in the order of a filter's. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { floats, release, share, zeros } from './heap';
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

/** Where windows lie in images with zeros around them. */
export interface Layout {
  /** `[batch, height, width, channels]` with the zeros. */
  readonly shape: number[];
  /** Zeros before the image, and whether there are any at all. */
  readonly before: Pair;
  readonly isPadded: boolean;
  /** Bytes from the padded image's beginning to the first window. */
  readonly start: number;
  /** Windows of all images. */
  readonly rows: number;
  /** Writes the addresses of windows from `first` on, line by line, in an image at `address`. */
  readonly locate: (address: number, first: number, into: Int32Array) => void;
}

/** @param shape of the images without zeros, `[batch, height, width, channels]` */
export function layOut(windows: Windows, shape: readonly number[]): Layout {
  const { count, strides, top, left } = windows;
  const [batch = 1, height = 1, width = 1, channels = 1] = shape;
  const before: Pair = [Math.max(0, top), Math.max(0, left)];
  const behind: Pair = [
    Math.max(0, reach(windows, 0) - top - height),
    Math.max(0, reach(windows, 1) - left - width),
  ];
  const tall = before[0] + height + behind[0];
  const wide = before[1] + width + behind[1];
  const start = ((before[0] - top) * wide + before[1] - left) * channels * 4;
  const steps = [tall * wide, strides[0] * wide, strides[1]].map((pixels) => pixels * channels * 4);
  const [imageBytes = 0, lineBytes = 0, windowBytes = 0] = steps;
  return {
    shape: [batch, tall, wide, channels],
    before,
    isPadded: [...before, ...behind].some((zeros) => zeros > 0),
    start,
    rows: batch * count[0] * count[1],
    locate(address, first, into) {
      let column = first % count[1];
      let line = Math.floor(first / count[1]);
      for (let i = 0; i < into.length; i += 1) {
        const image = Math.floor(line / count[0]);
        into[i] = address + start + image * imageBytes + (line % count[0]) * lineBytes + column * windowBytes;
        column += 1;
        if (column === count[1]) {
          column = 0;
          line += 1;
        }
      }
    },
  };
}

/** Copies images between a tensor and one with zeros around them. */
function copyImages(
  backend: BackendWasm,
  image: TensorInfo,
  padded: TensorInfo,
  before: Pair,
  intoPadded: boolean,
): void {
  const [batch = 1, height = 1, width = 1, channels = 1] = image.shape;
  const [, tall = 1, wide = 1] = padded.shape;
  const inner = floats(backend, image);
  const outer = floats(backend, padded);
  const row = width * channels;
  for (let line = 0; line < batch * height; line += 1) {
    const y = Math.floor(line / height) * tall + before[0] + (line % height);
    const at = (y * wide + before[1]) * channels;
    if (intoPadded) outer.set(inner.subarray(line * row, (line + 1) * row), at);
    else inner.set(outer.subarray(at, at + row), line * row);
  }
}

/** The images with the zeros that windows reach, or the images themselves; the caller releases them. */
export function padImages(backend: BackendWasm, x: TensorInfo, layout: Layout): TensorInfo {
  if (!layout.isPadded) return share(backend, x);
  const padded = zeros(backend, layout.shape);
  copyImages(backend, x, padded, layout.before, true);
  return padded;
}

/** What lies in padded images without the padding, which is released. */
export function cropImages(
  backend: BackendWasm,
  padded: TensorInfo,
  layout: Layout,
  shape: number[],
): TensorInfo {
  if (!layout.isPadded) return padded;
  const out = backend.makeOutput(shape, 'float32');
  copyImages(backend, out, padded, layout.before, false);
  release(backend, padded);
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
  const layout = layOut(windows, x.shape);
  const image = padImages(backend, x, layout);
  const address = backend.getMemoryOffset(image.dataId);
  const [, , wide = 1, channels = 1] = layout.shape;
  return {
    image,
    matrix: {
      rows: layout.rows,
      pieces: piecesOf(windows, wide, channels),
      locate: (first, into) => {
        layout.locate(address, first, into);
      },
    },
  };
}
