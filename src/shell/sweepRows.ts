import { choosePoint } from '../core/choosePoint';
import type { Point, ResultEvent } from '../core/events';
import { paretoFront, type SweepPlace } from '../core/sweep';
import type { PointRow, TrialRow } from '../protocol/webview';
import type { RunSummary } from '../run/listRuns';

/** A run of a sweep, and its result if it has one. */
export interface Trial {
  readonly summary: Pick<RunSummary, 'id' | 'state' | 'sweep'>;
  readonly result?: ResultEvent;
}

/** What a trial learned. */
export function learnedPoint(result: ResultEvent): Point | undefined {
  return result.points[result.chosen];
}

/**
 * The trials of a sweep as both shells show them, those that have not begun included.
 *
 * @param trials in any order
 * @param maxDrop percentage points of validation accuracy that may be given up
 */
export function sweepRows(sweep: SweepPlace, trials: readonly Trial[], maxDrop: number): TrialRow[] {
  const byTrial = new Map(trials.map((trial) => [trial.summary.sweep?.trial, trial]));
  const found = sweep.lambdas.map((lambda, i) => ({ lambda, trial: byTrial.get(i) }));
  const points = found.flatMap(({ trial }, i) => {
    const point = trial?.result === undefined ? undefined : learnedPoint(trial.result);
    return point === undefined ? [] : [{ i, point }];
  });
  const baseline = trials.find(({ result }) => result?.baseline !== undefined)?.result?.baseline;
  const front = new Set(
    paretoFront(
      points.map(({ point: { params, validation } }) => ({
        params,
        goodness: validation.accuracy ?? -validation.loss,
      })),
    ).map((index) => points[index]?.i),
  );
  const best =
    points.length === 0
      ? undefined
      : points[
          choosePoint(
            points.map(({ point }) => point),
            baseline?.validation,
            maxDrop,
          )
        ]?.i;
  return found.map(({ lambda, trial }, i): TrialRow => {
    const point = points.find((each) => each.i === i)?.point;
    return {
      run: trial?.summary.id ?? '',
      lambda,
      state: trial?.summary.state ?? 'waiting',
      point: point === undefined ? null : rowOf(point, trial?.result),
      onFront: front.has(i),
      chosen: i === best,
    };
  });
}

function rowOf(point: Point, result: ResultEvent | undefined): PointRow {
  const { budget, params, macs, validation, test, widths, epochs } = point;
  return {
    ...{ budget, params, macs, kind: 'size' },
    widths: (result?.layers ?? []).map((layer) => widths[layer.name] ?? layer.before),
    loss: validation.loss,
    accuracy: validation.accuracy ?? null,
    testLoss: test.loss,
    testAccuracy: test.accuracy ?? null,
    epochs: epochs ?? null,
  };
}
