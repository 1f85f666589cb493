/**
 * Adam in one pass over each weight, four floats at a time. Moments are changed where they lie. Weights become new tensors:
 * XNNPACK keeps what it packs of a depthwise filter under the tensor's number until the tensor is disposed, so their values must
 * not change.
 */
import { backend, engine, util } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { correctedRate, registerAdam, type AdamNumbers, type AdamTensors } from '../adam';
import type { Program } from '../elements/program';
import { compileProgram, LANES } from '../elements/wasmProgram';
import { perMemory } from './assembled';
import { release } from './heap';

const FLOATS = LANES / 4;
const [GRADIENT, FIRST, SECOND, VALUE, NEXT] = [0, 1, 2, 3, 4];
const ARRAYS = 5;

/** m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², θ ← θ - α m / (√v + ε'). */
const program: Program = {
  arrays: ARRAYS,
  numbers: 6,
  items: [
    { kind: 'array', array: GRADIENT },
    { kind: 'array', array: FIRST },
    { kind: 'array', array: SECOND },
    { kind: 'array', array: VALUE },
    // From item 4 on: β₁, 1 - β₁, β₂, 1 - β₂, α, ε'.
    { kind: 'number', number: 0 },
    { kind: 'number', number: 1 },
    { kind: 'number', number: 2 },
    { kind: 'number', number: 3 },
    { kind: 'number', number: 4 },
    { kind: 'number', number: 5 },
    { kind: 'result', operation: 'Mul', of: [1, 4] }, // 10: β₁m
    { kind: 'result', operation: 'Mul', of: [0, 5] }, // (1 - β₁)g
    { kind: 'result', operation: 'Add', of: [10, 11] }, // 12: the new m
    { kind: 'result', operation: 'Mul', of: [0, 0] }, // g²
    { kind: 'result', operation: 'Mul', of: [13, 7] }, // (1 - β₂)g²
    { kind: 'result', operation: 'Mul', of: [2, 6] }, // 15: β₂v
    { kind: 'result', operation: 'Add', of: [15, 14] }, // 16: the new v
    { kind: 'result', operation: 'Sqrt', of: [16] }, // √v
    { kind: 'result', operation: 'Add', of: [17, 9] }, // 18: √v + ε'
    { kind: 'result', operation: 'Mul', of: [12, 8] }, // α m
    { kind: 'result', operation: 'Div', of: [19, 18] }, // 20: the step
    { kind: 'result', operation: 'Sub', of: [3, 20] }, // 21: the new θ
  ],
  stores: [
    { array: FIRST, item: 12 },
    { array: SECOND, item: 16 },
    { array: NEXT, item: 21 },
  ],
};

const runIn = perMemory((memory) => compileProgram(program, memory));

function updateAll(all: readonly AdamTensors[], numbers: AdamNumbers): void {
  const wasm = backend() as unknown as BackendWasm;
  const { alpha, epsilon } = correctedRate(numbers);
  const { beta1, beta2 } = numbers;
  const values = [beta1, 1 - beta1, beta2, 1 - beta2, alpha, epsilon];
  const run = runIn(wasm);
  // Arrays are not filled up to whole lanes: what is behind the last whole one is computed in a place of its own.
  const rest = wasm.makeOutput([ARRAYS * FLOATS], 'float32');
  const restAt = wasm.getMemoryOffset(rest.dataId);
  for (const { value, gradient, first, second } of all) {
    const next = wasm.makeOutput(value.shape, 'float32');
    const addresses = [gradient, first, second, value, next].map(({ dataId }) =>
      wasm.getMemoryOffset(dataId),
    );
    const size = util.sizeFromShape(value.shape);
    const whole = size - (size % FLOATS);
    if (whole > 0) run(whole * 4, addresses, values);
    if (whole < size) {
      const places = addresses.map((_, i) => restAt + i * LANES);
      // After the last allocation, which may have moved the memory.
      const floats = new Float32Array(wasm.typedArrayFromHeap(next).buffer);
      const copy = (to: number, from: number): unknown =>
        floats.copyWithin(to / 4, from / 4, from / 4 + size - whole);
      addresses.forEach((address, i) => copy(places[i] ?? 0, address + whole * 4));
      run(LANES, places, values);
      for (const array of [FIRST, SECOND, NEXT])
        copy((addresses[array] ?? 0) + whole * 4, places[array] ?? 0);
    }
    const tensor = engine().makeTensorFromTensorInfo(next);
    value.assign(tensor);
    tensor.dispose();
  }
  release(wasm, rest);
}

export function installAdam(): void {
  registerAdam('wasm', updateAll);
}
