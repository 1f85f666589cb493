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
  /** What the machine must have for it; null for nothing in particular. */
  readonly needs: string | null;
  /** Command that gets what the provider needs beside the package, if there is one. */
  readonly install: string | null;
}

export const ONNX_CPU: OnnxDevice = {
  engine: 'onnxruntime',
  provider: 'cpu',
  device: 'CPU (ONNX Runtime)',
  systems: null,
  needs: null,
  install: null,
};

export const ONNX_GPUS: readonly OnnxDevice[] = [
  {
    engine: 'onnxruntime-cuda',
    provider: 'cuda',
    device: 'NVIDIA GPU (ONNX Runtime, CUDA)',
    systems: ['linux', 'win32'],
    needs: 'an NVIDIA GPU with its driver, CUDA 12 and cuDNN 9',
    // Its libraries are too large for the npm registry; the package's own install step fetches them from elsewhere.
    install: 'npm install onnxruntime-node@1.30.0 --onnxruntime-node-install=cuda12',
  },
  {
    engine: 'onnxruntime-dml',
    provider: 'dml',
    device: 'GPU (ONNX Runtime, DirectML)',
    systems: ['win32'],
    needs: 'a graphics driver with Direct3D 12',
    install: null,
  },
  {
    engine: 'onnxruntime-coreml',
    provider: 'coreml',
    device: 'Apple GPU and Neural Engine (ONNX Runtime, CoreML)',
    systems: ['darwin'],
    needs: 'a Mac with Core ML',
    install: null,
  },
  {
    engine: 'onnxruntime-webgpu',
    provider: 'webgpu',
    device: 'GPU (ONNX Runtime, WebGPU)',
    systems: null,
    needs: 'a GPU whose driver speaks Vulkan, Metal or Direct3D 12',
    install: null,
  },
];

/** Characters of what ONNX Runtime says that are repeated. */
const QUOTED = 80;

/** What a device that does not work lacks, for its user. @param fault what was found, in ONNX Runtime's words */
export function explainFault({ needs }: OnnxDevice, fault: string): string {
  if (needs === null) return fault;
  if (fault.startsWith('its gradients')) return `${fault}; update its driver`;
  if (fault.includes('has only')) return `ONNX Runtime's part for it is not installed; it takes ${needs}`;
  const said = fault.length > QUOTED ? `${fault.slice(0, QUOTED)}...` : fault;
  return `it takes ${needs}; tried here, it failed: ${said}`;
}
