import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '../../src/engine/tf';

/** Loads a model as TensorFlow.js saves it: `model.json` and `weights.bin` in a folder. */
export async function loadLayersModel(folder: string): Promise<tf.LayersModel> {
  const json = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8')) as {
    modelTopology: object;
    weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
  };
  const bytes = readFileSync(path.join(folder, 'weights.bin'));
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest[0]?.weights ?? [],
      weightData: new Uint8Array(bytes).buffer,
    }),
  );
}
