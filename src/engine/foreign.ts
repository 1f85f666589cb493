/**
 * TensorFlow.js backends that come with the user's project. They bring their own copy of the core, which registers its
 * kernels and gradients again in the one registry that all copies share: ours are put back afterwards.
 */
import { installCpuKernels } from './cpuKernels';
import { installGradients } from './kernels/gradients';

/** Loads a package quietly and puts our kernels and gradients back. */
export async function loadForeign(load: () => unknown): Promise<void> {
  const { warn, log, info } = console;
  const mute = () => undefined;
  // A warning for each of the hundreds of kernels that are registered a second time.
  Object.assign(console, { warn: mute, log: mute, info: mute });
  try {
    await load();
  } finally {
    Object.assign(console, { warn, log, info });
  }
  installGradients(true);
  installCpuKernels(true);
}

/** Functions that Node 23 removed and tfjs-node calls. Text, because a probe's child runs it as well. */
export const NODE_23_SHIM =
  "const util = require('node:util'); util.isNullOrUndefined ??= (value) => value == null; util.isArray ??= Array.isArray;";
