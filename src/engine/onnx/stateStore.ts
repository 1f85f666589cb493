/**
 * The values of variables between steps, held as ONNX Runtime tensors and shared by the compiled steps of an engine:
 * the step for the last, smaller batch goes on where the step for the others stopped.
 */
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../core/tensor';
import type { OnnxRuntime, OnnxTensor } from './runtime';

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
    [slot.current, slot.spare] = [slot.spare, slot.current];
    slot.ahead = true;
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
