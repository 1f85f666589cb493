import { describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import type { SequentialTopology } from '../../src/core/topology';
import { makePlan, readSource } from '../../src/language';
import { allSizes, hasWidths, resultAt, topologyAt } from '../../src/shell/results';
import { planRevert } from '../../src/shell/revert';
import { parsers } from '../language/support/parsers';
import { makeRun } from '../webview/support/madeRun';

const SOURCE = `import * as tf from '@tensorflow/tfjs';
export const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [8], units: 256 }), // wide
    tf.layers.dense({ units: 256 }),
    tf.layers.dense({ units: 3 }),
  ],
});
`;

function resultOf(layers: number): ResultEvent {
  const result = makeRun({ layers, epochs: 2, collections: 0 }).at(-1);
  if (result?.type !== 'result') throw new Error('a made run ends with its result');
  return result;
}

describe('another size of the path', () => {
  it('has its own widths and metrics', () => {
    const result = resultOf(2);
    const other = resultAt(result, 0);
    expect(other.layers[0]?.after).toBe(result.points[0]?.widths['layer1']);
    expect(other.params.after).toBe(result.points[0]?.params);
    expect(() => resultAt(result, 9)).toThrow(/no size number 10/);
  });

  it('is recognised by the widths that a source has', () => {
    const result = resultOf(2);
    const sizes = allSizes(result);
    expect(sizes).toHaveLength(result.points.length);
    expect(sizes[0]).toBe(result);
    const widths = Object.values(result.points[0]?.widths ?? {});
    const learned = { 0: widths[0] ?? 0, 1: widths[1] ?? 0 };
    expect(hasWidths([{ width: widths[0] ?? 0 }, { width: widths[1] ?? 0 }, { width: 3 }], learned)).toBe(
      true,
    );
    expect(hasWidths([{ width: widths[0] ?? 0 }, { width: 1 }], learned)).toBe(false);
    expect(hasWidths([], {})).toBe(false);
  });

  it('gives a topology its widths, nested models included, and leaves the given one alone', () => {
    const layer = (name: string) => ({ class_name: 'Dense', config: { name, units: 4 } });
    const compact: SequentialTopology = {
      class_name: 'Sequential',
      config: {
        name: 's',
        layers: [layer('a'), { class_name: 'Sequential', config: { name: 'inner', layers: [layer('b')] } }],
      },
    };
    const point = { ...resultOf(1).points[0], widths: { a: 7, 'inner/b': 9 } } as never;
    const text = JSON.stringify(topologyAt(compact, point));
    expect(text).toContain('"name":"a","units":7');
    expect(text).toContain('"name":"b","units":9');
    expect(JSON.stringify(compact)).not.toContain('7');
  });
});

describe('taking emitted widths back', () => {
  const setup = (emitted: string, more: Partial<ResultEvent> = {}) => {
    const all = parsers;
    const plan = makePlan(readSource(all, { file: '/w/model.ts', text: SOURCE }));
    const result: ResultEvent = {
      ...resultOf(3),
      layers: [
        { name: 'd1', site: null, siteId: 0, before: 256, after: 31 },
        { name: 'd2', site: null, siteId: 1, before: 256, after: 17 },
      ],
      ...more,
    };
    return planRevert(readSource(all, { file: '/w/model.ts', text: emitted }), plan, result);
  };
  const emitted = SOURCE.replace('units: 256', 'units: 31').replace('units: 256', 'units: 17');

  it('restores the source exactly', () => {
    expect(setup(emitted).after).toBe(SOURCE);
  });

  it('works after other edits, and leaves a width that was changed by hand', () => {
    const edited = `// mine\n${emitted.replace('units: 17', 'units: 99')}`;
    expect(setup(edited).after).toBe(
      `// mine\n${SOURCE.replace('units: 256 }),\n    tf.layers.dense({ units: 3', 'units: 99 }),\n    tf.layers.dense({ units: 3')}`,
    );
  });

  it('takes another size of the run back as well', () => {
    const other = SOURCE.replace('units: 256', 'units: 60').replace('units: 256', 'units: 50');
    const points = [
      { ...resultOf(3).points[0], widths: { d1: 60, d2: 50 } },
      { ...resultOf(3).points[0], widths: { d1: 31, d2: 17 } },
    ] as ResultEvent['points'];
    expect(setup(other, { points, chosen: 1 }).after).toBe(SOURCE);
  });

  it('refuses where there is nothing to take back, or layers changed', () => {
    expect(() => setup(SOURCE)).toThrow(/does not have the widths/);
    const fewer = emitted.replace(/ {4}tf.layers.dense\(\{ units: 3 \}\),\n/, '');
    expect(() => setup(fewer)).toThrow(/changed since/);
  });
});
