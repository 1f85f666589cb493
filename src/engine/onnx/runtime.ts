/** ONNX Runtime for Node, an optional package: found at run time, loaded when first used. */
import type * as ort from 'onnxruntime-node';
import { messageOf, ShrinkError } from '../../core/errors';
import { locatePackage } from '../locate';
import type { OnnxDevice } from './devices';
import type { TracedStep } from './traced';

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
    const message = `The package ${ONNX_PACKAGE} at ${found.entry} cannot be loaded: ${briefly(thrown)}`;
    throw new ShrinkError('environment', 'engine-unavailable', message, { cause: thrown });
  }
}

/** How a session computes. */
export interface SessionSetup {
  readonly threads: number;
  readonly device: OnnxDevice;
}

/**
 * Options of a session, plain JSON: a probe's process gets them too.
 *
 * @param model what is to run: nodes that the device lacks run on the CPU
 */
export function sessionOptions(
  { threads, device }: SessionSetup,
  model: Pick<TracedStep, 'cpuNodes'>,
): ort.InferenceSession.SessionOptions {
  const { provider } = device;
  const forceCpuNodeNames = [...model.cpuNodes];
  const first =
    provider === 'webgpu' && forceCpuNodeNames.length > 0 ? { name: provider, forceCpuNodeNames } : provider;
  return {
    executionProviders: provider === 'cpu' ? [provider] : [first, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Errors only: a warning about a node that was folded away would go to the user's terminal.
    logSeverityLevel: 3,
    // Threads that wait for each other by spinning take the processor from whatever else runs: the editor, a compiler.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

/** @throws ShrinkError `engine-failed` when the runtime or its provider refuses the model */
export async function createSession(traced: TracedStep, setup: SessionSetup): Promise<Session> {
  const { runtime } = loadRuntime();
  try {
    return await runtime.InferenceSession.create(traced.model, sessionOptions(setup, traced));
  } catch (thrown) {
    const message = `The engine ${setup.device.engine} refused the training step: ${briefly(thrown)}`;
    throw new ShrinkError('environment', 'engine-failed', message, { cause: thrown });
  }
}

/** What ONNX Runtime says, without the place in its own source and the stack of its own functions. */
export function briefly(thrown: unknown): string {
  const text = messageOf(thrown).replace(/^[\s\S]* was false\. /u, '');
  return (text.split('\n')[0] ?? text).trim();
}
