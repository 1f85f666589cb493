import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  add,
  assemble,
  block,
  countTo,
  f32,
  floats,
  get,
  i32,
  repeat,
  set,
  Variables,
  when,
  type Code,
} from '../../src/core/assembly/assembler';
import { webAssembly } from '../../src/core/assembly/webAssembly';

/** What is assembled is run: by V8, which also refuses what is no module. */

/** Runs a function of integers that writes floats, and reads the memory. */
function run(
  parameters: readonly number[],
  body: (variables: Variables) => Code,
  first: readonly number[] = [],
): Float32Array {
  const variables = new Variables(parameters.length);
  const code = body(variables);
  const memory = new webAssembly.Memory({ initial: 1 });
  new Float32Array(memory.buffer).set(first);
  const types = parameters.map(() => 'i32' as const);
  const bytes = assemble([{ name: 'run', parameters: types, locals: variables.locals, body: code }]);
  const { exports } = new webAssembly.Instance(new webAssembly.Module(bytes), { env: { memory } });
  (exports['run'] as (...values: number[]) => void)(...parameters);
  return new Float32Array(memory.buffer);
}

/** Runs a function of integers for the integer that it leaves at address 0. */
const integer = (parameters: readonly number[], value: Code): number => {
  // There is no store of integers: a loop counts floats up to it.
  const out = run(
    parameters,
    (variables) => {
      const at = variables.local('i32');
      return block(
        set(at, i32.of(0)),
        countTo(at, value, 1, f32.store(i32.of(0), f32.add(f32.load(i32.of(0)), f32.load(i32.of(4))))),
      );
    },
    [0, 1],
  );
  return out[0] ?? NaN;
};

const any = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const edges = fc.constantFrom(
  -(2 ** 31),
  -129,
  -128,
  -65,
  -64,
  -1,
  0,
  63,
  64,
  127,
  128,
  8191,
  8192,
  2 ** 31 - 1,
);

it('numbers are what they were, of any length', () => {
  fc.assert(
    fc.property(fc.oneof(any, edges), (value) => {
      // The difference from the same number as a parameter, which is not encoded.
      expect(integer([value], i32.sub(i32.of(value), get(0)))).toBe(0);
    }),
  );
});

it('integers are compared without a sign', () => {
  fc.assert(
    fc.property(fc.oneof(any, edges), fc.oneof(any, edges), (a, b) => {
      expect(integer([a, b], i32.less(get(0), get(1)))).toBe(a >>> 0 < b >>> 0 ? 1 : 0);
      const least = Math.min(a >>> 0, b >>> 0) | 0;
      expect(integer([a, b, least], i32.sub(i32.least(get(0), get(1)), get(2)))).toBe(0);
    }),
  );
});

it('offsets of any length are added to addresses', () => {
  for (const offset of [4, 124, 128, 132, 16_380, 16_384, 65_532]) {
    const memory = run(
      [8],
      () => f32.store(i32.sub(get(0), i32.of(8)), f32.load(get(0), 0), offset),
      [0, 0, 5],
    );
    expect(memory[offset / 4]).toBe(5);
    expect(memory.filter((value) => value !== 0)).toHaveLength(2);
  }
});

it('a condition takes one way or the other, or none', () => {
  const way = (parameter: number, otherwise: boolean): number | undefined =>
    run(
      [parameter],
      () =>
        when(
          get(0),
          f32.store(i32.of(0), f32.load(i32.of(4))),
          otherwise ? f32.store(i32.of(0), f32.load(i32.of(8))) : [],
        ),
      [0, 1, 2],
    )[0];
  expect([way(1, true), way(0, true), way(1, false), way(0, false)]).toEqual([1, 2, 1, 0]);
});

it('a count that is reached already runs nothing, a repetition runs once', () => {
  const up = f32.store(i32.of(0), f32.add(f32.load(i32.of(0)), f32.load(i32.of(4))));
  const counted = (end: number, step: number): number | undefined =>
    run([end], (variables) => countTo(variables.local('i32'), get(0), step, up), [0, 1])[0];
  expect([counted(0, 1), counted(1, 1), counted(7, 1), counted(7, 4), counted(8, 4)]).toEqual([
    0, 1, 7, 2, 2,
  ]);
  const repeated = run([3], () => repeat(block(up, add(0, i32.of(1))), i32.less(get(0), i32.of(3))), [0, 1]);
  expect(repeated[0]).toBe(1);
});

it('four floats are loaded, shuffled, spread and stored', () => {
  const first = Array.from({ length: 8 }, (_, i) => i + 1);
  const shuffled = run(
    [0],
    () =>
      floats.store(i32.of(64), floats.shuffle(floats.load(get(0)), floats.load(get(0), 16), [7, 0, 3, 4])),
    first,
  );
  expect([...shuffled.slice(16, 20)]).toEqual([8, 1, 4, 5]);
  const spread = run(
    [8],
    () => floats.store(i32.of(64), floats.mul(floats.loadSplat(get(0)), floats.load(i32.of(0)))),
    first,
  );
  expect([...spread.slice(16, 20)]).toEqual([3, 6, 9, 12]);
});
