import { describe, expect, it } from 'vitest';
import type { Dataset, Features } from '../../src/data/dataset';
import { fitInputs } from '../../src/train/fitInput';

/** Two rows that count from 0. */
function rowsOf(shape: readonly number[]): Dataset<Features> {
  const size = shape.reduce((product, length) => product * length, 1);
  const x = { shape, data: Uint8Array.from({ length: 2 * size }, (_, i) => i), scale: 1 };
  const part = { count: 2, x, y: { kind: 'classes' as const, ids: Int32Array.of(0, 1), classes: 2 } };
  return { train: part, validation: part, test: part, notes: [] };
}

function fitted(
  given: readonly number[],
  wanted: readonly (number | null)[],
  axes: 'channels-first' | 'channels-last' | undefined,
): { shape: readonly number[]; data: number[]; notes: string[] } {
  const notes: string[] = [];
  const { test } = fitInputs(rowsOf(given), [{ shape: wanted }], axes, notes);
  return { shape: test.x.shape, data: [...test.x.data], notes };
}

const INTERLEAVED = [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15];
const AS_GIVEN = Array.from({ length: 16 }, (_, i) => i);

describe('rows of a channels-first source', () => {
  it('are transposed, with a note', () => {
    const { shape, data, notes } = fitted([2, 2, 2], [2, 2, 2], 'channels-first');
    expect([shape, data]).toEqual([[2, 2, 2], INTERLEAVED]);
    expect(notes).toEqual(['rows of shape [2, 2, 2] are transposed to [2, 2, 2] for training']);
  });

  it('are transposed where the size of the picture is not known', () => {
    expect(fitted([2, 1, 4], [null, null, 2], 'channels-first')).toMatchObject({
      shape: [1, 4, 2],
      data: INTERLEAVED,
    });
  });

  it('may lack the axis of grey pictures', () => {
    expect(fitted([2, 4], [2, 4, 1], 'channels-first')).toMatchObject({ shape: [2, 4, 1], data: AS_GIVEN });
  });

  it('are in the author’s order where they are flat', () => {
    expect(fitted([8], [2, 2, 2], 'channels-first').data).toEqual(INTERLEAVED);
  });

  it('stay as they are for a flat input', () => {
    expect(fitted([2, 2, 2], [8], 'channels-first')).toMatchObject({ shape: [8], data: AS_GIVEN });
  });

  it('may be channels last already', () => {
    const { data, notes } = fitted([1, 4, 2], [1, 4, 2], 'channels-first');
    expect(data).toEqual(AS_GIVEN);
    expect(notes[0]).toContain('channels last already');
  });

  it('are refused in the author’s words where they do not fit', () => {
    expect(() => fitted([2, 5], [1, 4, 2], 'channels-first')).toThrow(
      "The rows of the data have shape [2, 5], but the model's input is [2, 1, 4]",
    );
  });
});

it.each(['channels-last', undefined] as const)('leaves rows alone otherwise (%s)', (axes) => {
  expect(fitted([2, 2, 2], [2, 2, 2], axes)).toEqual({ shape: [2, 2, 2], data: AS_GIVEN, notes: [] });
});
