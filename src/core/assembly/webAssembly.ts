/** What is used of WebAssembly: the types of Node.js leave it out, and those of browsers bring too much. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export type WasmModule = object;

interface WebAssembly {
  readonly Memory: new (size: { initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssembly }).WebAssembly;
