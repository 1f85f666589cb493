/** A row (a bias, a scale, a mean) with every row of a tensor: the stock kernels work out each element's place. */
import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
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
} from '../../core/assembly/assembler';
import { OPERATIONS as FOUR } from '../elements/program';
import { assembledIn, perMemory } from './assembled';
import { bytesOf } from './columnSums';
import { addressesOf, replaceKernel, runStock, type KernelCall } from './heap';

/** Kernels by name, with the instruction for one float and that behind the SIMD prefix for four. */
const OPERATIONS = {
  Add: { one: 0x92, four: FOUR.Add },
  Sub: { one: 0x93, four: FOUR.Sub },
  Multiply: { one: 0x94, four: FOUR.Mul },
  RealDiv: { one: 0x95, four: FOUR.Div },
} as const;
type Operation = keyof typeof OPERATIONS;

/** `out[r, c] = x[r, c] ∘ row[c]`, rows one behind the other. */
function withRow(name: Operation): AssembledFunction & { readonly name: Operation } {
  const [x, row, out, rows, columns] = [0, 1, 2, 3, 4];
  const variables = new Variables(5);
  const [r, c] = [variables.local('i32'), variables.local('i32')];
  const { one, four: vector } = OPERATIONS[name];
  const at = (base: number): Code => i32.add(get(base), get(c));
  const bytes = bytesOf(get(columns));
  const body = countTo(
    r,
    get(rows),
    1,
    block(
      set(c, i32.of(0)),
      countTo(
        c,
        i32.and(bytes, i32.of(-16)),
        16,
        four.store(at(out), four.compute(vector, four.load(at(x)), four.load(at(row)))),
      ),
      countTo(c, bytes, 4, f32.store(at(out), f32.compute(one, f32.load(at(x)), f32.load(at(row))))),
      add(x, bytes),
      add(out, bytes),
    ),
  );
  return { name, parameters: Array<'i32'>(5).fill('i32'), locals: variables.locals, body };
}

const names = Object.keys(OPERATIONS) as Operation[];
const functionsIn = perMemory(assembledIn(() => names.map(withRow)));

/** Whether `row` lies under the innermost axes of `x`, and something else above it. */
function isRowOf(row: TensorInfo, x: TensorInfo): boolean {
  const inner = row.shape.slice(row.shape.findIndex((length) => length !== 1));
  const columns = util.sizeFromShape(row.shape);
  return (
    columns > 1 &&
    columns < util.sizeFromShape(x.shape) &&
    row.shape.length <= x.shape.length &&
    util.arraysEqual(inner, x.shape.slice(-inner.length))
  );
}

function rowwise(name: Operation) {
  return ({ inputs, backend }: KernelCall<'a' | 'b', undefined>): TensorInfo => {
    const { a, b } = inputs;
    const turned = (name === 'Add' || name === 'Multiply') && isRowOf(a, b);
    const [x, row] = turned ? [b, a] : [a, b];
    if (a.dtype !== 'float32' || b.dtype !== 'float32' || !isRowOf(row, x))
      return runStock(name, backend, inputs);
    const out = backend.makeOutput(x.shape, 'float32');
    const columns = util.sizeFromShape(row.shape);
    const [fromX = 0, fromRow = 0, to = 0] = addressesOf(backend, x, row, out);
    functionsIn(backend)[name](fromX, fromRow, to, util.sizeFromShape(x.shape) / columns, columns);
    return out;
  };
}

export function installRowwise(): void {
  for (const name of names) replaceKernel(name, rowwise(name));
}
