import { ShrinkError } from '../core/errors';
import { adviceOn } from '../core/advice';
import type { Controller } from '../core/controller';
import { budgetsInUnits, HOLD } from '../core/budget';
import type { Metrics } from '../core/events';
import type { Checkpoint, RunContext } from '../core/job';
import { sizeUnit, weighsLatency, type TrainOptions } from '../core/options';
import { mixSeed } from '../core/random';
import { afterEpoch, lambdaFactor, NO_PLATEAU, SMALLEST_RATE } from '../core/schedules';
import { inputsOf } from '../data/dataset';
import { Batches } from './batches';
import { readCheckpoint, takeCheckpoint, writeSwitches, type SessionState } from './checkpoint';
import { Evaluator } from './evaluate';
import { classifies } from './head';
import { finishSnapshot, type Finished, type FinishSetup } from './finish';
import { median } from './median';
import { Network, sizeOfNetwork } from './network';
import { pointOf } from './points';
import type { SessionInputs } from './prepare';
import { publishResult } from './publish';
import type { Snapshot } from './snapshot';
import { measureLatency } from './latency';
import { SessionProgress } from './sessionProgress';
import { controllerFor, trunkSetup } from './sessionSetup';
import { keptWarnings, missedWarning, unusedLambda, type Warning } from './sessionWarnings';
import { drawSwitches } from './switchModes';
import { Trunk } from './trunk';

/** A loss this many times the first one (or 1, for a first one near 0) does not come back. */
const EXPLODED = 1e4;

/**
 * One run: the trunk, in which widths are learned, then a finish for every size, then the result. It can be stopped
 * between any two steps and goes on from its checkpoint as if it had not been.
 */
export async function runSession(context: RunContext, inputs: SessionInputs): Promise<'done' | 'stopped'> {
  const session = new Session(context, inputs);
  return session.run();
}

class Session {
  private readonly options: TrainOptions;
  private readonly batches: Batches;
  private readonly startSize: number;
  private readonly budgets: readonly number[];
  private readonly steps: number;
  private state: SessionState;
  private trunk: Trunk | undefined;
  private readonly warned = new Set<string>();
  private readonly progress: SessionProgress;
  private readonly started = performance.now();

  constructor(
    private readonly context: RunContext,
    private readonly inputs: SessionInputs,
  ) {
    const { prepared } = inputs;
    this.options = context.options;
    this.batches = new Batches(
      prepared.dataset.train,
      this.options.batchSize,
      prepared.labelShapes,
      mixSeed(this.options.seed, 1),
    );
    this.startSize = sizeOfNetwork(prepared.analysis)[sizeUnit(this.options.cost)];
    this.budgets = this.options.mode === 'budget' ? budgetsInUnits(this.options.budget, this.startSize) : [];
    if (this.options.mode === 'budget' && this.budgets.length === 0)
      throw new ShrinkError(
        'bad-input',
        'budget-too-large',
        `Every size in budget is at least the starting size (${this.startSize} ${sizeUnit(this.options.cost)}); ask for smaller ones.`,
      );
    this.steps = this.options.epochs * this.batches.perEpoch;
    this.progress = new SessionProgress(context, {
      steps: this.steps,
      perEpoch: this.batches.perEpoch,
      epochs: this.options.epochs,
      finishEpochs: this.options.finish,
      startSize: this.startSize,
      start: this.keepsStart() ? this.options.baseline : 'off',
      budgets: this.budgets,
    });
    this.state = {
      step: 0,
      phase: 'trunk',
      tau: 0,
      plateau: NO_PLATEAU,
      epoch: { loss: 0, right: 0, rows: 0 },
      snapshots: [],
      finished: [],
      trunkMs: 0,
      finishMs: 0,
      largestDifference: 0,
    };
  }

  async run(): Promise<'done' | 'stopped'> {
    const { resumeFrom } = this.context;
    if (resumeFrom === undefined) await this.begin();
    else await this.resume(resumeFrom);
    try {
      if (this.state.phase === 'trunk' && (await this.runTrunk()) === 'stopped') return 'stopped';
      if ((await this.runFinish()) === 'stopped') return 'stopped';
    } finally {
      this.trunk?.dispose();
    }
    await publishResult(this.context, this.inputs, this.state, performance.now() - this.started);
    return 'done';
  }

  private async begin(): Promise<void> {
    const { prepared, mode } = this.inputs;
    if (weighsLatency(this.options)) await this.measure();
    const switches = drawSwitches(mode, prepared.analysis, this.options.seed);
    const network = await Network.create(
      prepared.graph,
      prepared.weights,
      prepared.sizing,
      switches,
      mode.form,
    );
    this.trunk = await Trunk.create(trunkSetup(this.options, this.inputs, this.batches), network);
    this.warnOnce(adviceOn(this.options, this.inputs.optimizer));
    if (this.options.mode === 'budget') this.warnOnce(unusedLambda(prepared.layers, prepared.hintLambda));
    // The penalty is in force from the first step on, not from the first removal.
    if (mode.penalty !== undefined) await this.trunk.remove(0, this.makeController());
    // What was measured is never measured again: another table would end with other weights.
    if (this.state.latency !== undefined) await this.save();
  }

  private async measure(): Promise<void> {
    const { engine, prepared, optimizer } = this.inputs;
    const { batchSize } = this.options;
    const started = performance.now();
    const layers = await measureLatency(engine, prepared.analysis, optimizer, batchSize);
    this.state.latency = layers;
    this.context.emit({ type: 'latency', batchSize, ms: performance.now() - started, layers });
  }

  private async resume(checkpoint: Checkpoint): Promise<void> {
    const restored = readCheckpoint(checkpoint);
    this.state = restored.state;
    if (restored.network === undefined) return;
    const { graph, weights, switches } = restored.network;
    const { mode, prepared } = this.inputs;
    const network = await Network.create(graph, weights, prepared.sizing, switches, mode.form);
    this.trunk = await Trunk.create(trunkSetup(this.options, this.inputs, this.batches), network);
    this.trunk.optimizer.write(restored.network.optimizer);
    this.trunk.writeSwitchState(restored.network.switchState);
    this.trunk.lambda = restored.network.lambda;
    this.trunk.savedAt = this.state.step;
  }

  private makeController(): Controller {
    const { budgets, startSize, steps, state } = this;
    return controllerFor(this.options, this.inputs.prepared, { budgets, startSize, steps, ...state });
  }

  private async runTrunk(): Promise<'done' | 'stopped'> {
    const { trunk, state } = this;
    if (trunk === undefined) throw new RangeError('the trunk has a network');
    const controller = this.makeController();
    const startedMs = performance.now() - state.trunkMs;
    let times: number[] = [];
    while (state.step < this.steps && this.learningRate() > SMALLEST_RATE) {
      if (this.context.stop.aborted) {
        state.trunkMs = performance.now() - startedMs;
        await this.save();
        return 'stopped';
      }
      const before = performance.now();
      const { loss, accuracy } = await trunk.step(state.step, this.learningRate(), this.lambdaFactor());
      this.checkLoss(trunk, loss);
      times.push(performance.now() - before);
      const rows = this.batches.rowsAt(state.step);
      state.step += 1;
      state.epoch.loss += loss * rows;
      state.epoch.right += accuracy * rows;
      state.epoch.rows += rows;
      this.progress.trunk(state, trunk.size(), trunk.size('params'), median(times.slice(-50)));
      if (state.step % controller.everySteps === 0 || state.step === this.steps)
        await this.remove(trunk, controller);
      if (state.step % this.batches.perEpoch !== 0) continue;
      await this.endEpoch(trunk, times);
      times = [];
      if (state.step < this.steps) {
        state.trunkMs = performance.now() - startedMs;
        await this.save();
      }
    }
    // A learning rate that has run out ends the trunk early; its end is one all the same.
    if (state.step < this.steps) await this.remove(trunk, controller, this.steps);
    this.reportMissed(trunk);
    await this.keepLast(trunk);
    await writeSwitches(this.context, trunk, state.step);
    trunk.dispose();
    this.trunk = undefined;
    state.trunkMs = performance.now() - startedMs;
    state.phase = 'finish';
    await this.save();
    return 'done';
  }

  /** @param at steps done of the path that the controller plans: all of them where the trunk ends early */
  private async remove(trunk: Trunk, controller: Controller, at = this.state.step): Promise<void> {
    const { state } = this;
    // The last moment at full size is kept: what the author's own widths reach with the same finish.
    const keepStart = (): Promise<void> => this.keep(trunk, this.startSize, 'start');
    const wanted = this.wantsStart(trunk);
    const holdEnds = at + controller.everySteps >= this.steps * HOLD;
    if (wanted && holdEnds) await keepStart();
    // With a penalty, channels may die before the hold ends.
    const kept = await trunk.remove(at, controller, wanted && !holdEnds ? keepStart : undefined);
    this.warnOnce(keptWarnings(kept));
    state.tau = controller.tau;
    const size = trunk.size();
    const due = this.budgets.filter((budget) => size <= budget && !this.has(budget));
    if (trunk.shouldCollect() || due.length > 0 || at === this.steps) await this.collect(trunk);
    for (const budget of due) await this.keep(trunk, budget, 'budget');
  }

  private async collect(trunk: Trunk): Promise<void> {
    const removal = await trunk.collect();
    if (removal === undefined) return;
    this.state.largestDifference = Math.max(this.state.largestDifference, removal.outputDifference);
    this.context.emit({
      type: 'collection',
      step: this.state.step,
      ...removal,
      widths: trunk.widths(),
      ...trunk.network.size(),
    });
  }

  private async keep(trunk: Trunk, budget: number, kind: Snapshot['kind']): Promise<void> {
    const snapshot = await trunk.snapshot(budget, kind, this.state.step);
    this.state.snapshots.push(snapshot);
    const { params } = trunk.network.size();
    this.context.emit({ type: 'snapshot', budget, step: this.state.step, widths: trunk.widths(), params });
  }

  /** Budgets that were not reached are named, with the reason. */
  private reportMissed(trunk: Trunk): void {
    const missed = this.budgets.filter((budget) => !this.has(budget));
    if (missed.length === 0) return;
    const warning = missedWarning(missed, {
      size: trunk.size(),
      unit: sizeUnit(this.options.cost),
      steps: this.state.step,
      canShrink: trunk.canShrink(this.inputs.prepared.limitsOf),
    });
    this.context.emit({ type: 'warning', ...warning });
  }

  /** Without a budget that was reached the last network is the result. */
  private async keepLast(trunk: Trunk): Promise<void> {
    const reached = this.state.snapshots.some((snapshot) => snapshot.kind === 'budget');
    if (!reached || this.budgets.length === 0) await this.keep(trunk, trunk.size(), 'budget');
  }

  /** The budget path has a schedule on size instead of one on λ. */
  private lambdaFactor(): number {
    const { mode, lambdaSchedule } = this.options;
    return mode === 'budget' ? 1 : lambdaFactor(lambdaSchedule, this.state.step / this.steps);
  }

  /** @throws ShrinkError `loss-exploded`: what comes after is not worth the user's time */
  private checkLoss(trunk: Trunk, loss: number): void {
    const first = (this.state.firstLoss ??= loss);
    if (loss > EXPLODED * (1 + first)) throw trunk.lossError('loss-exploded', loss, this.state.step);
  }

  private learningRate(): number {
    return this.inputs.optimizer.learningRate * this.state.plateau.factor;
  }

  private warnOnce(warnings: readonly Warning[]): void {
    for (const { code, message } of warnings) {
      if (this.warned.has(code)) continue;
      this.warned.add(code);
      this.context.emit({ type: 'warning', code, message });
    }
  }

  private has(budget: number): boolean {
    return this.state.snapshots.some((snapshot) => snapshot.kind === 'budget' && snapshot.budget === budget);
  }

  private async endEpoch(trunk: Trunk, times: readonly number[]): Promise<void> {
    const { state } = this;
    const { head, dataset } = this.inputs.prepared;
    await trunk.settle();
    const validation = await this.validate(trunk.network, dataset.validation.count);
    // The last step's weights were not seen by a training loss yet: what is broken must not become a checkpoint.
    if (!Number.isFinite(validation.loss))
      throw trunk.lossError('loss-not-finite', validation.loss, state.step - 1);
    if (this.options.rateSchedule === 'plateau')
      state.plateau = afterEpoch(state.plateau, validation.accuracy ?? -validation.loss);
    const loss = state.epoch.loss / state.epoch.rows;
    const train: Metrics = classifies(head)
      ? { loss, accuracy: state.epoch.right / state.epoch.rows }
      : { loss };
    this.context.emit({
      type: 'epoch',
      phase: 'trunk',
      epoch: state.step / this.batches.perEpoch,
      epochs: this.options.epochs,
      widths: trunk.widths(),
      params: trunk.size('params'),
      macs: trunk.size('macs'),
      train,
      validation,
      stepMs: median(times),
      lambda: trunk.lambda,
    });
    state.epoch = { loss: 0, right: 0, rows: 0 };
  }

  private async validate(network: Network, count: number): Promise<Metrics> {
    const { engine, prepared } = this.inputs;
    const { head, dataset, labelShapes } = prepared;
    const rowShapes = inputsOf(dataset.train).map(({ shape }) => shape);
    const evaluator = new Evaluator(engine, network, head, rowShapes, labelShapes, count);
    try {
      return await evaluator.measure(dataset.validation);
    } finally {
      await evaluator.dispose();
    }
  }

  private async runFinish(): Promise<'done' | 'stopped'> {
    const { state, inputs, options, context } = this;
    for (const snapshot of state.snapshots.slice(state.finished.length)) {
      const started = performance.now();
      const finished = await this.finishOne(snapshot);
      if (finished === undefined) {
        await this.save();
        return 'stopped';
      }
      state.finishMs += performance.now() - started;
      state.finished.push(finished);
      context.emit({ type: 'point', ...pointOf(finished, inputs.prepared) });
      if (options.finish > 0) await this.save();
    }
    return 'done';
  }

  private finishOne(snapshot: Snapshot): Promise<Finished | undefined> {
    const { inputs, options, context } = this;
    return finishSnapshot(
      {
        engine: inputs.engine,
        prepared: inputs.prepared,
        optimizer: inputs.optimizer,
        catchUp: this.catchUp(snapshot),
        epochs: options.finish,
        batchSize: options.batchSize,
        seed: options.seed,
        emit: (event) => context.emit(event),
        progress: (at) => this.progress.finish(this.state, at),
        stop: context.stop,
        ...this.distillation(snapshot),
      },
      snapshot,
    );
  }

  /** Whether the starting size is finished as well: to compare with, or to teach the smaller ones. */
  private keepsStart(): boolean {
    return this.options.baseline !== 'off' || this.options.distill > 0;
  }

  private wantsStart(trunk: Trunk): boolean {
    const has = this.state.snapshots.some((snapshot) => snapshot.kind === 'start');
    return this.keepsStart() && !has && trunk.size() === this.startSize;
  }

  /** Epochs that the trunk went on after a requested size, or after the starting one where it is to have as many. */
  private catchUp({ kind, step }: Snapshot): number {
    if (this.options.finish === 0 || (kind === 'start' && this.options.baseline !== 'full')) return 0;
    return Math.round((this.state.step - step) / this.batches.perEpoch);
  }

  /** The starting network is finished first and then teaches the smaller ones. */
  private distillation(snapshot: Snapshot): Pick<FinishSetup, 'distil'> {
    const { distill: weight, temperature } = this.options;
    if (weight === 0 || snapshot.kind === 'start') return {};
    const teacher = this.state.finished.find((done) => done.snapshot.kind === 'start')?.snapshot;
    return teacher === undefined ? {} : { distil: { teacher, weight, temperature } };
  }

  private async save(): Promise<void> {
    await this.context.saveCheckpoint(await takeCheckpoint(this.state, this.trunk));
    if (this.trunk !== undefined) this.trunk.savedAt = this.state.step;
  }
}
