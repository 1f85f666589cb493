import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LAMBDAS, nextTrialOf, paretoFront, parseLambdas } from '../../src/core/sweep';

describe('a list of λ', () => {
  it('is read smallest first, each once', () => {
    expect(parseLambdas('0.01, 1e-3,0.01 , 0.1', '--lambdas')).toEqual([0.001, 0.01, 0.1]);
    expect(parseLambdas(DEFAULT_LAMBDAS, '--lambdas')).toHaveLength(5);
  });

  it.each([
    ['0.1,,0.2', /has ""; give numbers above 0/],
    ['0.1,strong', /has "strong"/],
    ['0.1,-1', /has "-1"/],
    ['0,0.1', /has "0"/],
    ['0.1,Infinity', /has "Infinity"/],
    ['0.1,0.1', /has 1 different values; a sweep takes 2 to 100/],
    [Array.from({ length: 101 }, (_, i) => i + 1).join(), /has 101 different values/],
  ])('%s is refused', (text, message) => {
    expect(() => parseLambdas(text, '--lambdas')).toThrow(message);
  });
});

it('trials follow each other to the last', () => {
  const sweep = { id: 'a', lambdas: [1, 2] };
  expect(nextTrialOf({ ...sweep, trial: 0 })).toBe(1);
  expect(nextTrialOf({ ...sweep, trial: 1 })).toBeUndefined();
});

describe('the Pareto front', () => {
  it('holds what no other beats', () => {
    const rated = [
      { params: 100, goodness: 0.9 },
      { params: 50, goodness: 0.95 },
      { params: 10, goodness: 0.5 },
      { params: 10, goodness: 0.6 },
      { params: 60, goodness: 0.95 },
    ];
    expect(paretoFront(rated)).toEqual([1, 3]);
  });

  it('is never empty, falls and rises together, and leaves nothing out that is better than all of it', () => {
    const rated = fc.record({
      params: fc.integer({ min: 1, max: 9 }),
      goodness: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(rated, { minLength: 1, maxLength: 12 }), (all) => {
        const front = paretoFront(all).flatMap((i) => all[i] ?? []);
        expect(front.length).toBeGreaterThan(0);
        const sorted = [...front].sort((a, b) => a.params - b.params || a.goodness - b.goodness);
        sorted.slice(1).forEach((each, i) => {
          const before = sorted[i] ?? each;
          const isSame = each.params === before.params && each.goodness === before.goodness;
          expect(isSame || (each.params > before.params && each.goodness > before.goodness)).toBe(true);
        });
        for (const each of all)
          expect(front.some((on) => on.params <= each.params && on.goodness >= each.goodness)).toBe(true);
      }),
    );
  });
});
