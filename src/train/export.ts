import * as tf from '../engine/tf';
import type { LayerWeights } from '../core/tensor';
import type { Topology } from '../core/topology';
import { disposeModel, setWeights } from './model';

/** The learned network as TensorFlow.js saves models: `model.json` and `weights.bin`, to be loaded by its loaders. */
export async function exportModel(
  topology: Topology,
  weights: LayerWeights,
): Promise<{ readonly 'model.json': string; readonly 'weights.bin': Uint8Array }> {
  const model = await tf.models.modelFromJSON({ modelTopology: topology as never });
  try {
    setWeights(model, weights);
    let artifacts: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((given) => {
        artifacts = given;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
      }),
    );
    if (artifacts === undefined) throw new RangeError('saving gave nothing');
    const { modelTopology, weightSpecs, weightData } = artifacts;
    const json = {
      format: 'layers-model',
      generatedBy: 'ShrinkNets',
      convertedBy: null,
      modelTopology,
      weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
    };
    return {
      'model.json': `${JSON.stringify(json, null, 1)}\n`,
      'weights.bin': new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
    };
  } finally {
    disposeModel(model);
  }
}
