/**
 * The one TensorFlow.js instance of the backend process. User code that imports any `@tensorflow/tfjs*` package is
 * given this namespace, so that its layers and ours are of the same classes. The umbrella package is not used: it
 * registers a WebGL backend and prints advice on start.
 */
import { registerChainedOps } from './chainedOps';
import { replaceBatchNormalization } from './batchNormalization';
import { mendConvolutionalRecurrence } from './convolutionalRecurrence';
import { mendDilatedConvolution } from './dilatedConvolution';
import { mendLayerNormalization } from './layerNormalization';
import { isolateRecurrentCalls } from './recurrentCalls';
import { completeConfigurations } from './separableConfig';

export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';

isolateRecurrentCalls();
completeConfigurations();
registerChainedOps();
replaceBatchNormalization();
mendLayerNormalization();
mendDilatedConvolution();
mendConvolutionalRecurrence();
