/**
 * What the training kernels share: access to the WebAssembly heap, and the stock kernels they are composed of.
 * Kernels here run with the backend's own memory, so a heap view must be taken after the last allocation: growing
 * the memory detaches older views.
 */
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { DataType, KernelFunc, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WasmMemory } from '../../core/assembly/webAssembly';

/** What a kernel is called with: tensors by the names that the kernel gives them, and its attributes. */
export interface KernelCall<InputName extends string, Attributes, OptionalName extends string = never> {
  readonly inputs: Readonly<Record<InputName, TensorInfo> & Partial<Record<OptionalName, TensorInfo>>>;
  readonly attrs: Attributes;
  readonly backend: BackendWasm;
}

/** The kernels as tfjs-backend-wasm registered them, before any was replaced. */
const stock = new Map<string, KernelFunc>();

/**
 * Runs a stock kernel.
 *
 * @param inputs by the names that the kernel gives them
 */
export function runStock(
  name: string,
  backend: BackendWasm,
  inputs: NamedTensorInfoMap,
  attrs: object = {},
): TensorInfo {
  const kernel = stock.get(name) ?? getKernel(name, 'wasm').kernelFunc;
  const result = kernel({ inputs, backend, attrs: { ...attrs } });
  if (Array.isArray(result)) throw new TypeError(`${name} has several outputs`);
  return result;
}

/** Registers a kernel for `wasm`, in place of the stock one if there is one. */
export function replaceKernel<InputName extends string, Attributes>(
  kernelName: string,
  run: (call: KernelCall<InputName, Attributes>) => TensorInfo,
): void {
  // The registry's type promises a kernel for every name; asked for a missing one it answers null.
  const existing = getKernel(kernelName, 'wasm') as ReturnType<typeof getKernel> | null | undefined;
  if (existing && !stock.has(kernelName)) stock.set(kernelName, existing.kernelFunc);
  if (existing) unregisterKernel(kernelName, 'wasm');
  registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: run as unknown as KernelFunc,
    // The stock kernel may still be called: it needs its own set-up.
    ...(existing?.setupFunc ? { setupFunc: existing.setupFunc } : {}),
    ...(existing?.disposeFunc ? { disposeFunc: existing.disposeFunc } : {}),
  });
}

/** What Emscripten exports and the package's types leave out. */
interface Exports {
  readonly asm: { readonly memory: WasmMemory };
  /** @returns an address, 0 where no memory is left */
  readonly _malloc: (bytes: number) => number;
}

const exportsOf = (backend: BackendWasm): Exports => backend.wasm as unknown as Exports;

/** The memory that all tensors lie in. */
export function memoryOf(backend: BackendWasm): WasmMemory {
  return exportsOf(backend).asm.memory;
}

/** Where the values of tensors lie. They stay there, also when the memory grows. */
export function addressesOf(backend: BackendWasm, ...tensors: readonly TensorInfo[]): number[] {
  return tensors.map(({ dataId }) => backend.getMemoryOffset(dataId));
}

/** Memory that is kept as long as the backend. @returns its address */
export function reserve(backend: BackendWasm, bytes: number): number {
  const address = exportsOf(backend)._malloc(bytes);
  if (address === 0) throw new Error(`WebAssembly has no ${bytes} bytes left`);
  return address;
}

/** The same data under another shape; the caller holds no new reference and must not dispose it. */
export function viewAs(tensor: TensorInfo, shape: number[]): TensorInfo {
  return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
}

/** The same data with a reference of its own. */
export function share(backend: BackendWasm, tensor: TensorInfo, shape: number[] = tensor.shape): TensorInfo {
  backend.incRef(tensor.dataId);
  return viewAs(tensor, shape);
}

/** Gives up the references that a kernel held on its intermediate results. */
export function release(backend: BackendWasm, ...tensors: readonly TensorInfo[]): void {
  for (const tensor of tensors) backend.disposeData(tensor.dataId);
}

/** An output filled with zeros. */
export function zeros(backend: BackendWasm, shape: number[], dtype: DataType = 'float32'): TensorInfo {
  const out = backend.makeOutput(shape, dtype);
  backend.typedArrayFromHeap(out).fill(0);
  return out;
}

/** The values of a float tensor, in place. Valid until the next allocation. */
export function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap({ ...tensor, dtype: 'float32' }) as Float32Array;
}

/** The values of an integer tensor, in place. Valid until the next allocation. */
export function integers(backend: BackendWasm, tensor: TensorInfo): Int32Array {
  return backend.typedArrayFromHeap({ ...tensor, dtype: 'int32' }) as Int32Array;
}

/** Fills with copies of a row. */
export function repeatRow(to: Float32Array, row: Float32Array): void {
  if (row.length > 0) for (let at = 0; at < to.length; at += row.length) to.set(row, at);
}
