import { installAdam } from './adam';
import { installConv2D } from './conv2d';
import { installConv3D } from './conv3d';
import { installDepthwiseForward } from './depthwiseForward';
import { installDepthwise } from './depthwise';
import { installElementwise } from './elementwise';
import { installMatMul } from './matMul';
import { installPooling } from './pooling';
import { installRepetition } from './repetition';
import { installRowwise } from './rowwise';
import { installSums } from './sums';
import { installTruths } from './truths';

let installed = false;

/** Replaces the stock `wasm` kernels that are missing, wrong or slow in training. Once a process. */
export function installWasmKernels(): void {
  if (installed) return;
  installed = true;
  installMatMul();
  installDepthwiseForward();
  installConv2D();
  installConv3D();
  installDepthwise();
  installPooling();
  installRepetition();
  installSums();
  installRowwise();
  installTruths();
  installElementwise();
  installAdam();
}
