import { createJiti, type Jiti } from 'jiti';
import * as tf from '../../engine/tf';

/** Packages whose imports are answered by the backend's own TensorFlow.js: one library, one set of classes. */
const TF_PACKAGES = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgl',
  '@tensorflow/tfjs-backend-webgpu',
];

/**
 * Makes a loader of the user's TypeScript and JavaScript modules.
 *
 * @param file absolute path of the module that imports are relative to
 * @param extra more modules by name
 */
export function jitiFor(file: string, extra: Readonly<Record<string, unknown>> = {}): Jiti {
  const namespace = { ...tf, default: tf };
  const virtualModules: Record<string, unknown> = { ...extra };
  for (const name of TF_PACKAGES) virtualModules[name] = namespace;
  return createJiti(file, {
    fsCache: false,
    moduleCache: false,
    interopDefault: true,
    jsx: /\.(?:tsx|jsx|js|mjs|cjs)$/i.test(file),
    virtualModules,
    // Lines keep their numbers, so that the place of an error is one in the source.
    transformOptions: { retainLines: true },
  });
}
