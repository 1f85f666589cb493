import { z } from 'zod';
import type { JournalEvent, Progress } from '../core/events';

/**
 * The shape of every event, for what comes back from a disk or a socket. Unknown keys are kept: a run of a later
 * minor version can be shown as far as it is known.
 */

/** JSON has no NaN and no Infinity, and a run that diverges has them: they are stored as null and come back as NaN. */
const real = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const count = z.number().int().min(0);
const widths = z.record(z.string(), z.number());
const metrics = z.looseObject({
  loss: real,
  accuracy: real.exactOptional(),
  named: z.record(z.string(), real).exactOptional(),
});
const change = z.looseObject({ before: z.number(), after: z.number() });

const pointShape = {
  budget: z.number(),
  widths,
  params: z.number(),
  macs: z.number(),
  validation: metrics,
  test: metrics,
  epochs: z.number().exactOptional(),
};

const layerInfo = z.looseObject({
  name: z.string(),
  className: z.string(),
  width: z.number(),
  site: z.number().exactOptional(),
  group: z.number(),
});

/** An event as the journal stores it. Not an intersection: zod cannot join two NaNs. */
function event<Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.looseObject({ seq: count, at: z.number(), type: z.literal(type), ...shape });
}

const result = event('result', {
  run: z.string(),
  model: z.string(),
  layers: z.array(
    z.looseObject({
      name: z.string(),
      site: z.looseObject({ file: z.string(), line: z.number(), column: z.number() }).nullable(),
      siteId: z.number().nullable(),
      before: z.number(),
      after: z.number(),
    }),
  ),
  params: change,
  macs: change,
  metrics: z.looseObject({ test: metrics, validation: metrics }),
  points: z.array(z.looseObject(pointShape)),
  chosen: z.number(),
  timings: z.looseObject({
    totalMs: z.number(),
    trunkMs: z.number(),
    finishMs: z.number(),
    inferenceMs: z.looseObject({ before: real, after: real, batchSize: z.number() }),
  }),
  outputDifference: real,
  engine: z.string(),
});

const journalEvent = z.discriminatedUnion('type', [
  event('start', {
    version: z.number(),
    run: z.string(),
    file: z.string(),
    model: z.string(),
    mode: z.string(),
    resumedFrom: z.string().exactOptional(),
  }),
  event('engine', {
    name: z.string(),
    device: z.string(),
    why: z.string(),
    // Journals of the first days have none.
    trials: z
      .array(
        z.looseObject({
          engine: z.string(),
          stepMs: z.number().exactOptional(),
          problem: z.string().exactOptional(),
          install: z.string().nullable().exactOptional(),
        }),
      )
      .default([]),
  }),
  event('data', { train: z.number(), validation: z.number(), test: z.number(), notes: z.array(z.string()) }),
  event('model', {
    layers: z.array(layerInfo),
    params: z.number(),
    macs: z.number(),
    optimizer: z.string(),
    learningRate: real,
    loss: z.string(),
    notes: z.array(z.string()),
  }),
  event('latency', {
    batchSize: z.number(),
    ms: z.number(),
    layers: z.array(
      z.looseObject({
        layer: z.string(),
        call: z.number(),
        widths: z.array(z.array(z.number())),
        ms: z.array(real),
      }),
    ),
  }),
  event('epoch', {
    phase: z.enum(['trunk', 'finish']),
    budget: z.number().exactOptional(),
    epoch: z.number(),
    epochs: z.number(),
    widths,
    params: z.number(),
    macs: z.number(),
    train: metrics,
    validation: metrics,
    stepMs: real,
    lambda: real,
  }),
  event('collection', {
    step: z.number(),
    removed: widths,
    widths,
    params: z.number(),
    macs: z.number(),
    outputDifference: real,
    ms: real,
  }),
  event('snapshot', { budget: z.number(), step: z.number(), widths, params: z.number() }),
  event('point', { ...pointShape }),
  event('checkpoint', { file: z.string(), step: count }),
  event('warning', { code: z.string(), message: z.string() }),
  event('stopped', { message: z.string() }),
  event('failed', { kind: z.string(), code: z.string(), message: z.string() }),
  result,
]);

const progressSchema = z.looseObject({
  phase: z.enum(['loading', 'trunk', 'finish', 'measuring']),
  budget: z.number().exactOptional(),
  epoch: real,
  epochs: real,
  step: real,
  steps: real,
  loss: real,
  params: real,
  stepMs: real,
  secondsLeft: real,
});

/** @returns undefined if it is no event of the journal */
export function parseJournalEvent(value: unknown): JournalEvent | undefined {
  const parsed = journalEvent.safeParse(value);
  // Assigning, not asserting: a change of core/events.ts that this file does not follow fails to compile.
  const event: JournalEvent | undefined = parsed.success ? parsed.data : undefined;
  return event;
}

/** @returns undefined if it is no progress */
export function parseProgress(value: unknown): Progress | undefined {
  const parsed = progressSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
