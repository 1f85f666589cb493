import type { CompiledStep, StepScalars, TensorSpec } from '../engine/engine';
import type { Batches } from './batches';

/**
 * A step over batches, compiled for each number of rows that comes up: as a rule for two, that of the whole batches and
 * that of the last one of an epoch. All share their state.
 */
export class BatchSteps {
  readonly #compiled = new Map<number, CompiledStep>();
  readonly #batches: Batches;
  readonly #compile: (batch: readonly TensorSpec[]) => Promise<CompiledStep>;

  /** @param compile makes the step for batches of these shapes; called when they first come up */
  constructor(batches: Batches, compile: (batch: readonly TensorSpec[]) => Promise<CompiledStep>) {
    this.#batches = batches;
    this.#compile = compile;
  }

  /** @param step whose batch is run, counted over all epochs */
  async run(step: number, scalars: StepScalars): Promise<Float32Array[]> {
    const rows = this.#batches.rowsAt(step);
    let compiled = this.#compiled.get(rows);
    if (compiled === undefined) {
      compiled = await this.#compile(this.#batches.specs(rows));
      this.#compiled.set(rows, compiled);
    }
    return compiled.run(this.#batches.at(step), scalars);
  }

  /** Afterwards the variables hold the present state. */
  async pull(): Promise<void> {
    for (const compiled of this.#compiled.values()) await compiled.pull();
  }

  /** Afterwards the step uses what the variables hold. */
  async push(): Promise<void> {
    for (const compiled of this.#compiled.values()) await compiled.push();
  }

  dispose(): void {
    for (const compiled of this.#compiled.values()) compiled.dispose();
    this.#compiled.clear();
  }
}
