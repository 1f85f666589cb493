/** Resizing as a product with a constant matrix along each axis; its gradient is the product with the transpose. */
import type { Graph, Value } from '../graph';
import { emitter, reshape, transpose, valueOf, type Emitter, type EmitterTable } from './emitter';

interface ResizeAttributes {
  readonly alignCorners: boolean;
  readonly halfPixelCenters?: boolean;
}

type Interpolate = (
  position: number,
  length: number,
  alignCorners: boolean,
) => readonly [index: number, weight: number][];

const bilinear: Interpolate = (position, length) => {
  const clamped = Math.min(Math.max(position, 0), length - 1);
  const low = Math.floor(clamped);
  const share = clamped - low;
  return [
    [low, 1 - share],
    [Math.min(length - 1, low + 1), share],
  ];
};

const nearest: Interpolate = (position, length, alignCorners) => {
  const index = alignCorners ? Math.round(position) : Math.floor(position);
  return [[Math.min(length - 1, Math.max(0, index)), 1]];
};

/** `[to, from]`: the weight of each original position in each new one. */
function resizeMatrix(
  from: number,
  to: number,
  attrs: ResizeAttributes,
  interpolate: Interpolate,
): Float32Array {
  const { alignCorners, halfPixelCenters = false } = attrs;
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const matrix = new Float32Array(to * from);
  for (let row = 0; row < to; row += 1) {
    // Nearest neighbour keeps the half pixel that it adds; bilinear takes it off again.
    const half = halfPixelCenters ? 0.5 : 0;
    const position = (row + half) * scale - (interpolate === bilinear ? half : 0);
    for (const [index, weight] of interpolate(position, from, alignCorners)) {
      const at = row * from + index;
      matrix[at] = (matrix[at] ?? 0) + weight;
    }
  }
  return matrix;
}

/** Multiplies along axis 1 and 2 of `[batch, height, width, channels]`. */
function multiplyAxes(graph: Graph, x: Value, rows: Value, columns: Value): Value {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const outHeight = rows.shape[0] ?? 1;
  const outWidth = columns.shape[0] ?? 1;
  const tall = reshape(graph, x, [batch, height, width * channels]);
  const resized = valueOf(graph.node('MatMul', [rows.name, tall.name]), [batch, outHeight, width * channels]);
  const wide = reshape(graph, resized, [batch * outHeight, width, channels]);
  const name = graph.node('MatMul', [columns.name, wide.name]);
  return reshape(graph, valueOf(name, [batch * outHeight, outWidth, channels]), [
    batch,
    outHeight,
    outWidth,
    channels,
  ]);
}

function matrices(
  graph: Graph,
  shape: readonly number[],
  outShape: readonly number[],
  attrs: ResizeAttributes,
  interpolate: Interpolate,
): [Value, Value] {
  const along = (axis: number): Value => {
    const from = shape[axis] ?? 1;
    const to = outShape[axis] ?? 1;
    return valueOf(graph.constant(resizeMatrix(from, to, attrs, interpolate), [to, from], 'float32'), [
      to,
      from,
    ]);
  };
  return [along(1), along(2)];
}

function forward(interpolate: Interpolate): Emitter {
  return emitter<'images', ResizeAttributes & { size: [number, number] }>((graph, { images }, attrs) => {
    const outShape = [0, ...attrs.size];
    return multiplyAxes(graph, images, ...matrices(graph, images.shape, outShape, attrs, interpolate));
  });
}

function backward(interpolate: Interpolate): Emitter {
  return emitter<'images' | 'dy', ResizeAttributes>((graph, { images, dy }, attrs) => {
    const [rows, columns] = matrices(graph, images.shape, dy.shape, attrs, interpolate);
    return multiplyAxes(graph, dy, transpose(graph, rows, [1, 0]), transpose(graph, columns, [1, 0]));
  });
}

export const resize: EmitterTable = {
  ResizeBilinear: forward(bilinear),
  ResizeBilinearGrad: backward(bilinear),
  ResizeNearestNeighbor: forward(nearest),
  ResizeNearestNeighborGrad: backward(nearest),
};
