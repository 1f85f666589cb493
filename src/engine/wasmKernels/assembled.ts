/** WebAssembly of our own in the backend's memory. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { assemble, type AssembledFunction } from '../../core/assembly/assembler';
import { webAssembly, type WasmMemory, type WasmModule } from '../../core/assembly/webAssembly';
import { memoryOf } from './heap';

/** Makes something once for a backend's memory: as a rule for the only one of a process. */
export function perMemory<T>(
  make: (memory: WasmMemory, backend: BackendWasm) => T,
): (backend: BackendWasm) => T {
  let made: { readonly memory: WasmMemory; readonly thing: T } | undefined;
  return (backend) => {
    const memory = memoryOf(backend);
    if (made?.memory !== memory) made = { memory, thing: make(memory, backend) };
    return made.thing;
  };
}

/** What a module's functions are called with: addresses and counts. */
export type Functions<Name extends string> = Readonly<Record<Name, (...values: number[]) => void>>;

/** @param functions assembled when they are first used */
export function assembledIn<Name extends string>(
  functions: () => readonly (AssembledFunction & { readonly name: Name })[],
): (memory: WasmMemory) => Functions<Name> {
  let module: WasmModule | undefined;
  return (memory) => {
    module ??= new webAssembly.Module(assemble(functions()));
    return new webAssembly.Instance(module, { env: { memory } }).exports as Functions<Name>;
  };
}
