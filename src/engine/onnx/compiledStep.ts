import { ShrinkError } from '../../core/errors';
import { sizeOf } from '../../core/tensor';
import { checkBatch } from '../eager';
import type { CompiledStep, TensorSpec } from '../engine';
import { seedsOf } from '../random';
import { drawInto } from './draws';
import { briefly, type OnnxRuntime, type OnnxTensor, type Session } from './runtime';
import type { StateStore } from './stateStore';
import type { RunningTail } from './tails/runTail';
import type { TracedStep } from './traced';

interface Parts {
  readonly engine: string;
  readonly runtime: OnnxRuntime;
  readonly session: Session;
  readonly traced: TracedStep;
  readonly specs: readonly TensorSpec[];
  readonly store: StateStore;
  readonly tails: readonly RunningTail[];
  /** Called once, when the step lets go of the session. */
  readonly release: () => void;
}

function toFloats(tensor: OnnxTensor | undefined): Float32Array {
  if (tensor === undefined) throw new Error('the session gave no such output');
  return tensor.data instanceof Float32Array
    ? tensor.data
    : Float32Array.from(tensor.data as ArrayLike<number>);
}

/** A traced step that runs in a session; its state lives in the store. */
export function createCompiledStep({
  engine,
  runtime,
  session,
  traced,
  specs,
  store,
  tails,
  release,
}: Parts): CompiledStep {
  const readers = traced.variables.filter((traced) => traced.read);
  const writers = traced.variables.flatMap(({ variable, output }) =>
    output === undefined ? [] : [{ variable, output }],
  );
  // Reused from step to step: the masks of a wide layer are megabytes.
  const randoms = traced.randoms.map(({ value, draw }) => {
    const values = new Float32Array(sizeOf(value.shape));
    return { name: value.name, draw, values, tensor: new runtime.Tensor('float32', values, value.shape) };
  });
  const scalars = traced.scalars.map(({ name, input }) => {
    const values = new Float32Array(1);
    return { name, input, values, tensor: new runtime.Tensor('float32', values, []) };
  });
  let disposed = false;
  return {
    async run(batch, given) {
      checkBatch(batch, specs);
      const feeds: Record<string, OnnxTensor> = {};
      for (const { variable, input } of readers) feeds[input] = store.read(variable);
      traced.batch.forEach((name, index) => {
        const spec = specs[index];
        const values = batch[index];
        if (name === null || spec === undefined || values === undefined) return;
        feeds[name] =
          spec.dtype === 'int32'
            ? new runtime.Tensor('int32', Int32Array.from(values), spec.shape)
            : new runtime.Tensor(
                'float32',
                values instanceof Float32Array ? values : Float32Array.from(values),
                spec.shape,
              );
      });
      for (const { name, input, values, tensor } of scalars) {
        const value = given[name];
        if (value === undefined)
          throw new ShrinkError(
            'training',
            'missing-scalar',
            `The step needs the number ${name} in each run.`,
          );
        values[0] = value;
        feeds[input] = tensor;
      }
      const nextSeed = seedsOf(given);
      for (const { name, draw, values, tensor } of randoms) {
        drawInto(values, draw, nextSeed());
        feeds[name] = tensor;
      }
      const fetches: Record<string, OnnxTensor | null> = {};
      for (const output of traced.outputs) fetches[output.name] = null;
      for (const { variable, output } of writers) fetches[output] = store.write(variable);
      for (const { outputs } of tails) Object.assign(fetches, outputs);
      let results: Readonly<Record<string, OnnxTensor>>;
      try {
        results = await session.run(feeds, fetches);
      } catch (thrown) {
        const message = `The engine ${engine} failed in a step: ${briefly(thrown)}`;
        throw new ShrinkError('environment', 'engine-failed', message, { cause: thrown });
      }
      for (const tail of tails) tail.run(results, given);
      for (const { variable } of writers) store.advance(variable);
      return traced.outputs.map((output) => toFloats(results[output.name]));
    },
    pull(only) {
      for (const { variable } of traced.variables)
        if (only?.includes(variable) !== false) store.pull(variable);
      return Promise.resolve();
    },
    async push(only) {
      for (const { variable } of traced.variables)
        if (only?.includes(variable) !== false) await store.push(variable);
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const { variable } of traced.variables) store.release(variable);
      release();
    },
  };
}
