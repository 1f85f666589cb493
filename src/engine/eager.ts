/** Engines that run a step as it is, operation by operation, on a TensorFlow.js backend. */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, ShrinkError } from '../core/errors';
import type { BatchData, CompiledStep, Engine, EngineDescription, StepFunction, TensorSpec } from './engine';
import { sizeOf } from '../core/tensor';
import { seedsOf, withSeeds } from './random';

/** @throws ShrinkError `batch-shape` when the data is not of the shapes that the step was compiled for */
export function checkBatch(batch: readonly BatchData[], specs: readonly TensorSpec[]): void {
  if (batch.length !== specs.length)
    throw new ShrinkError(
      'training',
      'batch-shape',
      `The step takes ${specs.length} tensors, not ${batch.length}.`,
    );
  specs.forEach((spec, index) => {
    const given = batch[index]?.length ?? 0;
    const wanted = sizeOf(spec.shape);
    if (given !== wanted) {
      throw new ShrinkError(
        'training',
        'batch-shape',
        `Batch tensor ${index} holds ${given} values; its shape [${spec.shape.join(', ')}] has ${wanted}.`,
      );
    }
  });
}

/** What is particular to a backend. */
export interface EagerParticulars {
  /** What the backend knows of why a step failed, besides what was thrown. */
  readonly whyFailed?: () => Promise<string | undefined>;
  /** Lets go of what the backend keeps for shapes of the steps so far. */
  readonly forgetShapes?: () => void;
}

async function stepFailed(
  engine: string,
  thrown: unknown,
  { whyFailed }: EagerParticulars,
): Promise<ShrinkError> {
  if (thrown instanceof ShrinkError) return thrown;
  const message = `The engine ${engine} failed in a step: ${(await whyFailed?.()) ?? messageOf(thrown)}`;
  return new ShrinkError('environment', 'engine-failed', message, { cause: thrown });
}

/** @param name of the engine, for messages */
function compileEagerly(
  backendName: string,
  name: string,
  step: StepFunction,
  specs: readonly TensorSpec[],
  particulars: EagerParticulars,
): CompiledStep {
  particulars.forgetShapes?.();
  return {
    async run(batch, scalars) {
      checkBatch(batch, specs);
      // Another engine may have been active since the last run.
      if (tf.getBackend() !== backendName) await tf.setBackend(backendName);
      let outputs: tf.Tensor[] = [];
      try {
        outputs = tf.tidy(() => {
          const tensors = specs.map((spec, index) =>
            tf.tensor(batch[index] ?? [], [...spec.shape], spec.dtype),
          );
          return withSeeds(seedsOf(scalars), () => step(tensors, scalars));
        });
        return await Promise.all(outputs.map(async (tensor) => Float32Array.from(await tensor.data())));
      } catch (thrown) {
        throw await stepFailed(name, thrown, particulars);
      } finally {
        tf.dispose(outputs);
      }
    },
    pull: () => Promise.resolve(),
    push: () => Promise.resolve(),
    dispose: () => undefined,
  };
}

/** @param backendName a TensorFlow.js backend that is ready */
export function createEagerEngine(
  backendName: string,
  description: EngineDescription,
  particulars: EagerParticulars = {},
): Engine {
  return {
    name: description.name,
    describe: () => description,
    compile: (step, _variables, batch) =>
      Promise.resolve(compileEagerly(backendName, description.name, step, batch, particulars)),
    dispose: () => undefined,
  };
}

/**
 * Makes a registered TensorFlow.js backend the active one.
 *
 * @throws ShrinkError `engine-unavailable`
 */
export async function activateBackend(backendName: string): Promise<void> {
  let problem = 'it failed to initialise';
  try {
    if (await tf.setBackend(backendName)) return;
  } catch (thrown) {
    problem = messageOf(thrown);
  }
  throw new ShrinkError(
    'environment',
    'engine-unavailable',
    `The engine ${backendName} cannot be used: ${problem}.`,
  );
}
