/** ONNX Runtime: the whole training step as one graph. Everything outside the step runs on `wasm`. */
import * as tf from '@tensorflow/tfjs-core';
import { availableParallelism } from 'node:os';
import type { Engine, EngineDescription, EngineProvider } from '../engine';
import { locatePackage } from '../locate';
import { createCompiledStep } from '../onnx/compiledStep';
import { createSession, loadRuntime, ONNX_INSTALL, ONNX_PACKAGE, type SessionOptions } from '../onnx/runtime';
import { StateStore } from '../onnx/stateStore';
import { traceStep } from '../onnx/trace';
import { wasm } from './wasm';

function describeRuntime(version: string, { threads, providers }: SessionOptions): EngineDescription {
  const device = providers[0] === 'cpu' ? 'CPU (ONNX Runtime)' : `${providers[0] ?? ''} (ONNX Runtime)`;
  return { name: 'onnxruntime', device, version, threads };
}

const defaultOptions = (): SessionOptions => ({ threads: availableParallelism(), providers: ['cpu'] });

/**
 * Loads the engine with given options.
 *
 * @throws ShrinkError `engine-unavailable`
 */
export async function loadOnnxRuntime(options: Partial<SessionOptions> = {}): Promise<Engine> {
  const chosen = { ...defaultOptions(), ...options };
  const { runtime, version } = loadRuntime();
  await wasm.load();
  const host = tf.getBackend();
  const store = new StateStore(runtime);
  return {
    name: 'onnxruntime',
    describe: () => describeRuntime(version, chosen),
    async compile(step, _variables, batch, scalars) {
      if (tf.getBackend() !== host) await tf.setBackend(host);
      const traced = traceStep(step, batch, scalars);
      const session = await createSession(traced.model, chosen);
      for (const { variable } of traced.variables) await store.acquire(variable);
      return createCompiledStep({ runtime, session, traced, specs: batch, store });
    },
    dispose: () => undefined,
  };
}

export const onnxruntime: EngineProvider = {
  name: 'onnxruntime',
  probe() {
    const found = locatePackage(ONNX_PACKAGE);
    return Promise.resolve(
      found === null
        ? {
            available: false,
            name: 'onnxruntime',
            missing: `the package ${ONNX_PACKAGE} is not installed`,
            install: ONNX_INSTALL,
          }
        : { available: true, description: describeRuntime(found.version, defaultOptions()) },
    );
  },
  load: () => loadOnnxRuntime(),
};
