/** A GPU through Dawn: the packages `webgpu` and `@tensorflow/tfjs-backend-webgpu` of the user's project. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, ShrinkError } from '../../core/errors';
import { probeInChild, type ProbeAnswer } from '../childProbe';
import { activateBackend, createEagerEngine } from '../eager';
import type { EngineDescription, EngineProvider, EngineStatus } from '../engine';
import { correctAveragePooling, loadForeign } from '../foreign';
import { correctCasts, correctMaxPool3DGradient } from '../foreignKernels';
import { locatePackage, type LocatedPackage } from '../locate';
import { unavailable } from '../unavailable';

const DAWN = 'webgpu';
const BACKEND = '@tensorflow/tfjs-backend-webgpu';
const INSTALL = `npm install ${DAWN} ${BACKEND}@4.22.0`;

/** Asks Dawn for an adapter and describes it. */
const PROBE = `import(process.argv[1]).then(async ({ create, globals }) => {
  Object.assign(globalThis, globals);
  const adapter = await create([]).requestAdapter();
  if (adapter === null) throw new Error('no graphics adapter was found');
  const { vendor, architecture, device, description } = adapter.info;
  console.log(JSON.stringify({ device: description || device || [vendor, architecture].join(' ') }));
  process.exit(0);
}).catch((error) => { console.error(String(error)); process.exit(1); });`;

interface Dawn {
  readonly create: (options: readonly string[]) => object;
  readonly globals: object;
}

/** Both packages, or the name of the one that is missing. */
function locateBoth(): { readonly dawn: LocatedPackage; readonly backend: LocatedPackage } | string {
  const dawn = locatePackage(DAWN);
  if (dawn === null) return DAWN;
  const backend = locatePackage(BACKEND);
  return backend === null ? BACKEND : { dawn, backend };
}

let answer: { readonly entry: string; readonly found: Promise<ProbeAnswer> } | null = null;

function ask(entry: string): Promise<ProbeAnswer> {
  if (answer?.entry !== entry) answer = { entry, found: probeInChild(PROBE, [pathToFileURL(entry).href]) };
  return answer.found;
}

function describeDevice(device: unknown, version: string): EngineDescription {
  return { name: 'webgpu', device: `GPU (WebGPU, ${String(device)})`, version, threads: null, memory: null };
}

async function probe(): Promise<EngineStatus> {
  const found = locateBoth();
  if (typeof found === 'string') {
    const missing = `the package ${found} is not in the project`;
    return { available: false, name: 'webgpu', missing, install: INSTALL };
  }
  const result = await ask(found.dawn.entry);
  if (result.works)
    return { available: true, description: describeDevice(result.facts['device'], found.backend.version) };
  return { available: false, name: 'webgpu', missing: result.problem, install: null };
}

/** Sets up `navigator.gpu`, which the backend looks for when it is loaded. */
async function provideGpu(entry: string): Promise<void> {
  const { create, globals } = (await import(/* @vite-ignore */ pathToFileURL(entry).href)) as Dawn;
  Object.assign(globalThis, globals);
  const holder = globalThis as { navigator?: object };
  // Node 21 and newer have a navigator, older ones do not.
  holder.navigator ??= {};
  Object.defineProperty(holder.navigator, 'gpu', { value: create([]), configurable: true });
}

/** What is used of the backend's device; it has no types here. */
interface Device {
  /** Settled once the device is gone, pending until then. */
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
}

/** A device that is gone says so a little later than what it was computing fails. */
const PATIENCE_MS = 500;

async function whyLost({ lost }: Device): Promise<string | undefined> {
  const gone = lost.then(({ reason, message }) => `its device was lost (${message || reason})`);
  return Promise.race([gone, sleep(PATIENCE_MS, undefined)]);
}

/** What is used of the backend; it has no types here. */
interface Backend {
  readonly device: Device;
  readonly bufferManager: BufferManager;
}

interface BufferManager {
  /** Those of tensors that are gone; what still waits for the device uses none of them. */
  readonly freeBuffers: ReadonlyMap<string, { readonly size: number; destroy(): void }[]>;
  numFreeBuffers: number;
  numBytesAllocated: number;
}

/**
 * The backend keeps every buffer for the next tensor of its size and never lets go of one; after a collection there is
 * none of most sizes, so the memory of each network that a run had would add up.
 */
function releaseFreeBuffers(manager: BufferManager): void {
  for (const buffers of manager.freeBuffers.values())
    for (const buffer of buffers.splice(0)) {
      buffer.destroy();
      manager.numFreeBuffers -= 1;
      manager.numBytesAllocated -= buffer.size;
    }
}

let loaded = false;

export const webgpu: EngineProvider = {
  name: 'webgpu',
  probe,
  async load() {
    const status = await probe();
    const found = locateBoth();
    if (!status.available) throw unavailable(status);
    if (typeof found === 'string')
      throw unavailable({ name: 'webgpu', missing: `the package ${found} is gone`, install: INSTALL });
    if (!loaded) {
      try {
        await provideGpu(found.dawn.entry);
        await loadForeign(() => found.backend.load());
        correctAveragePooling('webgpu');
        correctMaxPool3DGradient('webgpu');
        correctCasts('webgpu');
      } catch (thrown) {
        const message = `The engine webgpu cannot be loaded: ${messageOf(thrown)}`;
        throw new ShrinkError('environment', 'engine-unavailable', message, { cause: thrown });
      }
      loaded = true;
    }
    await activateBackend('webgpu');
    const backend = tf.backend() as unknown as Backend;
    return createEagerEngine('webgpu', status.description, {
      whyFailed: () => whyLost(backend.device),
      forgetShapes: () => {
        releaseFreeBuffers(backend.bufferManager);
      },
    });
  },
};
