import type { Sizing } from '../core/analysis';
import { legalSteps, type LimitsOf } from '../core/constraints';
import type { Controller, SwitchReading } from '../core/controller';
import { allAlive, costModel, countAlive, totalCost, type Alive } from '../core/cost';
import { ShrinkError } from '../core/errors';
import { foldSwitches } from '../core/fold';
import type { CostKind } from '../core/options';
import { mixSeed } from '../core/random';
import type { Engine } from '../engine/engine';
import type { Batches } from './batches';
import { BatchSteps } from './batchSteps';
import { collectGarbage } from './collector';
import type { Sample } from './evaluate';
import type { Head } from './head';
import type { Network } from './network';
import { Optimizer, type OptimizerSpec } from './optimizer';
import type { Snapshot } from './snapshot';
import {
  assign,
  disposeControls,
  makeControls,
  readState,
  variablesOf,
  writeState,
  type ReadState,
  type SwitchControls,
} from './switchControls';
import type { SwitchMode } from './switchModes';
import { compileTraining } from './trunkStep';

/** Channels are masked at once and taken out of the tensors when this share of the size is dead. */
const COLLECT_BELOW = 0.85;

export interface TrunkSetup {
  readonly engine: Engine;
  readonly head: Head;
  readonly sizing: Sizing;
  readonly optimizer: OptimizerSpec;
  readonly mode: SwitchMode;
  readonly cost: CostKind;
  /** λ2, 0 for none, and its p. */
  readonly lambda2: number;
  readonly decayPower: 1 | 2;
  readonly seed: number;
  readonly batches: Batches;
  /** Rows on which outputs are compared before and after a collection. */
  readonly sample: Sample;
}

/** What a collection did, for the journal. */
export interface Removal {
  readonly removed: Readonly<Record<string, number>>;
  readonly outputDifference: number;
  readonly ms: number;
}

/** The network while its widths are learned: steps, removals, collections. */
export class Trunk {
  private compiled: BatchSteps;
  private aliveClasses: Alive;
  /** Penalty that is in force, for the journal. */
  lambda = 0;
  /** Step of the last checkpoint, for messages. */
  savedAt: number | undefined;
  /** What the last step ran with, for messages. */
  private stepped = { learningRate: 0, lambdaFactor: 1 };

  private constructor(
    private readonly setup: TrunkSetup,
    private net: Network,
    private opt: Optimizer,
    private controls: readonly SwitchControls[],
  ) {
    this.aliveClasses = allAlive(net.analysis);
    this.compiled = this.steps();
  }

  static async create(setup: TrunkSetup, network: Network): Promise<Trunk> {
    const optimizer = new Optimizer(setup.optimizer, network.optimizedVariables(setup.mode.optimized));
    return new Trunk(setup, network, optimizer, await makeControls(network, setup.mode));
  }

  get network(): Network {
    return this.net;
  }

  get optimizer(): Optimizer {
    return this.opt;
  }

  /** Size of what is alive, whether collected already or not. */
  size(kind: CostKind = this.setup.cost): number {
    return totalCost(costModel(this.net.analysis, kind), this.aliveClasses);
  }

  /** Widths of what is alive. */
  widths(): Record<string, number> {
    const layers = this.net.analysis.hubs.flatMap((hub) => hub.layers);
    return Object.fromEntries(
      layers.map((layer) => [layer.name, countAlive(layer.classes, this.aliveClasses)]),
    );
  }

  /** One optimizer step. @returns mean loss and share of right rows of the batch */
  async step(
    step: number,
    learningRate: number,
    lambdaFactor: number,
  ): Promise<{ loss: number; accuracy: number }> {
    const [loss, right] = await this.compiled.run(step, {
      learningRate,
      randomSeed: mixSeed(this.setup.seed, 21, step),
      weightDecay: this.setup.lambda2,
      lambda: lambdaFactor,
    });
    const value = loss?.[0] ?? Number.NaN;
    this.stepped = { learningRate, lambdaFactor };
    if (!Number.isFinite(value)) throw this.lossError('loss-not-finite', value, step);
    return { loss: value, accuracy: right?.[0] ?? 0 };
  }

  /** What to say of a loss that went wrong. @param step 0-based, the one that showed it */
  lossError(code: 'loss-not-finite' | 'loss-exploded', loss: number, step: number): ShrinkError {
    const { learningRate, lambdaFactor } = this.stepped;
    const lambda = (this.lambda * lambdaFactor).toPrecision(2);
    const good =
      this.savedAt === undefined
        ? 'the run was stopped'
        : `the run was stopped; its last good checkpoint is that of step ${this.savedAt}`;
    return new ShrinkError(
      'training',
      code,
      `The loss became ${Number.isFinite(loss) ? loss.toPrecision(3) : String(loss)} at step ${step + 1} (λ ${lambda}); ${good}. Lower the learning rate (${learningRate}) or scale the data.`,
    );
  }

  /**
   * Lets the controller decide who dies and fades, and masks the dead.
   *
   * @param step steps done
   * @param beforeDeaths called while the network is still whole, if anything is to die
   * @returns layers of which all channels wanted to die, with the number that limits keep
   */
  async remove(
    step: number,
    controller: Controller,
    beforeDeaths?: () => Promise<void>,
  ): Promise<Readonly<Record<string, number>>> {
    const controlled = variablesOf(this.controls);
    await this.compiled.pull(controlled);
    const { analysis } = this.net;
    const reading = await this.read();
    const model = costModel(analysis, this.setup.cost);
    const decision = controller.decide(step, analysis, model, this.aliveClasses, reading);
    if (decision.dead.length > 0) await beforeDeaths?.();
    for (const c of decision.dead) this.aliveClasses[c] = 0;
    this.lambda = decision.lambda;
    const fading = new Set(decision.fading);
    const living = new Set(decision.revived);
    for (const hub of analysis.hubs) {
      const control = this.controls.find((candidate) => candidate.hub === hub.name);
      if (control === undefined) continue;
      const values: Record<string, number[]> = { alive: [], beta: [], fading: [], threshold: [], lambda: [] };
      const revived: { index: number; state: Readonly<Record<string, number>> }[] = [];
      hub.classes.forEach((c, index) => {
        const lives = this.aliveClasses[c] ?? 0;
        const beta = (reading.beta[c] ?? 0) * lives;
        const revive = living.has(c) ? this.setup.mode.revive(beta) : undefined;
        if (revive !== undefined) revived.push({ index, state: revive });
        values['alive']?.push(lives);
        values['beta']?.push(revive?.['beta'] ?? beta);
        values['fading']?.push(fading.has(c) ? 1 : 0);
        for (const name of ['threshold', 'lambda']) values[name]?.push(decision.threshold[c] ?? 0);
      });
      assign(control.beta, values['beta'] ?? []);
      for (const [name, variable] of Object.entries(control.state)) {
        const given = values[name] ?? (revived.length > 0 ? [...(await variable.data())] : undefined);
        for (const { index, state } of revived)
          if (given !== undefined && name in state) given[index] = state[name] ?? 0;
        if (given !== undefined) assign(variable, given);
      }
    }
    await this.compiled.push(controlled);
    return decision.kept;
  }

  /** Whether limits let any channel go. */
  canShrink(limitsOf: LimitsOf): boolean {
    const { analysis } = this.net;
    const living = analysis.hubs.flatMap((hub) => [...hub.classes]);
    return legalSteps(analysis, this.aliveClasses, living, limitsOf).length > 0;
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
    await this.compiled.pull();
    const { net, opt, setup } = this;
    const collected = await collectGarbage(
      net,
      opt,
      this.aliveClasses,
      setup.sizing,
      setup.mode,
      setup.sample,
    );
    const state = await readState(this.controls);
    for (const { hub, keep } of collected.plan.switches)
      for (const [name, values] of Object.entries(state[hub] ?? {}))
        (state[hub] ?? {})[name] = Float32Array.from(keep, (i) => values[i] ?? 0);
    this.release();
    this.net = collected.network;
    this.opt = new Optimizer(setup.optimizer, this.net.optimizedVariables(setup.mode.optimized));
    this.opt.write(collected.slots);
    this.controls = await makeControls(this.net, setup.mode);
    writeState(this.controls, state);
    this.aliveClasses = allAlive(this.net.analysis);
    this.compiled = this.steps(this.compiled);
    return {
      removed: collected.plan.removed,
      outputDifference: collected.outputDifference,
      ms: performance.now() - started,
    };
  }

  /** The network of this moment, folded. Call after {@link collect}. */
  async snapshot(budget: number, kind: Snapshot['kind'], step: number): Promise<Snapshot> {
    await this.compiled.pull();
    const { analysis, places, graph } = this.net;
    const switches = await this.net.readSwitches();
    const { form, revive } = this.setup.mode;
    const shut = (value: number): boolean => value === 0 || (form === 'relu' && value < 0);
    // The starting network has all its channels, those too that are about to die.
    if (kind === 'start')
      for (const [hub, values] of Object.entries(switches))
        switches[hub] = values.map((v) => (shut(v) ? (revive(v)['beta'] ?? v) : v));
    // What multiplies is the opened switch: max(0, θ) in the draft's form.
    if (form === 'relu')
      for (const [hub, values] of Object.entries(switches)) switches[hub] = values.map((v) => Math.max(0, v));
    const weights = foldSwitches(analysis, places, await this.net.readWeights(), switches);
    return { budget, kind, step, graph, weights };
  }

  /** Afterwards the model's variables hold the present state, to be evaluated or saved. */
  async settle(): Promise<void> {
    await this.compiled.pull();
  }

  readSwitchState(): Promise<ReadState> {
    return readState(this.controls);
  }

  /** Puts back what {@link readSwitchState} read. */
  writeSwitchState(state: Readonly<ReadState>): void {
    writeState(this.controls, state);
    for (const hub of this.net.analysis.hubs)
      hub.classes.forEach((c, i) => (this.aliveClasses[c] = state[hub.name]?.['alive']?.[i] ?? 1));
  }

  dispose(): void {
    this.release();
  }

  private release(): void {
    this.compiled.dispose();
    disposeControls(this.controls);
    this.opt.dispose();
    this.net.dispose();
  }

  /** @param before the steps on the network that was larger */
  private steps(before?: BatchSteps): BatchSteps {
    const { engine, head, batches, mode, lambda2, decayPower } = this.setup;
    const { net, opt } = this;
    const training = { mode, controls: this.controls, ...(lambda2 > 0 ? { decayPower } : {}) };
    return new BatchSteps(
      batches,
      (batch, like) => compileTraining(engine, net, head, opt, training, batch, undefined, like),
      before,
    );
  }

  /** What the switches say, by class. A channel that the step itself masked counts as faded: it is to go. */
  private async read(): Promise<SwitchReading> {
    const { analysis } = this.net;
    const vector = (): Float64Array => new Float64Array(analysis.classCount);
    const reading = { beta: vector(), score: vector(), fading: vector() };
    const state = await readState(this.controls);
    const switches = await this.net.readSwitches();
    for (const hub of analysis.hubs) {
      const values = state[hub.name];
      hub.classes.forEach((c, i) => {
        const beta = switches[hub.name]?.[i] ?? 0;
        const masked = values?.['alive']?.[i] === 0;
        reading.beta[c] = beta;
        // Without a score the switch says who is weakest: |β|, or θ, whose negative values are all shut.
        const strength = this.setup.mode.form === 'relu' ? beta : Math.abs(beta);
        reading.score[c] = values?.['score']?.[i] ?? strength;
        reading.fading[c] = masked ? 1 : (values?.['fading']?.[i] ?? 0);
      });
    }
    return reading;
  }
}
