/** WebAssembly: ships with the extension and works on every machine. */
import { setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { activateBackend, createEagerEngine } from '../eager';
import type { EngineDescription, EngineProvider } from '../engine';
import { installGradients } from '../kernels/gradients';
import { machineMemory } from '../machineMemory';
import { unavailable } from '../unavailable';
import { wasmFolder } from '../wasmFolder';
import { installWasmKernels } from '../wasmKernels/install';

const description: EngineDescription = {
  name: 'wasm',
  device: 'CPU (WebAssembly, SIMD)',
  version: version_wasm,
  threads: 1,
  // A WebAssembly memory has addresses of 32 bits.
  memory: Math.min(2 ** 32, machineMemory()),
};

const INSTALL = 'npm run build';
const MISSING = 'its WebAssembly binaries are neither beside the program nor in node_modules';

export const wasm: EngineProvider = {
  name: 'wasm',
  probe: () =>
    Promise.resolve(
      wasmFolder() === null
        ? { available: false, name: 'wasm', missing: MISSING, install: INSTALL }
        : { available: true, description },
    ),
  async load() {
    const folder = wasmFolder();
    if (folder === null) throw unavailable({ name: 'wasm', missing: MISSING, install: INSTALL });
    setWasmPaths(folder);
    setThreadsCount(1);
    installGradients();
    installWasmKernels();
    await activateBackend('wasm');
    return createEagerEngine('wasm', description);
  },
};
