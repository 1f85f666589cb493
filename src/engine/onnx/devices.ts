/** What ONNX Runtime can compute on: its execution providers, each an engine of its own that is probed and measured. */

export interface OnnxDevice {
  /** Name of the engine. */
  readonly engine: string;
  /** Name of the execution provider. */
  readonly provider: 'cpu' | 'cuda' | 'dml' | 'coreml' | 'webgpu';
  /** For people: `CPU (ONNX Runtime)`. */
  readonly device: string;
  /** Systems (`process.platform`) that ONNX Runtime has it for; null for all. */
  readonly systems: readonly NodeJS.Platform[] | null;
  /** Command that gets what the provider needs beside the package, if there is one. */
  readonly install: string | null;
}

export const ONNX_CPU: OnnxDevice = {
  engine: 'onnxruntime',
  provider: 'cpu',
  device: 'CPU (ONNX Runtime)',
  systems: null,
  install: null,
};

export const ONNX_GPUS: readonly OnnxDevice[] = [
  {
    engine: 'onnxruntime-cuda',
    provider: 'cuda',
    device: 'NVIDIA GPU (ONNX Runtime, CUDA)',
    systems: ['linux', 'win32'],
    // Its libraries are too large for the npm registry; the package's own install step fetches them from elsewhere.
    install: 'npm install onnxruntime-node@1.30.0 --onnxruntime-node-install=cuda12',
  },
  {
    engine: 'onnxruntime-dml',
    provider: 'dml',
    device: 'GPU (ONNX Runtime, DirectML)',
    systems: ['win32'],
    install: null,
  },
  {
    engine: 'onnxruntime-coreml',
    provider: 'coreml',
    device: 'Apple GPU and Neural Engine (ONNX Runtime, CoreML)',
    systems: ['darwin'],
    install: null,
  },
  {
    engine: 'onnxruntime-webgpu',
    provider: 'webgpu',
    device: 'GPU (ONNX Runtime, WebGPU)',
    systems: null,
    install: null,
  },
];
