// How programs that run in Node.js are bundled.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

export const nodeBundle = {
  absWorkingDir: path.dirname(path.dirname(fileURLToPath(import.meta.url))),
  bundle: true,
  platform: 'node',
  target: 'node20',
  // Native engines are found at run time, in the user's project or beside us; they cannot be bundled.
  external: ['onnxruntime-node', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu', 'webgpu', 'vscode'],
  // jiti's ES module finds its transformer by import.meta.url, which a CommonJS bundle has not.
  alias: { jiti: path.join(path.dirname(require.resolve('jiti/package.json')), 'lib', 'jiti.cjs') },
  // TensorFlow.js's CommonJS files are marked free of side effects, so that importing one for its registrations is dropped.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  logLevel: 'warning',
};
