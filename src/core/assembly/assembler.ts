/**
 * WebAssembly written in TypeScript: functions that return the bytes of an instruction, with its operands before it.
 * What they are: https://webassembly.github.io/spec/core/binary/instructions.html
 */

/** Bytes that leave a value, or that do something. */
export type Code = readonly number[];
/** The number of a parameter or a local variable. */
export type Variable = number;

export const TYPES = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof TYPES;

const SIMD = 0xfd;
const [LOOP, IF, ELSE, END, BRANCH_IF, EMPTY] = [0x03, 0x04, 0x05, 0x0b, 0x0d, 0x40];

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** Signed LEB128. */
function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    if (rest >= -0x40 && rest < 0x40) return [...bytes, rest & 0x7f];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

export const get = (variable: Variable): Code => [0x20, ...leb(variable)];
export const set = (variable: Variable, value: Code): Code => [...value, 0x21, ...leb(variable)];

export const i32 = {
  of: (value: number): Code => [0x41, ...signedLeb(value)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x6a],
  sub: (a: Code, b: Code): Code => [...a, ...b, 0x6b],
  mul: (a: Code, b: Code): Code => [...a, ...b, 0x6c],
  and: (a: Code, b: Code): Code => [...a, ...b, 0x71],
  /** Of unsigned numbers, as addresses are. */
  less: (a: Code, b: Code): Code => [...a, ...b, 0x49],
  /** The lesser of two unsigned numbers. */
  least: (a: Code, b: Code): Code => [...a, ...b, ...a, ...b, 0x49, 0x1b],
  load: (address: Code, offset = 0): Code => [...address, 0x28, 2, ...leb(offset)],
} as const;

/** Where a float lies: need not be aligned. */
export const f32 = {
  load: (address: Code, offset = 0): Code => [...address, 0x2a, 0, ...leb(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x38, 0, ...leb(offset)],
  /** @param instruction of two floats */
  compute: (instruction: number, a: Code, b: Code): Code => [...a, ...b, instruction],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x92],
  mul: (a: Code, b: Code): Code => [...a, ...b, 0x94],
  zero: [0x43, 0, 0, 0, 0] as Code,
} as const;

/** Instructions on vectors, as numbers behind the SIMD prefix. */
export const SIMD_INSTRUCTIONS = {
  /** Eight integers of two bytes from the first or last eight bytes, four integers from those; none is below 0. */
  widenBytes: [0x89, 0x8a],
  widenShorts: [0xa9, 0xaa],
  /** Two doubles from the first two integers. */
  doublesOfIntegers: 0xfe,
  splatDouble: 0x14,
  multiplyDoubles: 0xf2,
  /** Two floats, rounded, before two zeros. */
  floatsOfDoubles: 0x5e,
  and: 0x4e,
  or: 0x50,
  /** Bits of the first where the third has ones, of the second elsewhere. */
  choose: 0x52,
  splatByte: 0x0f,
  /** All ones where bytes, or integers of four, differ. */
  bytesDiffer: 0x24,
  integersDiffer: 0x38,
  /** Eight integers of two bytes from two times four, sixteen bytes from two times eight; what is too large or small is cut. */
  narrowIntegers: 0x85,
  narrowShorts: 0x65,
} as const;

const simd = (instruction: number): Code => [SIMD, ...leb(instruction)];

/** Four floats at once. */
export const floats = {
  /** @param instruction the part behind the SIMD prefix */
  compute: (instruction: number, ...of: readonly Code[]): Code => [...of.flat(), ...simd(instruction)],
  add: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe4)],
  mul: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe6)],
  splat: (value: Code): Code => [...value, ...simd(0x13)],
  load: (address: Code, offset = 0): Code => [...address, ...simd(0x00), 0, ...leb(offset)],
  /** Four bytes of the memory before twelve zeros. */
  load32: (address: Code, offset = 0): Code => [...address, ...simd(0x5c), 0, ...leb(offset)],
  /** One float of the memory in all four places. */
  loadSplat: (address: Code, offset = 0): Code => [...address, ...simd(0x09), 0, ...leb(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x0b),
    0,
    ...leb(offset),
  ],
  zero: [...simd(0x0c), ...Array<number>(16).fill(0)] as Code,
  /** @param places four of 0 to 7: of `a` below 4, of `b` from there */
  shuffle: (a: Code, b: Code, places: readonly number[]): Code => [
    ...a,
    ...b,
    ...simd(0x0d),
    ...places.flatMap((place) => [0, 1, 2, 3].map((byte) => place * 4 + byte)),
  ],
} as const;

export const block = (...parts: readonly Code[]): Code => parts.flat();

export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  ...condition,
  IF,
  EMPTY,
  ...then,
  ...(otherwise.length > 0 ? [ELSE, ...otherwise] : []),
  END,
];

/** Runs the body, and again as long as the condition holds. */
export const repeat = (body: Code, condition: Code): Code => [
  LOOP,
  EMPTY,
  ...body,
  ...condition,
  BRANCH_IF,
  0,
  END,
];

/** Counts `index` up by `step` from where it is, while it is below `end`. */
export function countTo(index: Variable, end: Code, step: number, body: Code): Code {
  const below = i32.less(get(index), end);
  return when(below, repeat(block(body, add(index, i32.of(step))), below));
}

/** Adds to an integer variable. */
export const add = (variable: Variable, value: Code): Code => set(variable, i32.add(get(variable), value));

/** A function of a module, under the name that it is exported by. */
export interface AssembledFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

/** Numbers a function's variables: its parameters first. */
export class Variables {
  readonly locals: ValueType[] = [];
  readonly #parameters: number;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  local(type: ValueType): Variable {
    return this.#parameters + this.locals.push(type) - 1;
  }

  /** Several of one type. */
  several(count: number, type: ValueType): Variable[] {
    return Array.from({ length: count }, () => this.local(type));
  }
}

const list = (entries: readonly Code[]): number[] => [...leb(entries.length), ...entries.flat()];
const text = (value: string): number[] => list(Array.from(value, (letter) => [letter.charCodeAt(0)]));
const sized = (bytes: Code): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, bytes: Code): number[] => [id, ...sized(bytes)];

/** A module that works in the memory `env.memory`. */
export function assemble(functions: readonly AssembledFunction[]): Uint8Array<ArrayBuffer> {
  const typeOf = ({ parameters }: AssembledFunction): Code => [
    0x60,
    ...list(parameters.map((type) => [TYPES[type]])),
    0,
  ];
  const bodyOf = ({ locals, body }: AssembledFunction): Code =>
    sized([...list(locals.map((type) => [1, TYPES[type]])), ...body, END]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(functions.map(typeOf))),
    ...section(2, list([[...text('env'), ...text('memory'), 0x02, 0x00, 0x00]])),
    ...section(3, list(functions.map((_, i) => leb(i)))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0x00, ...leb(i)]))),
    ...section(10, list(functions.map(bodyOf))),
  ]);
}
