import type { PanelWords, PointRow, TrialRow } from '../../src/protocol/webview';
import type { PanelState } from '../state';
import { count, percent, plain } from '../words';
import type { CardSpec, Line } from './spec';

/** "97.20 %", or the loss where there is no accuracy. */
export function qualityOf(point: Pick<PointRow, 'accuracy' | 'loss'>): string {
  return point.accuracy === null ? point.loss.toFixed(4) : percent(point.accuracy);
}

/** What every λ of a sweep came to: accuracy (or loss) against parameters, and which of them no other beats. */
export function sweepCard(state: PanelState, words: PanelWords): CardSpec {
  const { trials } = state;
  const done = trials.flatMap((trial) => (trial.point === null ? [] : [{ ...trial, point: trial.point }]));
  const hasAccuracy = done.some(({ point }) => point.accuracy !== null);
  const dots = (fits: (trial: TrialRow) => boolean): Line['points'] =>
    done
      .filter(fits)
      .map(({ run, point }) => ({
        x: point.params,
        y: (hasAccuracy ? point.accuracy : point.loss) ?? Number.NaN,
        ref: run,
      }))
      .sort((a, b) => a.x - b.x);
  const start = state.points.find((point) => point.kind === 'start');
  const chosen = done.find((trial) => trial.chosen);
  return {
    id: 'sweep',
    title: words.sweep,
    about: `${words.sweepAbout} ${done.length}/${trials.length} ${words.trialsDone}.`,
    chart: {
      kind: 'scatter',
      xTitle: words.parameters,
      yTitle: hasAccuracy ? words.validationAccuracy : words.validationLoss,
      logX: true,
      percentY: hasAccuracy,
      lines: [
        { name: words.chosenPoint, points: dots((trial) => trial.chosen), strong: true },
        { name: words.front, points: dots((trial) => trial.onFront), joined: true },
        { name: words.beaten, points: dots((trial) => !trial.onFront && !trial.chosen) },
        {
          name: words.start,
          points:
            start === undefined
              ? []
              : [{ x: start.params, y: (hasAccuracy ? start.accuracy : start.loss) ?? Number.NaN }],
        },
      ].filter((line) => line.points.length > 0),
      summary: [
        `${words.sweep}: ${done.length}/${trials.length}`,
        ...(chosen === undefined
          ? []
          : [
              `${words.chosenPoint}: λ ${plain(chosen.lambda)}, ${count(chosen.point.params)} ${words.ofParameters}, ${qualityOf(chosen.point)}`,
            ]),
      ].join('; '),
    },
    table: () => ({
      columns: [
        ...['λ', words.state, words.parameters, words.macs, words.validationAccuracy, words.testAccuracy],
        ...[
          words.validationLoss,
          words.testLoss,
          words.front,
          ...state.header.layers.map(({ name }) => name),
        ],
      ],
      rows: trials.map(({ lambda, state: stands, point, onFront, chosen: isChosen }) => [
        lambda,
        words[stands],
        ...(point === null
          ? [null, null, null, null, null, null]
          : [point.params, point.macs, point.accuracy, point.testAccuracy, point.loss, point.testLoss]),
        isChosen ? words.chosenPoint : onFront ? '✓' : '',
        ...(point === null ? state.header.layers.map(() => null) : point.widths),
      ]),
    }),
  };
}
