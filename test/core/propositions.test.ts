import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalSamples, seededRandom, type Random } from '../../src/core/random';

/** Propositions A.1 to A.4 of the draft on small problems, in double precision. */

/** Rows of numbers. */
type Matrix = number[][];

const seeds = fc.noBias(fc.nat(0x7fffffff));
const sizes = fc.record({
  n: fc.integer({ min: 1, max: 4 }),
  p: fc.integer({ min: 1, max: 5 }),
  seed: seeds,
});
const lambdas = fc.double({ min: 0.01, max: 5, noNaN: true });

const vector = (length: number, random: Random): number[] => [...normalSamples(length, random)];
const matrix = (rows: number, columns: number, random: Random): Matrix =>
  Array.from({ length: rows }, () => vector(columns, random));
const times = (a: Matrix, x: readonly number[]): number[] =>
  a.map((row) => row.reduce((sum, v, j) => sum + v * (x[j] ?? 0), 0));
/** A diag(β). */
const scaleColumns = (a: Matrix, beta: readonly number[]): Matrix =>
  a.map((row) => row.map((v, j) => v * (beta[j] ?? 0)));
const column = (a: Matrix, j: number): number[] => a.map((row) => row[j] ?? 0);
const norm = (values: readonly number[]): number => Math.hypot(...values);
const columnNorms = (a: Matrix): number[] => (a[0] ?? []).map((_, j) => norm(column(a, j)));
const l1 = (values: readonly number[]): number => values.reduce((sum, v) => sum + Math.abs(v), 0);
const squaredError = (y: readonly number[], out: readonly number[]): number =>
  y.reduce((sum, v, i) => sum + (v - (out[i] ?? 0)) ** 2, 0);

/** eq. 8 with eq. 6. */
const groupObjective = (a: Matrix, x: number[], y: number[], lambda: number): number =>
  squaredError(y, times(a, x)) + lambda * l1(columnNorms(a));
/** eq. 7 with eq. 3. */
const shrinkObjective = (a: Matrix, beta: number[], x: number[], y: number[], lambda: number): number =>
  squaredError(y, times(scaleColumns(a, beta), x)) + lambda * l1(beta);

/** Splits A into columns of norm 1 and β. @param betaOf from a column's norm */
function split(a: Matrix, betaOf: (norm: number) => number): { unit: Matrix; beta: number[] } {
  const beta = columnNorms(a).map(betaOf);
  return { unit: a.map((row) => row.map((v, j) => v / (beta[j] ?? 1))), beta };
}

describe('Proposition A.1: group sparsity is ShrinkNet with every column of A at norm 1', () => {
  it('gives every A a pair (A′, β) of the same value, β_j being the norm of its column', () => {
    fc.assert(
      fc.property(sizes, lambdas, ({ n, p, seed }, lambda) => {
        const random = seededRandom(seed);
        const [a, x, y] = [matrix(n, p, random), vector(p, random), vector(n, random)];
        const { unit, beta } = split(a, (length) => length);
        for (const length of columnNorms(unit)) expect(length).toBeCloseTo(1, 9);
        const value = groupObjective(a, x, y, lambda);
        expect(shrinkObjective(unit, beta, x, y, lambda) / value).toBeCloseTo(1, 9);
      }),
    );
  });

  it('and every such pair, of any sign, an A of the same value', () => {
    fc.assert(
      fc.property(sizes, lambdas, ({ n, p, seed }, lambda) => {
        const random = seededRandom(seed);
        const { unit } = split(matrix(n, p, random), (length) => length);
        const [beta, x, y] = [vector(p, random), vector(p, random), vector(n, random)];
        const value = shrinkObjective(unit, beta, x, y, lambda);
        expect(groupObjective(scaleColumns(unit, beta), x, y, lambda) / value).toBeCloseTo(1, 9);
      }),
    );
  });

  it('which the square of the norm, as the draft’s proof has it, does not', () => {
    const a = [[3], [4]];
    const { unit, beta } = split(a, (length) => length ** 2);
    expect(columnNorms(unit)[0]).toBeCloseTo(0.2, 12);
    expect(shrinkObjective(unit, beta, [1], [0, 0], 1)).toBeCloseTo(50, 9);
    expect(groupObjective(a, [1], [0, 0], 1)).toBeCloseTo(30, 9);
  });

  it('and the minima agree: with one input, where the least value is known, no pair goes under it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        seeds,
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (n, seed, lambda) => {
          const random = seededRandom(seed);
          const y = vector(n, random);
          const x = 0.5 + random();
          // One input: argmin over the column a of ‖y − a x‖² + λ‖a‖ lies along y, at s·y/‖y‖.
          const length = norm(y);
          const s = Math.max(0, length / x - lambda / (2 * x * x));
          const best = groupObjective(
            y.map((v) => [(v * s) / length]),
            [x],
            y,
            lambda,
          );
          for (let i = 0; i < 50; i += 1) {
            const { unit } = split(matrix(n, 1, random), (l) => l);
            expect(shrinkObjective(unit, [4 * random() - 2], [x], y, lambda)).toBeGreaterThanOrEqual(
              best - 1e-9,
            );
          }
          const along = y.map((v) => [v / length]);
          expect(shrinkObjective(along, [s], [x], y, lambda)).toBeCloseTo(best, 9);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('Proposition A.2: the loss is not convex in A and β', () => {
  it('has the draft’s witness: (0, 2) and (2, 0) fit y = 0, the point between them does not', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 10, noNaN: true }), (x) => {
        const f = (a: number, beta: number): number => squaredError([0], times([[a * beta]], [x]));
        expect([f(0, 2), f(2, 0)]).toEqual([0, 0]);
        expect(f(1, 1)).toBeGreaterThan((f(0, 2) + f(2, 0)) / 2);
      }),
    );
  });

  it('and one at every size: a column and its switch, the other columns at rest', () => {
    fc.assert(
      fc.property(sizes, ({ n, p, seed }) => {
        const random = seededRandom(seed);
        const x = Array.from({ length: p }, () => 0.5 + random());
        const y = Array.from({ length: n }, () => 0);
        const only = (value: number): Matrix => y.map(() => x.map((_, j) => (j === 0 ? value : 0)));
        const first = (value: number): number[] => x.map((_, j) => (j === 0 ? value : 0));
        const f = (a: number, beta: number): number => shrinkObjective(only(a), first(beta), x, y, 0);
        expect(f(1, 1)).toBeGreaterThan((f(0, 2) + f(2, 0)) / 2);
      }),
    );
  });
});

describe('Proposition A.3: without λ2 there is no minimum', () => {
  it('weights times 2 and switches times 1/2 leave the loss and strictly lower the objective, λ2 ends that', () => {
    fc.assert(
      fc.property(sizes, lambdas, ({ n, p, seed }, lambda) => {
        const random = seededRandom(seed);
        let [a, beta] = [matrix(n, p, random), vector(p, random)];
        const [x, y] = [vector(p, random), vector(n, random)];
        const theta = (m: Matrix): number => m.flat().reduce((sum, v) => sum + v * v, 0);
        const start = shrinkObjective(a, beta, x, y, 0);
        let value = shrinkObjective(a, beta, x, y, lambda);
        const regularised = value + 0.01 * theta(a);
        for (let i = 0; i < 20; i += 1) {
          a = a.map((row) => row.map((v) => 2 * v));
          beta = beta.map((v) => v / 2);
          const next = shrinkObjective(a, beta, x, y, lambda);
          expect(next).toBeLessThan(value);
          expect(squaredError(y, times(scaleColumns(a, beta), x))).toBeCloseTo(start, 9);
          value = next;
        }
        // The infimum is the loss itself: the penalty has gone to nothing, the weights to infinity.
        expect(value - start).toBeLessThan(lambda * p * 1e-4);
        expect(value + 0.01 * theta(a)).toBeGreaterThan(regularised);
      }),
    );
  });
});

describe('Proposition A.4: at least 2^k minima', () => {
  interface Layer {
    readonly a: Matrix;
    readonly beta: number[];
    readonly b: number[];
  }

  const forward = (layers: readonly Layer[], x: readonly number[]): number[] =>
    layers.reduce<number[]>(
      (input, { a, beta, b }, i) =>
        times(scaleColumns(a, beta), input).map((v, j) => {
          const out = v + (b[j] ?? 0);
          return i === layers.length - 1 ? out : Math.max(0, out);
        }),
      [...x],
    );

  const objective = (layers: readonly Layer[], xs: Matrix, ys: Matrix, power: number): number =>
    xs.reduce((sum, x, i) => sum + squaredError(ys[i] ?? [], forward(layers, x)), 0) +
    layers.reduce((sum, { a, beta, b }) => {
      const theta = [...a.flat(), ...b].reduce((s, v) => s + Math.abs(v) ** power, 0);
      return sum + 0.3 * l1(beta) + 0.1 * theta;
    }, 0);

  /** Negates β_k and column k of A together, where `signs` has a −1. */
  const flip = ({ a, beta, b }: Layer, signs: readonly number[]): Layer => ({
    a: scaleColumns(a, signs),
    beta: beta.map((v, j) => v * (signs[j] ?? 1)),
    b,
  });

  it('flipping any switch with its column leaves loss and penalty, in networks of two and three layers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 4 }),
        seeds,
        fc.constantFrom(1, 2),
        (widths, seed, power) => {
          const random = seededRandom(seed);
          const layers = widths.slice(1).map((width, i): Layer => {
            const inputs = widths[i] ?? 1;
            return {
              a: matrix(width, inputs, random),
              beta: vector(inputs, random),
              b: vector(width, random),
            };
          });
          const xs = matrix(4, widths[0] ?? 1, random);
          const ys = matrix(4, widths.at(-1) ?? 1, random);
          const value = objective(layers, xs, ys, power);
          const k = layers.reduce((sum, { beta }) => sum + beta.length, 0);
          const found = new Set<string>();
          for (let choice = 0; choice < 2 ** k; choice += 1) {
            let bit = 0;
            const flipped = layers.map((layer) =>
              flip(
                layer,
                layer.beta.map(() => ((choice >> bit++) & 1 ? -1 : 1)),
              ),
            );
            expect(objective(flipped, xs, ys, power) / value).toBeCloseTo(1, 12);
            found.add(JSON.stringify(flipped.map(({ beta }) => beta)));
          }
          // All of them differ: 2^k points of the same value wherever one of them is a minimum.
          expect(found.size).toBe(2 ** k);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('and flipping one without the other does not', () => {
    const layer: Layer = { a: [[1, 2]], beta: [0.5, 0.5], b: [0] };
    const half: Layer = { ...layer, beta: [-0.5, 0.5] };
    const [xs, ys] = [[[1, 1]], [[2]]];
    expect(objective([half], xs, ys, 2)).not.toBeCloseTo(objective([layer], xs, ys, 2), 3);
  });
});
