import * as tf from '../engine/tf';
import type { Sizing } from '../core/analysis';
import { ShrinkError } from '../core/errors';
import { foldSwitches } from '../core/fold';
import { allAlive, costModel, totalCost, type Alive } from '../core/cost';
import type { Controller, SwitchReading } from '../core/controller';
import type { CostKind } from '../core/options';
import { mixSeed } from '../core/random';
import type { CompiledStep, Engine } from '../engine/engine';
import type { Batches } from './batches';
import { collectGarbage } from './collector';
import type { Head } from './head';
import type { Network } from './network';
import { Optimizer, type OptimizerSpec } from './optimizer';
import type { Snapshot } from './snapshot';
import { compileTraining, disposeControls, makeControls, type SwitchControls } from './trunkStep';

/** Channels are masked at once and taken out of the tensors when this share of the size is dead. */
const COLLECT_BELOW = 0.85;

export interface TrunkSetup {
  readonly engine: Engine;
  readonly head: Head;
  readonly sizing: Sizing;
  readonly optimizer: OptimizerSpec;
  readonly cost: CostKind;
  readonly lambda2: number;
  readonly seed: number;
  readonly batches: Batches;
  /** Rows on which outputs are compared before and after a collection. */
  readonly sample: { readonly x: Float32Array; readonly shape: readonly number[] };
}

/** What a removal did, for the journal. */
export interface Removal {
  readonly removed: Readonly<Record<string, number>>;
  readonly outputDifference: number;
  readonly ms: number;
}

/** The network while its widths are learned: steps, removals, collections. */
export class Trunk {
  private compiled: CompiledStep | undefined;
  private controls: ReadonlyMap<string, SwitchControls>;
  private aliveClasses: Alive;
  /** Penalty that is in force, for the journal. */
  lambda = 0;

  private constructor(
    private readonly setup: TrunkSetup,
    private net: Network,
    private opt: Optimizer,
  ) {
    this.controls = controlsOf(net);
    this.aliveClasses = allAlive(net.analysis);
  }

  static create(setup: TrunkSetup, network: Network): Trunk {
    return new Trunk(setup, network, new Optimizer(setup.optimizer, network.trainedVariables()));
  }

  get network(): Network {
    return this.net;
  }

  get optimizer(): Optimizer {
    return this.opt;
  }

  get alive(): Alive {
    return this.aliveClasses;
  }

  /** Size of what is alive, whether collected already or not. */
  size(kind: CostKind = this.setup.cost): number {
    return totalCost(costModel(this.net.analysis, kind), this.aliveClasses);
  }

  /** Widths of what is alive. */
  widths(): Record<string, number> {
    const widths: Record<string, number> = {};
    for (const hub of this.net.analysis.hubs)
      for (const layer of hub.layers)
        widths[layer.name] = layer.classes.reduce(
          (sum, c) => sum + (c === 0 ? 1 : (this.aliveClasses[c] ?? 0)),
          0,
        );
    return widths;
  }

  /** One optimizer step. @returns mean loss and share of right rows of the batch */
  async step(step: number, learningRate: number): Promise<{ loss: number; accuracy: number }> {
    this.compiled ??= await this.compile();
    const [loss, right] = await this.compiled.run(this.setup.batches.at(step), {
      learningRate,
      randomSeed: mixSeed(this.setup.seed, 21, step),
      weightDecay: this.setup.lambda2,
    });
    const value = loss?.[0] ?? Number.NaN;
    if (!Number.isFinite(value))
      throw new ShrinkError(
        'training',
        'loss-not-finite',
        `The loss became ${String(value)} at step ${step + 1} (λ ${this.lambda.toPrecision(2)}); lower the learning rate (${learningRate}) or scale the data.`,
      );
    return { loss: value, accuracy: right?.[0] ?? 0 };
  }

  /** Lets the controller decide who dies and fades, and masks the dead. @param step steps done */
  async remove(step: number, controller: Controller): Promise<void> {
    await this.compiled?.pull();
    const { analysis } = this.net;
    const reading = await this.read();
    const decision = controller.decide(
      step,
      analysis,
      costModel(analysis, this.setup.cost),
      this.aliveClasses,
      reading,
    );
    for (const c of decision.dead) this.aliveClasses[c] = 0;
    this.lambda = decision.lambda;
    const fading = new Set(decision.fading);
    for (const hub of analysis.hubs) {
      const control = this.controls.get(hub.name);
      if (control === undefined) continue;
      const lives = Array.from(hub.classes, (c) => this.aliveClasses[c] ?? 0);
      assign(control.alive, lives);
      assign(
        control.beta,
        Array.from(hub.classes, (c, i) => (reading.beta[c] ?? 0) * (lives[i] ?? 0)),
      );
      assign(
        control.fading,
        Array.from(hub.classes, (c) => (fading.has(c) ? 1 : 0)),
      );
      assign(
        control.threshold,
        Array.from(hub.classes, (c) => decision.threshold[c] ?? 0),
      );
    }
    await this.compiled?.push();
  }

  /** Whether enough is dead to be worth a collection. */
  shouldCollect(): boolean {
    const full = totalCost(costModel(this.net.analysis, this.setup.cost), allAlive(this.net.analysis));
    return this.size() <= COLLECT_BELOW * full;
  }

  /** Takes the dead channels out of all tensors. @returns undefined when there are none */
  async collect(): Promise<Removal | undefined> {
    if (this.aliveClasses.every((lives) => lives === 1)) return undefined;
    const started = performance.now();
    await this.compiled?.pull();
    const { net, opt, setup } = this;
    const collected = await collectGarbage(net, opt, this.aliveClasses, setup.sizing, setup.sample);
    const state = new Map<string, Record<'score' | 'fading' | 'threshold', Float32Array>>();
    const kept = new Map(collected.plan.switches.map((edit) => [edit.hub, edit.keep]));
    for (const [hub, control] of this.controls) {
      const keep = kept.get(hub);
      const take = async (variable: tf.Variable): Promise<Float32Array> => {
        const values = Float32Array.from(await variable.data());
        return keep === undefined ? values : Float32Array.from(keep, (i) => values[i] ?? 0);
      };
      state.set(hub, {
        score: await take(control.score),
        fading: await take(control.fading),
        threshold: await take(control.threshold),
      });
    }
    this.release();
    this.net = collected.network;
    this.opt = new Optimizer(setup.optimizer, this.net.trainedVariables());
    this.opt.write(collected.slots);
    this.controls = controlsOf(this.net);
    this.aliveClasses = allAlive(this.net.analysis);
    for (const [hub, values] of state) {
      const control = this.controls.get(hub);
      if (control === undefined) continue;
      assign(control.score, values.score);
      assign(control.fading, values.fading);
      assign(control.threshold, values.threshold);
    }
    return {
      removed: collected.plan.removed,
      outputDifference: collected.outputDifference,
      ms: performance.now() - started,
    };
  }

  /** The network of this moment, collected and folded. Call after {@link collect}. */
  async snapshot(budget: number, kind: Snapshot['kind'], step: number): Promise<Snapshot> {
    await this.compiled?.pull();
    const { analysis, places, graph } = this.net;
    const weights = foldSwitches(
      analysis,
      places,
      await this.net.readWeights(),
      await this.net.readSwitches(),
    );
    return { budget, kind, step, graph, weights };
  }

  /** Afterwards the model's variables hold the present state, to be evaluated or saved. */
  async settle(): Promise<void> {
    await this.compiled?.pull();
  }

  /** Values of one kind of control by hub. */
  async readControl(
    which: 'score' | 'fading' | 'threshold' | 'alive',
  ): Promise<Record<string, Float32Array>> {
    const values: Record<string, Float32Array> = {};
    for (const [hub, control] of this.controls) values[hub] = Float32Array.from(await control[which].data());
    return values;
  }

  /** Puts controls back that {@link readControl} read. */
  writeControl(
    which: 'score' | 'fading' | 'threshold' | 'alive',
    values: Readonly<Record<string, Float32Array>>,
  ): void {
    for (const [hub, control] of this.controls) {
      const given = values[hub];
      if (given === undefined) continue;
      assign(control[which], given);
      if (which === 'alive')
        this.net.analysis.hubs
          .find((candidate) => candidate.name === hub)
          ?.classes.forEach((c, i) => (this.aliveClasses[c] = given[i] ?? 1));
    }
  }

  dispose(): void {
    this.release();
  }

  private release(): void {
    this.compiled?.dispose();
    this.compiled = undefined;
    for (const control of this.controls.values()) disposeControls(control);
    this.opt.dispose();
    this.net.dispose();
  }

  private compile(): Promise<CompiledStep> {
    const { engine, head, batches, lambda2 } = this.setup;
    const controls = [...this.controls.values()];
    return compileTraining(engine, this.net, head, this.opt, controls, batches.specs(), lambda2 > 0);
  }

  private async read(): Promise<SwitchReading> {
    const { analysis } = this.net;
    const beta = new Float64Array(analysis.classCount);
    const score = new Float64Array(analysis.classCount);
    const fading = new Float64Array(analysis.classCount);
    for (const hub of analysis.hubs) {
      const control = this.controls.get(hub.name);
      if (control === undefined) continue;
      const [betas, scores, fades] = await Promise.all([
        control.beta.data(),
        control.score.data(),
        control.fading.data(),
      ]);
      hub.classes.forEach((c, i) => {
        beta[c] = betas[i] ?? 0;
        score[c] = scores[i] ?? 0;
        fading[c] = fades[i] ?? 0;
      });
    }
    return { beta, score, fading };
  }
}

function controlsOf(network: Network): Map<string, SwitchControls> {
  return new Map(network.bank.entries().map(([hub, beta]) => [hub, makeControls(beta)]));
}

function assign(variable: tf.Variable, values: ArrayLike<number>): void {
  tf.tidy(() => variable.assign(tf.tensor1d(Float32Array.from(values))));
}
