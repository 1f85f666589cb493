import type { CompiledStep, StepScalars, TensorSpec } from '../engine/engine';
import type * as tf from '../engine/tf';
import type { Batches } from './batches';

type Compile = (batch: readonly TensorSpec[], like: readonly CompiledStep[]) => Promise<CompiledStep>;

/**
 * A step over batches, compiled for each number of rows that comes up: as a rule for two, that of the whole batches and
 * that of the last one of an epoch. All share their state.
 */
export class BatchSteps {
  readonly #compiled = new Map<number, CompiledStep>();
  readonly #batches: Batches;
  readonly #compile: Compile;
  /** Steps on the same network at other widths, disposed as a rule, by rows. */
  readonly #alike: ReadonlyMap<number, CompiledStep>;

  /**
   * @param compile makes the step for batches of these shapes; called when they first come up
   * @param before the same steps on the network as it was before a collection
   */
  constructor(batches: Batches, compile: Compile, before?: BatchSteps) {
    this.#batches = batches;
    this.#compile = compile;
    this.#alike = before === undefined ? new Map() : new Map([...before.#alike, ...before.#compiled]);
  }

  /** @param step whose batch is run, counted over all epochs */
  async run(step: number, scalars: StepScalars): Promise<Float32Array[]> {
    const rows = this.#batches.rowsAt(step);
    let compiled = this.#compiled.get(rows);
    if (compiled === undefined) {
      const like = [this.#alike.get(rows), ...this.#compiled.values()].filter((step) => step !== undefined);
      compiled = await this.#compile(this.#batches.specs(rows), like);
      this.#compiled.set(rows, compiled);
    }
    const running = compiled.run(this.#batches.at(step), scalars);
    this.#batches.prepare(step + 1);
    return running;
  }

  /** Afterwards the variables (or `only` those) hold the present state. */
  async pull(only?: readonly tf.Variable[]): Promise<void> {
    for (const compiled of this.#compiled.values()) await compiled.pull(only);
  }

  /** Afterwards the step uses what the variables (or `only` those) hold. */
  async push(only?: readonly tf.Variable[]): Promise<void> {
    for (const compiled of this.#compiled.values()) await compiled.push(only);
  }

  dispose(): void {
    for (const compiled of this.#compiled.values()) compiled.dispose();
  }
}
