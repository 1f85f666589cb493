/** Sums and means over leading or inner axes, as gradients of biases and batch statistics are: the stock kernels turn them around first. */
import { backend_util, util } from '@tensorflow/tfjs-core';
import type { MeanAttrs, SumAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  add,
  block,
  countTo,
  f32,
  floats as four,
  get,
  i32,
  repeat,
  set,
  Variables,
  type AssembledFunction,
  type Code,
} from '../../core/assembly/assembler';
import { assembledIn, perMemory } from './assembled';
import { addressesOf, floats, replaceKernel, runStock, zeros, type KernelCall } from './heap';

/** Rows whose sum is added to the others' at once: sums of sums lose less. */
const ROWS = 256;

/** `addRows`: adds each of `rows` rows of `columns` floats, one behind the other, to the row at `to`. */
function addRows(): AssembledFunction & { readonly name: 'addRows' } {
  const [from, rows, columns, to] = [0, 1, 2, 3];
  const variables = new Variables(4);
  const column = variables.local('i32');
  const row = variables.local('i32');
  const at = variables.local('i32');
  const place = variables.local('i32');
  const vectors = variables.several(4, 'v128');
  const one = variables.local('f32');
  const bytes = (code: Code): Code => i32.mul(code, i32.of(4));
  const band = (width: number, start: Code, addOne: Code, store: Code): Code =>
    countTo(
      column,
      i32.and(get(columns), i32.of(-width)),
      width,
      block(
        start,
        set(at, i32.add(get(from), bytes(get(column)))),
        set(place, i32.add(get(to), bytes(get(column)))),
        set(row, i32.of(0)),
        repeat(
          block(addOne, add(at, bytes(get(columns))), add(row, i32.of(1))),
          i32.less(get(row), get(rows)),
        ),
        store,
      ),
    );
  const wide = (count: number): Code => {
    const used = vectors.slice(0, count);
    return band(
      count * 4,
      block(...used.map((sum) => set(sum, four.zero))),
      block(...used.map((sum, v) => set(sum, four.add(get(sum), four.load(get(at), v * 16))))),
      block(
        ...used.map((sum, v) =>
          four.store(get(place), four.add(four.load(get(place), v * 16), get(sum)), v * 16),
        ),
      ),
    );
  };
  const single = band(
    1,
    set(one, f32.zero),
    set(one, f32.add(get(one), f32.load(get(at)))),
    f32.store(get(place), f32.add(f32.load(get(place)), get(one))),
  );
  const body = block(wide(4), wide(1), single);
  return { name: 'addRows', parameters: ['i32', 'i32', 'i32', 'i32'], locals: variables.locals, body };
}

const functionsIn = perMemory(assembledIn(() => [addRows()]));

/**
 * Sums over neighbouring axes behind which there are others.
 *
 * @returns undefined where the axes are not such
 */
function sumRows(backend: BackendWasm, x: TensorInfo, attrs: SumAttrs): TensorInfo | undefined {
  const axes = util.parseAxisParam(attrs.axis, x.shape).toSorted((a, b) => a - b);
  const [first = 0] = axes;
  const end = first + axes.length;
  const neighbours = axes.every((axis, i) => axis === first + i);
  const columns = util.sizeFromShape(x.shape.slice(end));
  if (x.dtype !== 'float32' || axes.length === 0 || !neighbours || columns < 2) return undefined;
  const outer = util.sizeFromShape(x.shape.slice(0, first));
  const rows = util.sizeFromShape(x.shape.slice(first, end));
  const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const out = zeros(backend, attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept);
  const functions = functionsIn(backend);
  const [from = 0, to = 0] = addressesOf(backend, x, out);
  for (let i = 0; i < outer; i += 1)
    for (let row = 0; row < rows; row += ROWS)
      functions.addRows(
        from + (i * rows + row) * columns * 4,
        Math.min(ROWS, rows - row),
        columns,
        to + i * columns * 4,
      );
  return out;
}

function sum({ inputs, attrs, backend }: KernelCall<'x', SumAttrs>): TensorInfo {
  return sumRows(backend, inputs.x, attrs) ?? runStock('Sum', backend, inputs, attrs);
}

function mean({ inputs, attrs, backend }: KernelCall<'x', MeanAttrs>): TensorInfo {
  const out = sumRows(backend, inputs.x, attrs);
  if (out === undefined) return runStock('Mean', backend, inputs, attrs);
  const values = floats(backend, out);
  const count = util.sizeFromShape(inputs.x.shape) / values.length;
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] ?? 0) / count;
  return out;
}

export function installSums(): void {
  replaceKernel('Sum', sum);
  replaceKernel('Mean', mean);
}
