/**
 * The values of variables between steps, held as ONNX Runtime tensors and shared by the compiled steps of an engine:
 * the step for the last, smaller batch goes on where the step for the others stopped.
 */
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../core/tensor';
import type { OnnxRuntime, OnnxTensor } from './runtime';
import { LANES } from '../elements/wasmProgram';
import { webAssembly, type WasmMemory } from '../../core/assembly/webAssembly';

/** One memory that holds the values of some variables of one size, and has room for as large results. */
export interface House {
  readonly memory: WasmMemory;
  /** Of one value, filled up. */
  readonly bytes: number;
  readonly addresses: ReadonlyMap<tf.Variable, number>;
  readonly rooms: readonly { readonly tensor: OnnxTensor; readonly address: number }[];
}

interface Slot {
  current: OnnxTensor;
  /** Where the next step writes; then the two change places. */
  spare: OnnxTensor | null;
  /** Compiled steps that use the variable. */
  users: number;
  /** Whether a step has written since the last pull. */
  ahead: boolean;
  /** The variable's data when it was last equal to this; each assignment gives a variable other data. */
  equalTo: object | null;
  /** Where `current` lies, if it has to lie together with others; it is assigned in place then. */
  house?: House;
}

/** Bytes of a page of WebAssembly's memory. */
const PAGE = 65536;
/** Pages of the largest memory. */
const MOST_PAGES = 65536;

/** @returns null where there is none: each takes gigabytes of addresses, of which some systems allow few */
function makeMemory(bytes: number): WasmMemory | null {
  const initial = Math.ceil(bytes / PAGE);
  if (initial > MOST_PAGES) return null;
  try {
    return new webAssembly.Memory({ initial });
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

export class StateStore {
  readonly #slots = new Map<tf.Variable, Slot>();
  readonly #runtime: OnnxRuntime;

  constructor(runtime: OnnxRuntime) {
    this.#runtime = runtime;
  }

  /** Holds a variable's value for one more compiled step. A value that is already held is kept: it is newer. */
  async acquire(variable: tf.Variable): Promise<void> {
    const known = this.#slots.get(variable);
    if (known !== undefined) {
      known.users += 1;
      return;
    }
    const current = this.#allocate(variable);
    this.#slots.set(variable, { current, spare: null, users: 1, ahead: false, equalTo: null });
    await this.push(variable);
  }

  release(variable: tf.Variable): void {
    const slot = this.#slots.get(variable);
    if (slot === undefined) return;
    slot.users -= 1;
    if (slot.users === 0) this.#slots.delete(variable);
  }

  /** The value that the next step reads. */
  read(variable: tf.Variable): OnnxTensor {
    return this.#slot(variable).current;
  }

  /** Where the next step writes the new value. */
  write(variable: tf.Variable): OnnxTensor {
    const slot = this.#slot(variable);
    slot.spare ??= this.#allocate(variable);
    return slot.spare;
  }

  /** What was written becomes what is read. */
  advance(variable: tf.Variable): void {
    const slot = this.#slot(variable);
    if (slot.spare === null) return;
    // What a tail assigns stays where it lies.
    if (slot.house !== undefined) (slot.current.data as Float32Array).set(slot.spare.data as Float32Array);
    else [slot.current, slot.spare] = [slot.spare, slot.current];
    slot.ahead = true;
  }

  /** A held variable was assigned in place. */
  wrote(variable: tf.Variable): void {
    this.#slot(variable).ahead = true;
  }

  /**
   * Makes held variables lie in one memory.
   *
   * @param variables float ones, all of `shape`
   * @param rooms how many results of that shape are to lie beside them
   * @returns null when one of them lies together with others already, or there is no room for all
   */
  house(variables: readonly tf.Variable[], rooms: number, shape: readonly number[]): House | null {
    const slots = variables.map((variable) => this.#slot(variable));
    const known = slots.find(({ house }) => house !== undefined)?.house;
    if (known !== undefined) {
      const same = slots.every(({ house }) => house === known) && known.addresses.size === slots.length;
      return same && known.rooms.length >= rooms ? known : null;
    }
    const size = sizeOf(shape);
    const bytes = Math.ceil((size * 4) / LANES) * LANES;
    const count = variables.length + rooms;
    const memory = makeMemory(bytes * count);
    if (memory === null) return null;
    const tensorAt = (address: number): OnnxTensor =>
      new this.#runtime.Tensor('float32', new Float32Array(memory.buffer, address, size), shape);
    const made: House = {
      memory,
      bytes,
      addresses: new Map(variables.map((variable, i) => [variable, i * bytes])),
      rooms: Array.from({ length: rooms }, (_, i) => {
        const address = (variables.length + i) * bytes;
        return { address, tensor: tensorAt(address) };
      }),
    };
    slots.forEach((slot, i) => {
      const moved = tensorAt(i * bytes);
      (moved.data as Float32Array).set(slot.current.data as Float32Array);
      Object.assign(slot, { current: moved, spare: null, house: made });
    });
    return made;
  }

  /** Copies the value into the variable, if a step has changed it. */
  pull(variable: tf.Variable): void {
    const slot = this.#slot(variable);
    if (!slot.ahead || variable.isDisposed) return;
    // The backend copies what it is given.
    const values = slot.current.data as Float32Array | Int32Array;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, variable.dtype as 'float32' | 'int32')));
    slot.ahead = false;
    slot.equalTo = variable.dataId;
  }

  /** Copies the variable's value. */
  async push(variable: tf.Variable): Promise<void> {
    const slot = this.#slot(variable);
    if (!slot.ahead && slot.equalTo === variable.dataId) return;
    const { dataId } = variable;
    const values = await variable.data();
    (slot.current.data as Float32Array | Int32Array).set(values);
    slot.ahead = false;
    slot.equalTo = dataId;
  }

  #slot(variable: tf.Variable): Slot {
    const slot = this.#slots.get(variable);
    if (slot === undefined) throw new Error(`no state is held for ${variable.name}`);
    return slot;
  }

  #allocate(variable: tf.Variable): OnnxTensor {
    const size = sizeOf(variable.shape);
    return variable.dtype === 'int32'
      ? new this.#runtime.Tensor('int32', new Int32Array(size), variable.shape)
      : new this.#runtime.Tensor('float32', new Float32Array(size), variable.shape);
  }
}
