import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fillRows } from '../../src/data/dataset';

/** Bytes become the floats that they are in double precision, rounded once. */
function check(rows: number, size: number, scale: number, indices: readonly number[], inside: number): void {
  const bytes = Uint8Array.from({ length: rows * size + inside }, (_, i) => (i * 7919 + (i >> 8)) % 256);
  // As files are read: a Buffer somewhere inside of a larger one.
  const data = Buffer.from(bytes.buffer, inside, rows * size);
  const into = new Float32Array(indices.length * size + 1).fill(-1);
  fillRows({ shape: [size], data, scale }, indices, into.subarray(0, indices.length * size));
  const expected = indices.flatMap((row) =>
    Array.from(data.subarray(row * size, (row + 1) * size), (value) => Math.fround(value * scale)),
  );
  expect(into).toEqual(Float32Array.of(...expected, -1));
}

it('is exact for rows of any size, in any order, again and again', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 9 })
        .chain((rows) =>
          fc.tuple(
            fc.constant(rows),
            fc.integer({ min: 1, max: 900 }),
            fc.constantFrom(1, 1 / 255, 0.1, 3, -2.5, 1e-30),
            fc.array(fc.nat(rows - 1), { maxLength: 30 }),
            fc.nat(20),
          ),
        ),
      ([rows, size, scale, indices, inside]) => {
        check(rows, size, scale, indices, inside);
      },
    ),
    { numRuns: 200 },
  );
});

it.each([16383, 16384, 16385, 40000])(
  'is exact for rows of %i bytes, more than are converted at once',
  (size) => {
    check(3, size, 1 / 255, [2, 0, 2], 5);
  },
);
