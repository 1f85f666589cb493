/** TensorFlow's own C library, on the CPU or with CUDA: `@tensorflow/tfjs-node` and `-gpu` of the user's project. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import { messageOf, ShrinkError } from '../../core/errors';
import { probeInChild, type ProbeAnswer } from '../childProbe';
import { activateBackend, createEagerEngine } from '../eager';
import type { EngineDescription, EngineProvider, EngineStatus } from '../engine';
import { loadForeign, NODE_23_SHIM } from '../foreign';
import { correctThinConvolutions, correctVolumes } from '../foreignKernels';
import { locatePackage, type LocatedPackage } from '../locate';
import { machineMemory } from '../machineMemory';
import { installTensorflowAdam } from '../tensorflowAdam';
import { quickenTensorflow } from '../tensorflowKernels';
import { unavailable } from '../unavailable';

const VERSION = '4.22.0';

/** Loads the package, multiplies two matrices and says what did it. */
const PROBE = `${NODE_23_SHIM}
const mute = () => undefined;
const print = console.log;
Object.assign(console, { warn: mute, log: mute, info: mute });
const tf = require(process.argv[1]);
const product = tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync()[0];
if (product !== 3) throw new Error('a product of matrices is wrong');
print(JSON.stringify({ version: tf.version['tfjs-node'] ?? tf.version.tfjs, gpu: tf.backend().isUsingGpuDevice === true, tensorflow: tf.node?.TF_VERSION }));`;

function describeNode(name: string, facts: Readonly<Record<string, unknown>>): EngineDescription {
  const library =
    typeof facts['tensorflow'] === 'string' ? `libtensorflow ${facts['tensorflow']}` : 'libtensorflow';
  const device = facts['gpu'] === true ? `GPU (${library}, CUDA)` : `CPU (${library})`;
  return {
    name,
    device,
    version: typeof facts['version'] === 'string' ? facts['version'] : VERSION,
    // TensorFlow takes a thread for each core.
    threads: facts['gpu'] === true ? null : availableParallelism(),
    memory: facts['gpu'] === true ? null : machineMemory(),
  };
}

function applyShim(): void {
  const target = util as unknown as Record<string, unknown>;
  target['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  target['isArray'] ??= Array.isArray;
  // The package gets the CommonJS module, which is another object where this file is an ES module.
  Object.assign(createRequire(process.execPath)('node:util') as object, {
    isNullOrUndefined: target['isNullOrUndefined'],
    isArray: target['isArray'],
  });
}

/** @param name of the engine and of the package below `@tensorflow/` */
function tfjsNodeProvider(name: 'tfjs-node' | 'tfjs-node-gpu'): EngineProvider {
  const packageName = `@tensorflow/${name}`;
  const install = `npm install ${packageName}@${VERSION}`;
  let answer: { readonly entry: string; readonly found: Promise<ProbeAnswer> } | null = null;
  let corrected = false;
  // Once per place: a probe takes a second or two.
  const ask = ({ entry }: LocatedPackage): Promise<ProbeAnswer> => {
    if (answer?.entry !== entry) answer = { entry, found: probeInChild(PROBE, [entry]) };
    return answer.found;
  };
  const probe = async (): Promise<EngineStatus> => {
    const found = locatePackage(packageName);
    if (found === null) {
      const missing = `the package ${packageName} is not in the project`;
      return { available: false, name, missing, install };
    }
    const result = await ask(found);
    if (result.works) return { available: true, description: describeNode(name, result.facts) };
    return {
      available: false,
      name,
      missing: `${packageName} does not work here: ${result.problem}`,
      install,
    };
  };
  return {
    name,
    probe,
    async load() {
      const status = await probe();
      const found = locatePackage(packageName);
      if (!status.available) throw unavailable(status);
      if (found === null) throw unavailable({ name, missing: 'it is gone', install });
      applyShim();
      // Errors only; the library greets with a page of advice otherwise.
      process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
      try {
        await loadForeign(() => found.load());
        if (!corrected) {
          correctVolumes('tensorflow');
          correctThinConvolutions('tensorflow');
          // Not tried on a GPU: there these stay what TensorFlow.js makes of them.
          if (name === 'tfjs-node') {
            quickenTensorflow();
            installTensorflowAdam();
          }
        }
        corrected = true;
      } catch (thrown) {
        const message = `The engine ${name} cannot be loaded: ${messageOf(thrown)}`;
        throw new ShrinkError('environment', 'engine-unavailable', message, { cause: thrown });
      }
      await activateBackend('tensorflow');
      return createEagerEngine('tensorflow', status.description);
    },
  };
}

export const tfjsNode = tfjsNodeProvider('tfjs-node');
export const tfjsNodeGpu = tfjsNodeProvider('tfjs-node-gpu');
