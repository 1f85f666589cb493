import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunView } from '../../src/shell/runView';
import { Series } from '../../src/shell/series';
import { BATCH_SIZE, makeRun } from '../webview/support/madeRun';

describe('a series', () => {
  it('keeps the first and the last row, rows evenly spaced, and never many more than its limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 2000 }), (limit, count) => {
        const series = new Series<number>(limit);
        for (let i = 0; i < count; i += 1) series.push(i);
        const all = series.all;
        expect(all[0]).toBe(0);
        expect(all.at(-1)).toBe(count - 1);
        expect(all.length).toBeLessThanOrEqual(limit + 1);
        all.slice(0, series.length).forEach((value, i) => expect(value).toBe(i * series.step));
      }),
    );
  });

  it('tells a reader who follows by parts the same as one who reads it whole', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }), (parts) => {
        const series = new Series<number>(16);
        let next = 0;
        let read: number[] = [];
        let last: number | null = null;
        let sent = { length: 0, step: 1 };
        for (const part of parts) {
          for (let i = 0; i < part; i += 1) series.push(next++);
          const delta = series.from(series.step === sent.step ? sent.length : 0);
          sent = { length: series.length, step: series.step };
          read = [...read.slice(0, delta.from), ...delta.rows];
          last = delta.last;
        }
        expect(last === null ? read : [...read, last]).toEqual(series.all);
      }),
    );
  });
});

describe('a view of a run', () => {
  const replay = (...args: Parameters<typeof makeRun>): RunView => {
    const view = new RunView(BATCH_SIZE);
    for (const event of makeRun(...args)) view.take(event);
    return view;
  };

  it('places collections between the epochs', () => {
    const view = replay({ layers: 2, epochs: 3, collections: 1 });
    expect(view.widths.all.map((row) => row.x)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3]);
  });

  it('ends with the widths, points and choice of the result', () => {
    const view = replay({ layers: 3, epochs: 4, collections: 0 });
    expect(view.state).toBe('done');
    expect(view.points.map((point) => point.kind)).toEqual(['start', 'size', 'size', 'size']);
    expect(view.points.map((point) => point.epochs)).toEqual([2, 4, 4, 4]);
    expect(view.chosen).toBe(3);
    expect(view.learnedWidths).toEqual(
      Object.fromEntries(view.result?.layers.map((l) => [l.name, l.after]) ?? []),
    );
  });

  it('thins out a run of many layers and events, and still ends at the newest widths', () => {
    const view = replay({ layers: 200, epochs: 500, collections: 4, finished: false });
    expect(view.events).toBe(2504);
    expect(view.widths.length).toBeLessThanOrEqual(121);
    expect(view.widths.all.at(-1)?.x).toBe(500);
    expect(view.state).toBe('running');
  });
});
