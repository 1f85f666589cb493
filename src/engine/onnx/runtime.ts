/** ONNX Runtime for Node, an optional package: found at run time, loaded when first used. */
import type * as ort from 'onnxruntime-node';
import { messageOf, ShrinkError } from '../../core/errors';
import { locatePackage } from '../locate';

export type OnnxRuntime = typeof ort;
export type Session = ort.InferenceSession;
export type OnnxTensor = ort.Tensor;

export const ONNX_PACKAGE = 'onnxruntime-node';
export const ONNX_INSTALL = 'shrinknets engines --install onnxruntime';

interface Loaded {
  readonly runtime: OnnxRuntime;
  readonly version: string;
}

let loaded: Loaded | null = null;

/** @throws ShrinkError `engine-unavailable` saying what is missing */
export function loadRuntime(): Loaded {
  if (loaded !== null) return loaded;
  const found = locatePackage(ONNX_PACKAGE);
  if (found === null) {
    const message = `The engine onnxruntime needs the package ${ONNX_PACKAGE}. Install it with: ${ONNX_INSTALL}`;
    throw new ShrinkError('environment', 'engine-unavailable', message);
  }
  try {
    loaded = { runtime: found.load() as OnnxRuntime, version: found.version };
    return loaded;
  } catch (thrown) {
    const message = `The package ${ONNX_PACKAGE} at ${found.entry} cannot be loaded: ${messageOf(thrown)}`;
    throw new ShrinkError('environment', 'engine-unavailable', message, { cause: thrown });
  }
}

/** How a session computes. */
export interface SessionOptions {
  readonly threads: number;
  /** Execution providers of ONNX Runtime in the order of preference, e.g. `cuda`. */
  readonly providers: readonly string[];
}

/** @throws ShrinkError `engine-failed` when the runtime or its provider refuses the model */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const { runtime } = loadRuntime();
  try {
    return await runtime.InferenceSession.create(model, {
      executionProviders: [...options.providers],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Errors only: a warning about a node that was folded away would go to the user's terminal.
      logSeverityLevel: 3,
    });
  } catch (thrown) {
    throw new ShrinkError(
      'environment',
      'engine-failed',
      `ONNX Runtime refused the training step: ${messageOf(thrown)}`,
      {
        cause: thrown,
      },
    );
  }
}
