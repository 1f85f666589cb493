/** A program over elements as a WebAssembly function: one pass over memory, four floats at a time. */
import {
  add,
  assemble,
  block,
  floats,
  get,
  i32,
  repeat,
  set,
  Variables,
  type Code,
  type ValueType,
} from '../../core/assembly/assembler';
import { webAssembly, type WasmMemory, type WasmModule } from '../../core/assembly/webAssembly';
import { OPERATIONS, type Program } from './program';

/** Bytes of the four floats that are computed at once; arrays are filled up to a multiple of them. */
export const LANES = 16;

/** Loops over all elements. Parameters: bytes of an array, addresses of the arrays, numbers. */
function moduleOf({ arrays, numbers, items, stores }: Program): Uint8Array<ArrayBuffer> {
  const parameters: ValueType[] = [
    'i32',
    ...Array<ValueType>(arrays).fill('i32'),
    ...Array<ValueType>(numbers).fill('f32'),
  ];
  const bytes = 0;
  const variables = new Variables(parameters.length);
  const offset = variables.local('i32');
  const locals = items.map(() => variables.local('v128'));
  const local = (item: number): number => locals[item] ?? 0;
  const at = (array: number): Code => i32.add(get(1 + array), get(offset));
  const splats = items.flatMap((item, i) =>
    item.kind === 'number' ? [set(local(i), floats.splat(get(1 + arrays + item.number)))] : [],
  );
  const computed = items.flatMap((item, i) => {
    if (item.kind === 'array') return [set(local(i), floats.load(at(item.array)))];
    if (item.kind === 'number') return [];
    const of = item.of.map((other) => get(local(other)));
    return [set(local(i), floats.compute(OPERATIONS[item.operation], ...of))];
  });
  const stored = stores.map(({ array, item }) => floats.store(at(array), get(local(item))));
  const body = block(
    ...splats,
    repeat(block(...computed, ...stored, add(offset, i32.of(LANES))), i32.less(get(offset), get(bytes))),
  );
  return assemble([{ name: 'run', parameters, locals: variables.locals, body }]);
}

const modules = new WeakMap<Program, WasmModule>();

/** Runs the program in a memory. @param bytes of one array, a multiple of {@link LANES} and more than 0 */
export type RunProgram = (bytes: number, addresses: readonly number[], numbers: readonly number[]) => void;

export function compileProgram(program: Program, memory: WasmMemory): RunProgram {
  const compiled = modules.get(program) ?? new webAssembly.Module(moduleOf(program));
  modules.set(program, compiled);
  const instance = new webAssembly.Instance(compiled, { env: { memory } });
  const run = instance.exports['run'] as (...values: number[]) => void;
  return (bytes, addresses, numbers) => run(bytes, ...addresses, ...numbers);
}
