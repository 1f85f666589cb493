import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduledSize, stepOfSize } from '../../src/core/budget';
import { afterEpoch, lambdaFactor, NO_PLATEAU } from '../../src/core/schedules';

describe('the schedule of λ', () => {
  it('is constant, or rises over the first quarter, or a hundredfold over the trunk', () => {
    const at = (schedule: Parameters<typeof lambdaFactor>[0]) =>
      [0, 0.125, 0.25, 0.5, 1].map((progress) => Number(lambdaFactor(schedule, progress).toPrecision(6)));
    expect(at('constant')).toEqual([1, 1, 1, 1, 1]);
    expect(at('warmup')).toEqual([0, 0.5, 1, 1, 1]);
    expect(at('ramp')).toEqual([0.01, 0.0177828, 0.0316228, 0.1, 1]);
  });

  it('never falls and ends at λ', () => {
    const shares = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom('constant', 'warmup', 'ramp'), shares, shares, (schedule, a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)];
        expect(lambdaFactor(schedule, early)).toBeLessThanOrEqual(lambdaFactor(schedule, late));
        expect(lambdaFactor(schedule, 1)).toBe(1);
      }),
    );
  });
});

describe('the learning rate on a plateau', () => {
  const after = (qualities: readonly number[]): number =>
    qualities.reduce((plateau, quality) => afterEpoch(plateau, quality), NO_PLATEAU).factor;

  it('falls to a tenth after five epochs without a better validation', () => {
    expect(after([0.8, 0.8, 0.7, 0.8, 0.6])).toBe(1);
    expect(after([0.8, 0.8, 0.7, 0.8, 0.6, 0.5])).toBeCloseTo(0.1, 12);
    expect(after([0.8, ...new Array<number>(10).fill(0.5)])).toBeCloseTo(0.01, 12);
  });

  it('waits anew after every better one', () => {
    expect(after([0.8, 0.5, 0.5, 0.5, 0.5, 0.81, 0.5, 0.5, 0.5, 0.5])).toBe(1);
  });

  it('counts a loss that falls as better', () => {
    expect(after([-2, -1.9, -1.8, -1.7, -1.6, -1.5, -1.4])).toBe(1);
    expect(after([-1, -2, -3, -4, -5, -6])).toBeCloseTo(0.1, 12);
  });
});

describe('the schedule of sizes', () => {
  it('holds for a fifth, then falls by the same factor in equal times, to the smallest size', () => {
    const sizes = [0, 100, 200, 400, 600, 800, 1000, 1100].map((step) =>
      scheduledSize(step, 1000, 10_000, 100),
    );
    [10_000, 10_000, 10_000, 10_000 / 10 ** 0.5, 1000, 1000 / 10 ** 0.5, 100, 100].forEach((size, i) =>
      expect(sizes[i]).toBeCloseTo(size, 6),
    );
  });

  it('says at which step a size is passed', () => {
    for (const step of [200, 350, 600, 1000]) {
      const size = scheduledSize(step, 1000, 10_000, 100);
      expect(stepOfSize(size / 10_000, 1000, 0.01)).toBeCloseTo(step, 6);
    }
  });
});
