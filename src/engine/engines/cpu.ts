/** Plain JavaScript: slow, and the reference that the other engines' gradients are compared with. */
import '@tensorflow/tfjs-backend-cpu';
import { backend, version_core } from '@tensorflow/tfjs-core';
import { activateBackend, createEagerEngine } from '../eager';
import type { EngineDescription, EngineProvider } from '../engine';
import { installCpuKernels } from '../cpuKernels';
import { installGradients } from '../kernels/gradients';
import { machineMemory } from '../machineMemory';

const description: EngineDescription = {
  name: 'cpu',
  device: 'CPU (plain JavaScript)',
  version: version_core,
  threads: 1,
  memory: machineMemory(),
};

export const cpu: EngineProvider = {
  name: 'cpu',
  probe: () => Promise.resolve({ available: true, description }),
  async load() {
    installGradients();
    installCpuKernels();
    await activateBackend('cpu');
    // Its first operation prints an advertisement for tfjs-node unless it thinks it has run before.
    Object.assign(backend(), { firstUse: false });
    return createEagerEngine('cpu', description);
  },
};
