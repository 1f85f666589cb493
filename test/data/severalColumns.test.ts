import { describe, expect, it } from 'vitest';
import { inputsOf, labelsOf, takeRows } from '../../src/data/dataset';
import { readModuleParts } from '../../src/data/moduleData';

/** Columns of several inputs and outputs in a data module. */

const read = async (x: unknown, y: unknown, classes?: unknown) =>
  (await readModuleParts({ train: { x, y, classes } }, '/data.mjs')).train;
const column = (values: number[], width = 1) => ({
  data: Float32Array.from(values),
  shape: [values.length / width, width],
});

describe('x and y of a data module', () => {
  it('are one column where there are numbers alone, however they are nested', async () => {
    for (const x of [
      [
        [1, 2],
        [3, 4],
      ],
      [Float32Array.of(1, 2), Float32Array.of(3, 4)],
      column([1, 2, 3, 4], 2),
    ]) {
      const rows = await read(x, [0, 1]);
      expect(rows.several).toBeUndefined();
      expect(rows.x.shape).toEqual([2]);
    }
  });

  it('are several in a list in which something has a shape', async () => {
    const rows = await read([column([1, 2, 3, 4], 2), [5, 6]], [column([0.5, 1.5]), [1, 0]]);
    expect(inputsOf(rows).map(({ shape, data }) => [shape, [...data]])).toEqual([
      [[2], [1, 2, 3, 4]],
      [[], [5, 6]],
    ]);
    expect(labelsOf(rows).map(({ kind }) => kind)).toEqual(['values', 'classes']);
    expect(rows.several?.inputNames).toBeUndefined();
  });

  it('or by name, one as well as many, with class counts by name', async () => {
    const rows = await read({ b: [[1], [2]] }, { kind: [0, 1], size: [0.5, 2] }, { kind: 5 });
    expect(rows.several?.inputNames).toEqual(['b']);
    expect(rows.several?.outputNames).toEqual(['kind', 'size']);
    expect(labelsOf(rows)[0]).toMatchObject({ kind: 'classes', classes: 5 });
  });

  it('keep their rows together when rows are chosen', async () => {
    const rows = await read(
      { a: [[1], [2], [3]], b: [[10], [20], [30]] },
      { c: [0, 1, 2], d: [0.5, 1.5, 2.5] },
    );
    const taken = takeRows(rows, Uint32Array.of(2, 0));
    expect(inputsOf(taken).map(({ data }) => [...data])).toEqual([
      [3, 1],
      [30, 10],
    ]);
    const [c, d] = labelsOf(taken);
    expect(c?.kind === 'classes' && [...c.ids]).toEqual([2, 0]);
    expect(d?.kind === 'values' && [...d.features.data]).toEqual([2.5, 0.5]);
  });
});
