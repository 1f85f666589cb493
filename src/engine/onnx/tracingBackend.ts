/**
 * A TensorFlow.js backend that computes nothing: each kernel appends to a graph. Tensors are names of values in that
 * graph, or host values that become constants when they are used.
 */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, ShrinkError } from '../../core/errors';
import { sizeOf } from '../../core/tensor';
import { emitters } from './emitters/table';
import { Graph, type ElementType, type Value } from './graph';
import { BROADCASTING, broadcastShape, filledBy, repeatedInput, uniformValue } from './broadcasting';
import { recogniseDraw, revealingSeed, type Draw } from './draws';
import { scalar } from './emitters/emitter';

export const TRACING_BACKEND = 'shrinknets-trace';

interface Entry {
  readonly shape: number[];
  readonly dtype: tf.DataType;
  references: number;
  /** Host values; absent for what the graph computes. */
  values?: tf.backend_util.BackendValues;
  /** The one value everywhere, where that is known. */
  fill?: number;
  /** The value in the graph. It is smaller than the tensor where the tensor only repeats it (broadcasting.ts). */
  value?: Value;
  /** The recording that `value` belongs to. */
  recording?: Recording;
}

/** A tensor of random numbers that the graph takes as an input. */
export interface RandomInput {
  readonly value: Value;
  readonly draw: Draw;
}

/** What a trace gathers. */
export class Recording {
  readonly graph = new Graph();
  readonly randoms: RandomInput[] = [];
  /** Seeds handed out whose tensor has not been seen yet. */
  readonly #pending: number[] = [];
  readonly #nextSeed: () => number;

  constructor(nextSeed: () => number) {
    this.#nextSeed = nextSeed;
  }

  /** Stands in for `Math.random()`. */
  readonly handOutSeed = (): number => {
    const seed = revealingSeed(this.#nextSeed);
    this.#pending.push(seed);
    return seed;
  };

  /** @throws ShrinkError `untraceable-random` when numbers were drawn that no input stands for */
  checkAllFound(): void {
    if (this.#pending.length === 0) return;
    throw new ShrinkError(
      'environment',
      'untraceable-random',
      'The training step draws random numbers that are neither uniform nor normal; this engine cannot renew them in each step.',
    );
  }

  /** The input for a tensor of random numbers, or null if it is not one. */
  findRandom(shape: readonly number[], values: ArrayLike<number>): Value | null {
    for (const [index, seed] of this.#pending.entries()) {
      const draw = recogniseDraw(seed, values);
      if (draw === null) continue;
      this.#pending.splice(index, 1);
      const value = this.graph.input(`random${this.randoms.length}`, shape, 'float32');
      this.randoms.push({ value, draw });
      return value;
    }
    return null;
  }
}

function elementType(dtype: tf.DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new ShrinkError('environment', 'untraceable-kernel', `A tensor of type ${dtype} cannot be traced.`);
}

type KernelInputs = tf.NamedTensorInfoMap | tf.TensorInfo[];

export class TracingBackend extends tf.KernelBackend {
  recording: Recording | null = null;
  readonly #entries: tf.DataStorage<Entry> = new tf.DataStorage<Entry>(this, tf.engine());

  override write(values: tf.backend_util.BackendValues | null, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues | null,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    const entry: Entry = { shape, dtype, references: refCount };
    if (values !== null) {
      entry.values = values;
      const uniform = dtype === 'float32' ? uniformValue(values as Float32Array) : undefined;
      if (uniform !== undefined) entry.fill = uniform;
      const random = dtype === 'float32' ? this.recording?.findRandom(shape, values as Float32Array) : null;
      if (random && this.recording) Object.assign(entry, { value: random, recording: this.recording });
    }
    this.#entries.set(dataId, entry);
  }

  override refCount(dataId: object): number {
    return this.#entries.has(dataId) ? this.#entries.get(dataId).references : 0;
  }

  override incRef(dataId: object): void {
    this.#entries.get(dataId).references += 1;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.#entries.has(dataId)) return true;
    const entry = this.#entries.get(dataId);
    entry.references -= 1;
    if (!force && entry.references > 0) return false;
    this.#entries.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#entries.numDataIds();
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const values = this.hostValues(dataId);
    if (values !== null) return values;
    throw new ShrinkError(
      'environment',
      'untraceable-read',
      'The training step looks at the values of a tensor while it is traced; this engine cannot run it.',
    );
  }

  override read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {
    this.recording = null;
  }

  /** The values of a tensor that does not depend on the graph's inputs, or null. */
  hostValues(dataId: object): tf.backend_util.BackendValues | null {
    const entry = this.#entries.get(dataId);
    if (entry.fill !== undefined) {
      const size = sizeOf(entry.shape);
      if (entry.dtype === 'int32') return new Int32Array(size).fill(entry.fill);
      return entry.dtype === 'bool'
        ? new Uint8Array(size).fill(entry.fill)
        : new Float32Array(size).fill(entry.fill);
    }
    // A recognised random tensor has values, but they are only this trace's.
    return entry.value === undefined || entry.recording !== this.recording ? (entry.values ?? null) : null;
  }

  /** A tensor for a value of the graph. */
  tensorFor(value: Value): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.#infoFor(value));
  }

  /**
   * The value in the graph that a tensor is.
   *
   * @param compact whether it may be smaller than the tensor, to be broadcast
   */
  valueFor({ dataId, shape, dtype }: tf.TensorInfo, compact = false): Value {
    const recording = this.recording;
    if (recording === null) throw new Error('no trace is being recorded');
    const { graph } = recording;
    const entry = this.#entries.get(dataId);
    if (entry.value === undefined || entry.recording !== recording) {
      entry.value = this.#constantFor(graph, entry);
      entry.recording = recording;
    }
    const sameShape = tf.util.arraysEqual(entry.shape, shape);
    if (compact && (sameShape || entry.value.shape.length === 0)) return entry.value;
    const full = tf.util.arraysEqual([...entry.value.shape], entry.shape)
      ? entry.value
      : {
          name: graph.node('Expand', [entry.value.name, graph.shape(entry.shape)]),
          shape: entry.shape,
          dtype: entry.value.dtype,
        };
    const { name } = sameShape ? full : graph.reshape(full, shape);
    return { name, shape, dtype: elementType(dtype) };
  }

  /** Appends what a kernel does. @throws ShrinkError `untraceable-kernel` naming it */
  runKernel(kernel: string, inputs: KernelInputs, attrs: object): tf.TensorInfo | tf.TensorInfo[] {
    const emit = emitters[kernel];
    if (emit === undefined || this.recording === null)
      throw untraceable(kernel, 'is not among those it knows');
    const compact = BROADCASTING.has(kernel);
    const named: Record<string, Value> = {};
    if (!Array.isArray(inputs)) {
      const repeated = repeatedInput(kernel, inputs, attrs, ({ dataId }) => this.#entries.get(dataId).fill);
      if (repeated !== null) return this.#infoFor(this.valueFor(repeated.input, true), repeated.shape);
      for (const [name, input] of Object.entries(inputs))
        if (input) named[name] = this.valueFor(input, compact);
    }
    const given = Array.isArray(inputs) ? inputs.map((input) => this.valueFor(input)) : named;
    let result: Value | readonly Value[];
    try {
      result = emit(this.recording.graph, given, attrs);
    } catch (thrown) {
      if (thrown instanceof RangeError)
        throw untraceable(kernel, `cannot be written in ONNX here: ${thrown.message}`);
      throw thrown;
    }
    if (!('name' in result)) return result.map((value) => this.#infoFor(value));
    const filled = kernel === 'Fill' ? (attrs as { shape: number[] }).shape : undefined;
    const shape =
      filled ?? (compact && !Array.isArray(inputs) ? broadcastShape(Object.values(inputs)) : undefined);
    return this.#infoFor(result, shape, filledBy(kernel, attrs));
  }

  /** @param shape of the tensor, where the value is smaller */
  #infoFor(value: Value, shape: number[] = [...value.shape], fill?: number): tf.TensorInfo {
    if (this.recording === null) throw new Error('no trace is being recorded');
    const dtype = value.dtype === 'int64' ? 'int32' : value.dtype;
    const dataId = {};
    this.recording.graph.note(value);
    const entry: Entry = { shape, dtype, references: 1, value, recording: this.recording };
    if (fill !== undefined) entry.fill = fill;
    this.#entries.set(dataId, entry);
    return { dataId, shape, dtype };
  }

  #constantFor(graph: Graph, entry: Entry): Value {
    const { shape, values, fill } = entry;
    const dtype = elementType(entry.dtype);
    const size = sizeOf(shape);
    const host = fill === undefined ? values : Float32Array.of(fill);
    if (host === undefined) {
      throw new ShrinkError(
        'environment',
        'untraceable-read',
        'The training step uses a tensor that an earlier trace of it made; it must make it anew in each step.',
      );
    }
    if (fill !== undefined && size !== 1) return { name: scalar(graph, fill, dtype), shape: [], dtype };
    if (dtype === 'float32' && size === 1) {
      const name = graph.scalar(Number(host[0]));
      return {
        name: shape.length === 0 ? name : graph.node('Reshape', [name, graph.shape(shape)]),
        shape,
        dtype,
      };
    }
    if (dtype === 'float32')
      return { name: graph.constant(Float32Array.from(host as Float32Array), shape, dtype), shape, dtype };
    const raw = dtype === 'int32' ? Int32Array.from(host as Int32Array) : Uint8Array.from(host as Uint8Array);
    return { name: graph.constant(raw, shape, dtype), shape, dtype };
  }
}

function untraceable(kernel: string, why: string): ShrinkError {
  return new ShrinkError(
    'environment',
    'untraceable-kernel',
    `The engine onnxruntime cannot run this training step: the kernel ${kernel} ${why}.`,
  );
}

let backend: TracingBackend | null = null;

/**
 * The backend, registered at first use.
 *
 * @param known names of all kernels there are, so that a missing one is reported by this backend
 */
export function tracingBackend(): TracingBackend {
  if (backend !== null) return backend;
  const created = new TracingBackend();
  backend = created;
  tf.registerBackend(TRACING_BACKEND, () => created, 0);
  const known = ['cpu', 'wasm'].flatMap((name) =>
    tf.getKernelsForBackend(name).map((kernel) => kernel.kernelName),
  );
  for (const kernelName of new Set([...known, ...Object.keys(emitters)])) {
    tf.registerKernel({
      kernelName,
      backendName: TRACING_BACKEND,
      kernelFunc: ({ inputs, attrs }) => created.runKernel(kernelName, inputs, attrs ?? {}),
    });
  }
  return created;
}

/** What went wrong in a trace, as an error that names the engine. */
export function traceError(thrown: unknown): Error {
  if (thrown instanceof ShrinkError) return thrown;
  return new ShrinkError(
    'environment',
    'untraceable-step',
    `The training step cannot be traced: ${messageOf(thrown)}`,
    {
      cause: thrown,
    },
  );
}
