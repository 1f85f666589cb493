import type { Metrics, Point } from './events';

/**
 * The size that is emitted: the smallest whose validation accuracy lies within `maxDrop` percentage points of the
 * best. Regressions have no accuracy: there the loss may rise by `maxDrop` percent of the best one.
 *
 * @param points every finished size, in any order
 * @param baseline validation metrics at the starting size; counts for the best
 * @returns index into `points`
 */
export function choosePoint(
  points: readonly Point[],
  baseline: Metrics | undefined,
  maxDrop: number,
): number {
  const all = [...points.map((point) => point.validation), ...(baseline === undefined ? [] : [baseline])];
  const best = Math.max(...all.map(goodness));
  const acceptable = (point: Point): boolean =>
    point.validation.accuracy === undefined
      ? // A loss may be negative, as the proximity of directions is.
        point.validation.loss <= -best + (Math.abs(best) * maxDrop) / 100
      : // A tiny slack, so that an accuracy that is printed as just within the drop is.
        point.validation.accuracy * 100 >= best * 100 - maxDrop - 1e-9;
  let chosen = -1;
  points.forEach((point, i) => {
    const smaller = chosen < 0 || point.params < (points[chosen]?.params ?? Infinity);
    if (acceptable(point) && smaller) chosen = i;
  });
  if (chosen >= 0) return chosen;
  // Only the starting size is as good: the best of the smaller ones is offered.
  return points.reduce(
    (b, point, i) =>
      goodness(point.validation) > goodness(points[b]?.validation ?? point.validation) ? i : b,
    0,
  );
}

function goodness(metrics: Metrics): number {
  return metrics.accuracy ?? -metrics.loss;
}
