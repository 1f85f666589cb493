/** Sums and means over leading or inner axes, as gradients of biases and batch statistics are: the stock kernels turn them around first. */
import { backend_util, util } from '@tensorflow/tfjs-core';
import type { MeanAttrs, SumAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  add,
  f32,
  floats as four,
  get,
  i32,
  set,
  Variables,
  type AssembledFunction,
} from '../../core/assembly/assembler';
import { assembledIn, perMemory } from './assembled';
import { addColumnSums, bytesOf } from './columnSums';
import { addressesOf, floats, replaceKernel, runStock, zeros, type KernelCall } from './heap';

/** Rows whose sum is added to the others' at once: sums of sums lose less. */
const ROWS = 256;

/** `addRows`: adds each of `rows` rows of `columns` floats, one behind the other, to the row at `to`. */
function addRows(): AssembledFunction & { readonly name: 'addRows' } {
  const [from, rows, columns, to] = [0, 1, 2, 3];
  const variables = new Variables(4);
  const at = variables.local('i32');
  const body = addColumnSums(variables, {
    rows,
    columns,
    to,
    begin: (column) => set(at, i32.add(get(from), bytesOf(get(column)))),
    four: (bytes) => four.load(get(at), bytes),
    one: f32.load(get(at)),
    next: add(at, bytesOf(get(columns))),
  });
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
