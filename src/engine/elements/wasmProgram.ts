/** A program over elements as a WebAssembly function: one pass over memory, four floats at a time. */
import { OPERATIONS, type Program } from './program';
import { webAssembly, type WasmMemory, type WasmModule } from './webAssembly';

/** Bytes of the four floats that are computed at once; arrays are filled up to a multiple of them. */
export const LANES = 16;

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const SIMD = 0xfd;
const [GET, SET, CONST, ADD, LESS] = [0x20, 0x21, 0x41, 0x6a, 0x49];
const [LOOP, BRANCH_IF, END, EMPTY] = [0x03, 0x0d, 0x0b, 0x40];
const [LOAD, STORE, SPLAT] = [0x00, 0x0b, 0x13];

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

const simd = (instruction: number): number[] => [SIMD, ...leb(instruction)];
const list = (entries: readonly (readonly number[])[]): number[] => [
  ...leb(entries.length),
  ...entries.flat(),
];
const text = (value: string): number[] => list(Array.from(value, (letter) => [letter.charCodeAt(0)]));
const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];

/** Loops over all elements. Parameters: bytes of an array, addresses of the arrays, numbers. */
function body({ arrays, numbers, items, stores }: Program): number[] {
  const address = (array: number): number => 1 + array;
  const parameters = 1 + arrays + numbers;
  const offset = parameters;
  const local = (item: number): number => offset + 1 + item;
  const get = (index: number): number[] => [GET, ...leb(index)];
  const set = (index: number): number[] => [SET, ...leb(index)];
  const at = (array: number): number[] => [...get(address(array)), ...get(offset), ADD];
  // Aligned to 16 bytes (2 to the 4th), nothing added to the address.
  const memory = (instruction: number): number[] => [...simd(instruction), 4, 0];
  const code: number[] = [];
  items.forEach((item, i) => {
    if (item.kind === 'number') code.push(...get(1 + arrays + item.number), ...simd(SPLAT), ...set(local(i)));
  });
  code.push(LOOP, EMPTY);
  items.forEach((item, i) => {
    if (item.kind === 'array') code.push(...at(item.array), ...memory(LOAD), ...set(local(i)));
    if (item.kind === 'result')
      code.push(
        ...item.of.flatMap((of) => get(local(of))),
        ...simd(OPERATIONS[item.operation]),
        ...set(local(i)),
      );
  });
  for (const { array, item } of stores) code.push(...at(array), ...get(local(item)), ...memory(STORE));
  code.push(...get(offset), CONST, ...leb(LANES), ADD, ...set(offset));
  code.push(...get(offset), ...get(0), LESS, BRANCH_IF, 0, END, END);
  return sized([
    ...list([
      [1, I32],
      [...leb(items.length), V128],
    ]),
    ...code,
  ]);
}

function moduleOf(program: Program): Uint8Array<ArrayBuffer> {
  const { arrays, numbers } = program;
  const parameters = [I32, ...Array<number>(arrays).fill(I32), ...Array<number>(numbers).fill(F32)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, ...sized(parameters), 0]])),
    ...section(2, list([[...text('env'), ...text('memory'), 0x02, 0x00, 0x00]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text('run'), 0x00, 0]])),
    ...section(10, list([body(program)])),
  ]);
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
