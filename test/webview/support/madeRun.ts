import type { JournalEvent, LayerInfo, Point, RunEvent, Widths } from '../../../src/core/events';

/** A run as long and as wide as wanted, made up but with every kind of event in its place. */
export interface MadeRun {
  readonly layers: number;
  readonly epochs: number;
  /** Collections in every epoch. */
  readonly collections: number;
  readonly finished?: boolean;
}

const START_WIDTH = 256;
const STEPS = 100;
/** Rows of training data and batch size that make {@link STEPS} steps. */
export const BATCH_SIZE = 32;

export function makeRun(made: MadeRun): JournalEvent[] {
  return [...eachEvent(made)];
}

/** One event after the other: a long run of many layers does not fit into memory as a whole. */
export function* eachEvent(made: MadeRun): Generator<JournalEvent> {
  let seq = 0;
  for (const event of madeEvents(made)) {
    yield { seq, at: 1_795_357_000_000 + seq * 10, ...event };
    seq += 1;
  }
}

function* madeEvents({ layers, epochs, collections, finished = true }: MadeRun): Generator<RunEvent> {
  const infos = Array.from({ length: layers }, (_, i): LayerInfo => ({
    name: `layer${i + 1}`,
    className: 'Dense',
    width: START_WIDTH,
    site: i,
    group: i,
  }));
  const widthsAt = (share: number): Widths =>
    Object.fromEntries(
      infos.map(({ name }, i) => [
        name,
        Math.max(4, Math.round(START_WIDTH * (1 - share * (0.5 + (i % 7) / 14)))),
      ]),
    );
  const params = (share: number): number => Math.round(layers * START_WIDTH ** 2 * (1 - 0.9 * share));
  const name = '20261122-120000-made';
  yield { type: 'start', version: 1, run: name, file: '/made/model.ts', model: 'made', mode: 'budget' };
  yield { type: 'engine', name: 'cpu', device: 'CPU', why: 'asked for', trials: [] };
  yield { type: 'data', train: STEPS * BATCH_SIZE, validation: 500, test: 500, notes: [] };
  yield {
    type: 'model',
    layers: infos,
    params: params(0),
    macs: params(0),
    optimizer: 'adam',
    learningRate: 0.001,
    loss: 'categoricalCrossentropy',
    notes: [],
  };
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    for (let i = 1; i <= collections; i += 1) {
      const done = (epoch - 1 + i / (collections + 1)) / epochs;
      const step = Math.round(done * epochs * STEPS);
      const size = params(done);
      yield {
        type: 'collection',
        ...{
          step,
          removed: {},
          widths: widthsAt(done),
          params: size,
          macs: size,
          outputDifference: 1e-7,
          ms: 2,
        },
      };
    }
    const share = epoch / epochs;
    yield {
      type: 'epoch',
      phase: 'trunk',
      ...{ epoch, epochs, widths: widthsAt(share), params: params(share), macs: params(share) },
      train: { loss: 1 / (1 + epoch), accuracy: 1 - 1 / (2 + epoch) },
      validation: { loss: 1.1 / (1 + epoch), accuracy: 1 - 1.1 / (2 + epoch) },
      stepMs: 3 + (epoch % 3),
      lambda: 0.001 * share,
    };
  }
  if (!finished) return;
  const point = (share: number): Point => ({
    ...{ budget: params(share), widths: widthsAt(share), params: params(share), macs: params(share) },
    validation: { loss: 0.1 + share / 10, accuracy: 0.98 - share / 50 },
    test: { loss: 0.12 + share / 10, accuracy: 0.97 - share / 50 },
    epochs: share === 0 ? 2 : epochs,
  });
  const points = [0.5, 0.75, 1].map(point);
  for (const each of [point(0), ...points]) yield { type: 'point', ...each };
  const last = point(1);
  yield {
    type: 'result',
    run: name,
    model: 'made',
    layers: infos.map((info) => ({
      name: info.name,
      site: null,
      siteId: info.site ?? null,
      before: info.width,
      after: last.widths[info.name] ?? 0,
    })),
    params: { before: params(0), after: last.params },
    macs: { before: params(0), after: last.macs },
    metrics: { test: last.test, validation: last.validation },
    baseline: point(0),
    points,
    chosen: 2,
    timings: {
      ...{ totalMs: 1000, trunkMs: 800, finishMs: 200 },
      inferenceMs: { before: 2, after: 1, batchSize: BATCH_SIZE },
    },
    outputDifference: 1e-7,
    engine: 'cpu',
  };
}
