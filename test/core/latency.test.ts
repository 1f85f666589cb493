import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/core/analysis';
import { NO_LIMITS } from '../../src/core/constraints';
import { BudgetController, LambdaController } from '../../src/core/controller';
import { allAlive, costModel, costsWith, latencyModel, marginalCosts, totalCost } from '../../src/core/cost';
import { readGraph } from '../../src/core/graph';
import {
  latencyAt,
  latencyAxes,
  smoothGrid,
  widthsToMeasure,
  type LatencyGrid,
} from '../../src/core/latency';
import type { Topology } from '../../src/core/topology';

/** 8 → a: 18 → b: 27 → 2, dense, with an activation layer behind a. */
const analysis = analyse(
  readGraph({
    class_name: 'Sequential',
    config: {
      name: 'm',
      layers: [
        { class_name: 'Dense', config: { name: 'a', units: 18, batch_input_shape: [null, 8] } },
        { class_name: 'Activation', config: { name: 'act', activation: 'relu' } },
        { class_name: 'Dense', config: { name: 'b', units: 27 } },
        { class_name: 'Dense', config: { name: 'out', units: 2 } },
      ],
    },
  } as unknown as Topology),
);

/** A table as if a call took what `time` says of its widths. */
function tableOf(time: (layer: string, counts: readonly number[]) => number): LatencyGrid[] {
  return analysis.calls.flatMap((call): LatencyGrid[] => {
    const widths = latencyAxes(analysis, call).map((ids) => widthsToMeasure(analysis, ids));
    const [rows, columns] = widths;
    if (rows === undefined) return [];
    const points = rows.flatMap((row) =>
      (columns ?? [undefined]).map((c) => (c === undefined ? [row] : [row, c])),
    );
    const ms = points.map((counts) => time(call.layer.name, counts));
    return [{ layer: call.layer.name, call: 0, widths, ms }];
  });
}

const positive = fc.double({ min: 0.01, max: 10, noNaN: true });

describe('times between measured widths', () => {
  it('are exact for what layers take: a fixed part, parts by width, a part by their product', () => {
    const width = fc.integer({ min: 1, max: 90 });
    fc.assert(
      fc.property(fc.tuple(positive, positive, positive, positive), width, width, ([a, b, c, d], i, j) => {
        const time = (x: number, y: number): number => a + b * x + c * y + d * x * y;
        const widths = [
          [10, 30, 90],
          [10, 30, 90],
        ];
        const ms = [10, 30, 90].flatMap((x) => [10, 30, 90].map((y) => time(x, y)));
        expect(latencyAt({ layer: '', call: 0, widths, ms }, [i, j])).toBeCloseTo(time(i, j), 6);
      }),
    );
  });

  it('lie on the lines between them otherwise, on one axis and where an axis stays', () => {
    const grid = { layer: '', call: 0, widths: [[2, 6, 10]], ms: [1, 3, 9] };
    expect([2, 4, 6, 8, 10, 1].map((width) => latencyAt(grid, [width]))).toEqual([1, 2, 3, 6, 9, 0.5]);
    // Not under 0, however steep it begins.
    expect(latencyAt({ ...grid, ms: [1, 9, 10] }, [1])).toBe(0);
    expect(latencyAt({ ...grid, widths: [[784], [2, 6, 10]] }, [784, 8])).toBe(6);
  });

  it('rise in every width once noise is taken out, and are no less than was measured', () => {
    const times = fc.array(fc.double({ min: 0.001, max: 5, noNaN: true }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(times, (ms) => {
        const widths = [
          [4, 12, 36],
          [3, 9, 27],
        ];
        const smooth = smoothGrid({ layer: '', call: 0, widths, ms });
        for (let i = 0; i < 3; i += 1)
          for (let j = 0; j < 3; j += 1) {
            const value = smooth.ms[3 * i + j] ?? 0;
            expect(value).toBeGreaterThanOrEqual(ms[3 * i + j] ?? 0);
            if (i > 0) expect(value).toBeGreaterThan(smooth.ms[3 * (i - 1) + j] ?? 0);
            if (j > 0) expect(value).toBeGreaterThan(smooth.ms[3 * i + j - 1] ?? 0);
          }
      }),
    );
  });
});

describe('latency as a cost', () => {
  const time = (layer: string, [x = 0, y = 0]: readonly number[]): number =>
    layer === 'act' ? 0.5 * x : layer === 'out' ? 3 + x : 1 + 2 * y + 0.1 * x * y;
  const table = tableOf(time);
  const model = latencyModel(analysis, table);

  it('knows what each layer reads and makes', () => {
    expect(table.map(({ layer, widths }) => [layer, widths])).toEqual([
      ['a', [[8], [2, 6, 18]]],
      ['act', [[2, 6, 18]]],
      [
        'b',
        [
          [2, 6, 18],
          [3, 9, 27],
        ],
      ],
      ['out', [[3, 9, 27], [2]]],
    ]);
  });

  it('adds the layers up, and charges a channel what is saved without it, at the widths that are left', () => {
    const at = (a: number, b: number): number =>
      time('a', [8, a]) + time('act', [a]) + time('b', [a, b]) + time('out', [b]);
    const alive = allAlive(analysis);
    const [hubA, hubB] = analysis.hubs;
    expect(totalCost(model, alive)).toBeCloseTo(at(18, 27), 9);
    const costs = marginalCosts(model, alive);
    expect(costs[hubA?.classes[0] ?? -1]).toBeCloseTo(at(18, 27) - at(17, 27), 9);
    expect(costs[hubB?.classes[0] ?? -1]).toBeCloseTo(at(18, 27) - at(18, 26), 9);
    for (const c of hubB?.classes.slice(0, 20) ?? []) alive[c] = 0;
    expect(totalCost(model, alive)).toBeCloseTo(at(18, 7), 9);
    expect(marginalCosts(model, alive)[hubA?.classes[0] ?? -1]).toBeCloseTo(at(18, 7) - at(17, 7), 9);
  });

  it('is the same of a network that has been collected', () => {
    const smaller = analyse(
      readGraph({
        class_name: 'Sequential',
        config: {
          name: 'm',
          layers: [
            { class_name: 'Dense', config: { name: 'a', units: 11, batch_input_shape: [null, 8] } },
            { class_name: 'Activation', config: { name: 'act', activation: 'relu' } },
            { class_name: 'Dense', config: { name: 'b', units: 5 } },
            { class_name: 'Dense', config: { name: 'out', units: 2 } },
          ],
        },
      } as unknown as Topology),
    );
    const alive = allAlive(analysis);
    for (const c of analysis.hubs[0]?.classes.slice(11) ?? []) alive[c] = 0;
    for (const c of analysis.hubs[1]?.classes.slice(5) ?? []) alive[c] = 0;
    expect(totalCost(latencyModel(smaller, table), allAlive(smaller))).toBeCloseTo(
      totalCost(model, alive),
      9,
    );
  });

  const reading = (score: number) => ({
    beta: new Float64Array(analysis.classCount).fill(1),
    score: new Float64Array(analysis.classCount).fill(score),
    fading: new Float64Array(analysis.classCount),
  });

  it('is what scores are divided by on the budget path, while sizes are parameters', () => {
    const slow = (layer: string): LatencyGrid[] =>
      tableOf((name, counts) => (name === layer ? 100 * (counts.at(-1) ?? 0) : 1));
    const fadingOf = (layer: string): (string | undefined)[] => {
      const params = costModel(analysis, 'params');
      const start = totalCost(params, allAlive(analysis));
      const controller = new BudgetController(
        1000,
        start,
        start / 10,
        () => NO_LIMITS,
        0,
        'latency',
        costsWith(slow(layer)),
      );
      const { fading } = controller.decide(400, analysis, params, allAlive(analysis), reading(1));
      const gone = allAlive(analysis);
      for (const c of fading) gone[c] = 0;
      // As many parameters as the schedule of sizes asks for, whatever they cost in time.
      expect(totalCost(params, gone)).toBeLessThan(0.65 * start);
      expect(totalCost(params, gone)).toBeGreaterThan(0.45 * start);
      return [...new Set(fading.map((c) => analysis.hubs.find((hub) => hub.classes.includes(c))?.name))];
    };
    expect(fadingOf('a')).toEqual(['a']);
    expect(fadingOf('b')).toEqual(['b']);
  });

  it('weighs a penalty, in units of the mean', () => {
    const controller = new LambdaController(
      0.1,
      () => 0.1,
      () => NO_LIMITS,
      'latency',
      costsWith(table),
    );
    const params = costModel(analysis, 'params');
    const alive = allAlive(analysis);
    const { threshold } = controller.decide(1, analysis, params, alive, reading(1));
    const costs = marginalCosts(model, alive);
    const classes = analysis.hubs.flatMap((hub) => [...hub.classes]);
    const mean = classes.reduce((sum, c) => sum + (costs[c] ?? 0), 0) / classes.length;
    for (const c of classes) expect(threshold[c]).toBeCloseTo(0.1 * Math.sqrt((costs[c] ?? 0) / mean), 9);
  });

  it('is refused where nothing was measured', () => {
    expect(() => costsWith(undefined)(analysis, 'latency')).toThrow('no latency was measured');
  });
});
