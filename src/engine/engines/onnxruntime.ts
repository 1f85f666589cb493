/** ONNX Runtime: the whole training step as one graph. Everything outside the step runs on `wasm`. */
import * as tf from '@tensorflow/tfjs-core';
import { availableParallelism } from 'node:os';
import type { CompiledStep, Engine, EngineDescription, EngineProvider, EngineStatus } from '../engine';
import { locatePackage } from '../locate';
import { createCompiledStep } from '../onnx/compiledStep';
import { explainFault, ONNX_CPU, ONNX_GPUS, type OnnxDevice } from '../onnx/devices';
import { probeDevice, tryLoading } from '../onnx/probe';
import { KnownStep } from '../onnx/knownStep';
import { loadRuntime, ONNX_INSTALL, ONNX_PACKAGE, type SessionSetup } from '../onnx/runtime';
import { SessionPool } from '../onnx/sessions';
import { StateStore, type House } from '../onnx/stateStore';
import { houseOf, startTail } from '../onnx/tails/runTail';
import { Tracer } from '../onnx/trace';
import type { TracedStep, TracedTail } from '../onnx/traced';
import { machineMemory } from '../machineMemory';
import { unavailable } from '../unavailable';
import { wasm } from './wasm';

function describeDevice(version: string, { device, threads }: SessionSetup): EngineDescription {
  const onCpu = device.provider === 'cpu';
  return {
    name: device.engine,
    device: device.device,
    version,
    threads: onCpu ? threads : null,
    memory: onCpu ? machineMemory() : null,
  };
}

/** Holds a step's variables, those of each tail in one memory; null where that cannot be. */
async function hold({ variables, tails }: TracedStep, store: StateStore) {
  for (const { variable } of variables) await store.acquire(variable);
  const houses: { tail: TracedTail; house: House }[] = [];
  for (const tail of tails) {
    const house = houseOf(tail, store);
    if (house === null) return null;
    houses.push({ tail, house });
  }
  return houses;
}

const setupFor = (device: OnnxDevice): SessionSetup => ({ device, threads: availableParallelism() });

/**
 * Loads the engine without a probe.
 *
 * @throws ShrinkError `engine-unavailable`
 */
export async function loadOnnxRuntime(options: Partial<SessionSetup> = {}): Promise<Engine> {
  const { device = ONNX_CPU } = options;
  const setup: SessionSetup = { ...setupFor(device), ...options };
  const { runtime, version } = loadRuntime();
  await wasm.load();
  const host = tf.getBackend();
  const store = new StateStore(runtime);
  const onCpu = device.provider === 'cpu';
  const tracer = new Tracer(onCpu, onCpu);
  const sessions = new SessionPool(setup);
  const traces = new WeakMap<CompiledStep, KnownStep>();
  return {
    name: device.engine,
    describe: () => describeDevice(version, setup),
    async compile(step, variables, batch, scalars, like = []) {
      if (tf.getBackend() !== host) await tf.setBackend(host);
      const known = like.map((other) => traces.get(other)).filter((other) => other !== undefined);
      const claim = known.flatMap((other) => other.forWidths(variables, batch, scalars, known) ?? [])[0];
      let traced = claim ?? tracer.trace(step, batch, scalars);
      let houses = await hold(traced, store);
      if (houses === null) {
        // Another step has them lie together in another way, or there is no room.
        for (const { variable } of traced.variables) store.release(variable);
        traced = tracer.trace(step, batch, scalars);
        traced = traced.withoutTails?.() ?? traced;
        houses = await hold(traced, store);
      }
      const tails = (houses ?? []).map(({ tail, house }) => startTail(tail, house, store));
      const { model, variables: held } = traced;
      const session = await sessions.acquire(traced).catch((thrown: unknown) => {
        for (const { variable } of held) store.release(variable);
        throw thrown;
      });
      const release = () => sessions.release(model);
      const { engine } = device;
      const parts = { engine, runtime, session, traced, specs: batch, store, tails, release };
      const compiled = createCompiledStep(parts);
      traces.set(compiled, new KnownStep(traced, variables, batch, scalars));
      return compiled;
    },
    dispose: () => undefined,
  };
}

const SYSTEMS: Readonly<Record<string, string>> = { linux: 'Linux', win32: 'Windows', darwin: 'macOS' };

/** Why a device cannot be here at all, and the command that would help. */
function findObstacle({ systems }: OnnxDevice): { missing: string; install: string | null } | null {
  if (systems !== null && !systems.includes(process.platform))
    return {
      missing: `it is only for ${systems.map((system) => SYSTEMS[system] ?? system).join(' and ')}`,
      install: null,
    };
  if (locatePackage(ONNX_PACKAGE) !== null) return null;
  return { missing: `the package ${ONNX_PACKAGE} is not installed`, install: ONNX_INSTALL };
}

const damaged = (entry: string, fault: string): string =>
  `the package ${ONNX_PACKAGE} at ${entry} does not work here: ${fault}`;

function onnxProvider(device: OnnxDevice): EngineProvider {
  const name = device.engine;
  let answer: { readonly entry: string; readonly fault: Promise<string | null> } | null = null;
  let loadable: Promise<string | null> | null = null;
  const probe = async (): Promise<EngineStatus> => {
    const obstacle = findObstacle(device);
    if (obstacle !== null) return { available: false, name, ...obstacle };
    const found = locatePackage(ONNX_PACKAGE);
    if (found === null) return { available: false, name, missing: 'it is gone', install: ONNX_INSTALL };
    const { entry, version } = found;
    if (answer?.entry !== entry) answer = { entry, fault: probeDevice(entry, setupFor(device)) };
    const fault = await answer.fault;
    return fault === null
      ? { available: true, description: describeDevice(version, setupFor(device)) }
      : {
          available: false,
          name,
          missing: device === ONNX_CPU ? damaged(entry, fault) : explainFault(device, fault),
          install: device === ONNX_CPU ? ONNX_INSTALL : device.install,
        };
  };
  return {
    name,
    ...(device.systems === null ? {} : { systems: device.systems }),
    probe,
    async load() {
      if (device === ONNX_CPU) {
        // Without a driver that the self-test would try: whether it can be loaded is enough.
        const found = locatePackage(ONNX_PACKAGE);
        if (found !== null && answer === null) {
          loadable ??= tryLoading(found.entry);
          const fault = await loadable;
          if (fault !== null)
            throw unavailable({ name, missing: damaged(found.entry, fault), install: ONNX_INSTALL });
        }
        return loadOnnxRuntime({ device });
      }
      const status = await probe();
      if (!status.available)
        throw unavailable(
          status,
          'Until then --engine onnxruntime computes on the CPU, and auto takes the fastest that works.',
        );
      return loadOnnxRuntime({ device });
    },
  };
}

export const onnxruntime = onnxProvider(ONNX_CPU);
export const onnxruntimeGpus: readonly EngineProvider[] = ONNX_GPUS.map(onnxProvider);
