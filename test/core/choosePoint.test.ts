import { describe, expect, it } from 'vitest';
import { choosePoint } from '../../src/core/choosePoint';
import type { Point } from '../../src/core/events';

/** A size with a loss and no accuracy. */
function size(params: number, loss: number): Point {
  const metrics = { loss };
  return { budget: params, widths: {}, params, macs: params, validation: metrics, test: metrics };
}

describe('the size that is emitted of a regression', () => {
  it.each([
    ['above 0', [0.1, 0.1004, 0.2], 1],
    ['below 0, as the proximity of directions is', [-0.9, -0.899, -0.5], 1],
    ['of both signs', [-0.1, -0.09, 0.3], 0],
    ['0', [0, 0, 0.1], 1],
  ])('is the smallest whose loss is near the best: losses %s', (_, losses, chosen) => {
    const points = losses.map((loss, i) => size(300 - 100 * i, loss));
    expect(choosePoint(points, undefined, 0.5)).toBe(chosen);
  });
});
