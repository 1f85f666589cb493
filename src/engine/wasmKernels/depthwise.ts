/** Gradients of depthwise convolution, which the stock backend lacks. Any channel multiplier. */
import { util } from '@tensorflow/tfjs-core';
import type {
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  add,
  block,
  countTo,
  f32,
  floats as four,
  get,
  i32,
  set,
  Variables,
  type AssembledFunction,
  type Code,
  type Variable,
} from '../../core/assembly/assembler';
import { assembledIn, perMemory } from './assembled';
import { addColumnSums, bytesOf } from './columnSums';
import { describeConvolution, windowsOf } from './conv2d';
import {
  addressesOf,
  release,
  replaceKernel,
  reserve,
  runStock,
  viewAs,
  zeros,
  type KernelCall,
} from './heap';
import { tile } from './repetition';
import { cropImages, layOut, padImages, type Layout } from './windows';

/** Windows whose addresses are written down at once; sums over them are added to the others'. */
const ROWS = 256;

/** The address of a window. */
const windowAt = (table: Variable, row: Variable): Code => i32.load(i32.add(get(table), bytesOf(get(row))));

/**
 * `addProducts`: `to[c] += Σ x[c] · dy[c]` over windows.
 *
 * Parameters: where the addresses of x lie; how many; bytes to add to each; dy, rows one behind the other; floats of a row; to.
 */
function addProducts(): AssembledFunction & { readonly name: 'addProducts' } {
  const [table, rows, offset, dy, columns, to] = [0, 1, 2, 3, 4, 5];
  const variables = new Variables(6);
  const x = variables.local('i32');
  const y = variables.local('i32');
  const body = addColumnSums(variables, {
    rows,
    columns,
    to,
    begin: (column) => set(y, i32.add(get(dy), bytesOf(get(column)))),
    enter: (row, column) => set(x, i32.add(windowAt(table, row), i32.add(get(offset), bytesOf(get(column))))),
    four: (bytes) => four.mul(four.load(get(x), bytes), four.load(get(y), bytes)),
    one: f32.mul(f32.load(get(x)), f32.load(get(y))),
    next: add(y, bytesOf(get(columns))),
  });
  return { name: 'addProducts', parameters: Array<'i32'>(6).fill('i32'), locals: variables.locals, body };
}

/**
 * `spreadProducts`: `x[c] += dy[c] · filter[c]` for every window.
 *
 * Parameters: as those of `addProducts`, with the filter's address as the last.
 */
function spreadProducts(): AssembledFunction & { readonly name: 'spreadProducts' } {
  const [table, rows, offset, dy, columns, filter] = [0, 1, 2, 3, 4, 5];
  const variables = new Variables(6);
  const column = variables.local('i32');
  const row = variables.local('i32');
  const x = variables.local('i32');
  const at = (base: number): Code => i32.add(get(base), get(column));
  const body = countTo(
    row,
    get(rows),
    1,
    block(
      set(x, i32.add(windowAt(table, row), get(offset))),
      set(column, i32.of(0)),
      countTo(
        column,
        i32.and(bytesOf(get(columns)), i32.of(-16)),
        16,
        four.store(at(x), four.add(four.load(at(x)), four.mul(four.load(at(dy)), four.load(at(filter))))),
      ),
      countTo(
        column,
        bytesOf(get(columns)),
        4,
        f32.store(at(x), f32.add(f32.load(at(x)), f32.mul(f32.load(at(dy)), f32.load(at(filter))))),
      ),
      add(dy, bytesOf(get(columns))),
    ),
  );
  const parameters = Array<'i32'>(6).fill('i32');
  return { name: 'spreadProducts', parameters, locals: variables.locals, body };
}

const functions = assembledIn(() => [addProducts(), spreadProducts()]);
const workshopIn = perMemory((memory, backend) => ({
  ...functions(memory),
  memory,
  table: reserve(backend, ROWS * 4),
}));

interface Geometry {
  readonly info: ReturnType<typeof describeConvolution>;
  readonly layout: Layout;
  /** Channels of the output; those of the input are repeated up to them. */
  readonly channels: number;
  readonly multiplier: number;
}

function geometryOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: DepthwiseConv2dNativeBackpropFilterAttrs | DepthwiseConv2dNativeBackpropInputAttrs,
): Geometry {
  const info = describeConvolution(inputShape, filterShape, attrs, true);
  const { batchSize, inHeight, inWidth, inChannels, outChannels } = info;
  return {
    info,
    layout: layOut(windowsOf(info), [batchSize, inHeight, inWidth, outChannels]),
    channels: outChannels,
    multiplier: outChannels / inChannels,
  };
}

/** Runs one of the functions for every element of the filter over all windows. */
function forEachElement(
  backend: BackendWasm,
  name: 'addProducts' | 'spreadProducts',
  { info, layout, channels }: Geometry,
  [image, dy, filter]: readonly [number, number, number],
): void {
  const shop = workshopIn(backend);
  const [, , wide = 1] = layout.shape;
  for (let first = 0; first < layout.rows; first += ROWS) {
    const rows = Math.min(ROWS, layout.rows - first);
    layout.locate(image, first, new Int32Array(shop.memory.buffer, shop.table, rows));
    for (let y = 0; y < info.filterHeight; y += 1)
      for (let x = 0; x < info.filterWidth; x += 1) {
        const offset = (y * info.dilationHeight * wide + x * info.dilationWidth) * channels * 4;
        const element = (y * info.filterWidth + x) * channels * 4;
        shop[name](shop.table, rows, offset, dy + first * channels * 4, channels, filter + element);
      }
  }
}

/**
 * @param inputs dy `[batch, outHeight, outWidth, in * multiplier]`, filter `[height, width, in, multiplier]`
 * @returns `[batch, height, width, in]`
 */
function inputGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<'dy' | 'filter', DepthwiseConv2dNativeBackpropInputAttrs>): TensorInfo {
  const { dy, filter } = inputs;
  const geometry = geometryOf(attrs.inputShape, filter.shape, attrs);
  const { layout, channels, multiplier } = geometry;
  const padded = zeros(backend, layout.shape);
  if (util.sizeFromShape(dy.shape) > 0) {
    const [image = 0, atDy = 0, atFilter = 0] = addressesOf(backend, padded, dy, filter);
    forEachElement(backend, 'spreadProducts', geometry, [image, atDy, atFilter]);
  }
  const repeated = cropImages(backend, padded, layout, [...attrs.inputShape.slice(0, -1), channels]);
  if (multiplier === 1) return repeated;
  const parts = viewAs(repeated, [...attrs.inputShape, multiplier]);
  const dx = runStock('Sum', backend, { x: parts }, { axis: [attrs.inputShape.length], keepDims: false });
  release(backend, repeated);
  return dx;
}

/**
 * @param inputs x `[batch, height, width, in]`, dy `[batch, outHeight, outWidth, in * multiplier]`
 * @returns `[height, width, in, multiplier]`
 */
function filterGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<'x' | 'dy', DepthwiseConv2dNativeBackpropFilterAttrs>): TensorInfo {
  const { x, dy } = inputs;
  const geometry = geometryOf(x.shape, attrs.filterShape, attrs);
  const { layout, channels, multiplier } = geometry;
  const out = zeros(backend, attrs.filterShape);
  if (util.sizeFromShape(dy.shape) === 0) return out;
  const column = viewAs(x, [util.sizeFromShape(x.shape), 1]);
  const tiled =
    multiplier === 1 ? undefined : tile({ inputs: { x: column }, attrs: { reps: [1, multiplier] }, backend });
  const repeated = tiled === undefined ? x : viewAs(tiled, [...x.shape.slice(0, -1), channels]);
  const image = padImages(backend, repeated, layout);
  const [atImage = 0, atDy = 0, atOut = 0] = addressesOf(backend, image, dy, out);
  forEachElement(backend, 'addProducts', geometry, [atImage, atDy, atOut]);
  release(backend, image);
  if (tiled !== undefined) release(backend, tiled);
  return out;
}

export function installDepthwise(): void {
  replaceKernel('DepthwiseConv2dNativeBackpropInput', inputGradient);
  replaceKernel('DepthwiseConv2dNativeBackpropFilter', filterGradient);
}
