import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { LayersModel } from '@tensorflow/tfjs-layers';

const STAGES = [16, 32, 64] as const;

function convBnRelu(x: SymbolicTensor, filters: number, strides = 1): SymbolicTensor {
  // @shrink multiple=4
  const y = layers
    .conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false })
    .apply(x) as SymbolicTensor;
  const normalised = layers.batchNormalization({}).apply(y);
  return layers.activation({ activation: 'relu' }).apply(normalised) as SymbolicTensor;
}

function residualBlock(x: SymbolicTensor, filters: number, strides: number): SymbolicTensor {
  const shortcut =
    strides === 1 && x.shape[3] === filters
      ? x
      : (layers.conv2d({ filters, kernelSize: 1, strides }).apply(x) as SymbolicTensor);
  const y = convBnRelu(convBnRelu(x, filters, strides), filters);
  return layers.add().apply([y, shortcut]) as SymbolicTensor;
}

export default function resnet(classes = 10, blocksPerStage = 2): LayersModel {
  const image = input({ shape: [32, 32, 3] });
  let x = convBnRelu(image, 16);
  for (const [stage, filters] of STAGES.entries()) {
    for (let block = 0; block < blocksPerStage; block++) {
      x = residualBlock(x, filters, stage > 0 && block === 0 ? 2 : 1);
    }
  }
  const pooled = layers.globalAveragePooling2d({}).apply(x);
  return model({
    inputs: image,
    outputs: layers.dense({ units: classes, activation: 'softmax' }).apply(pooled) as SymbolicTensor,
  });
}
