import type { HostTensor } from '../../../src/core/tensor';
import type { RunContext } from '../../../src/core/job';

/**
 * A job that only counts. What these tests are about is the process, the folder and the protocol around a job; it
 * stands for training in that its weights depend on every step before, so a run that was resumed wrongly ends
 * with other weights. Training itself is tested where it lies.
 */
export interface CountingSettings {
  readonly steps: number;
  readonly checkpointEvery: number;
  /** Pause after each step. */
  readonly stepMs: number;
  /** Values in the weights. */
  readonly size: number;
  /** Events of each step besides. */
  readonly chatter?: number;
  readonly trouble?: Trouble;
}

export interface Trouble {
  /** Step at which it happens. */
  readonly at: number;
  readonly kind:
    | 'throw'
    | 'throw-shrink'
    | 'throw-later'
    | 'hang'
    | 'no-result'
    | 'exit'
    | 'abort'
    /** Leaves a child behind that does not heed SIGTERM, and goes on. */
    | 'child'
    /** The same, and dies. */
    | 'orphan'
    /** Prints 10 MB at once, and goes on. */
    | 'print'
    /** Ends the whole group at once, as when the power goes. */
    | 'power-loss'
    /** Dies when it is asked to stop. */
    | 'abort-on-stop';
}

/** Called when trouble is due; lives in the backend script, since only a real process may die. */
export type MakeTrouble = (kind: Trouble['kind']) => Promise<void>;

interface CountingState {
  readonly step: number;
  readonly losses: readonly number[];
}

/** Steps of an "epoch" of this job. */
const EPOCH_STEPS = 5;

function advance(weights: Float32Array, step: number): void {
  for (let i = 0; i < weights.length; i += 1)
    weights[i] = Math.fround((weights[i] ?? 0) * 0.75 + Math.sin(step * 31 + i));
}

export async function countingJob(
  context: RunContext,
  makeTrouble: MakeTrouble,
): Promise<'done' | 'stopped'> {
  if (context.plan.program.kind !== 'slice') throw new Error('the settings are the code of the slice');
  const settings = JSON.parse(context.plan.program.code) as CountingSettings;
  const resumed = context.resumeFrom;
  const state = (resumed?.state ?? { step: 0, losses: [] }) as CountingState;
  const weights = resumed?.tensors['weights']?.data.slice() ?? new Float32Array(settings.size);
  const losses = [...state.losses];
  const epochs = Math.ceil(settings.steps / EPOCH_STEPS);
  const tensor: HostTensor = { shape: [weights.length], data: weights };

  context.emit({ type: 'engine', name: 'counting', device: 'cpu', why: 'there is no other', trials: [] });
  // Stands for an engine that crashes: without it there is no trouble of that kind.
  const avoided =
    ['abort', 'power-loss'].includes(settings.trouble?.kind ?? '') &&
    context.avoidEngines?.includes('counting') === true;

  const save = (step: number): Promise<void> =>
    context.saveCheckpoint({ step, state: { step, losses }, tensors: { weights: tensor } });

  for (let step = state.step + 1; step <= settings.steps; step += 1) {
    advance(weights, step);
    const loss = Math.abs(weights[0] ?? 0);
    const epoch = Math.ceil(step / EPOCH_STEPS);
    context.progress({
      phase: 'trunk',
      epoch,
      epochs,
      step,
      steps: settings.steps,
      loss,
      params: weights.length,
      stepMs: settings.stepMs,
      secondsLeft: 0,
    });
    for (let i = 0; i < (settings.chatter ?? 0); i += 1)
      context.emit({ type: 'warning', code: 'chatter', message: `${step}.${i} ${'x'.repeat(100)}` });
    if (step % EPOCH_STEPS === 0) {
      losses.push(loss);
      const metrics = { loss, accuracy: 1 / (1 + loss) };
      context.emit({
        type: 'epoch',
        phase: 'trunk',
        epoch,
        epochs,
        widths: { dense: step },
        params: weights.length,
        macs: weights.length,
        train: metrics,
        validation: metrics,
        stepMs: settings.stepMs,
        lambda: 0,
      });
    }
    if (settings.trouble?.at === step && !avoided) await makeTrouble(settings.trouble.kind);
    if (step % settings.checkpointEvery === 0) await save(step);
    await new Promise((resolve) => setTimeout(resolve, settings.stepMs));
    if (context.stop.aborted) {
      if (settings.trouble?.kind === 'abort-on-stop') await makeTrouble('abort');
      await save(step);
      return 'stopped';
    }
  }
  await context.writeFile('weights/final.bin', new Uint8Array(weights.buffer));
  if (settings.trouble?.kind === 'no-result') return 'done';
  const metrics = { loss: losses.at(-1) ?? 0, accuracy: 1 };
  context.emit({
    type: 'result',
    run: context.run,
    model: context.plan.model,
    layers: [{ name: 'dense', site: null, siteId: null, before: settings.size, after: settings.size }],
    params: { before: settings.size, after: settings.size },
    macs: { before: settings.size, after: settings.size },
    metrics: { test: metrics, validation: metrics },
    points: [],
    chosen: 0,
    timings: {
      totalMs: 0,
      trunkMs: 0,
      finishMs: 0,
      inferenceMs: { before: 0, after: 0, batchSize: 1 },
    },
    outputDifference: 0,
    engine: 'counting',
  });
  return 'done';
}
