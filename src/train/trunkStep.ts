import * as tf from '../engine/tf';
import { FADE, SCORE_KEEP } from '../core/budget';
import type { CompiledStep, Engine, StepFunction, TensorSpec } from '../engine/engine';
import { meanLoss, rowAccuracy, type Head } from './head';
import type { Network } from './network';
import type { Optimizer } from './optimizer';

/** Step size of the switches (RECIPE.md: η = 1). */
const SWITCH_RATE = 1;

/** What a step does to one hub's switches, as variables, so that the host can change it between steps. */
export interface SwitchControls {
  readonly beta: tf.Variable;
  /** Fisher score of each channel, [channels]. */
  readonly score: tf.Variable;
  /** 1 where a channel lives, 0 where it is dead for good, [channels]. */
  readonly alive: tf.Variable;
  /** 1 where a channel fades, [channels]. */
  readonly fading: tf.Variable;
  /** Soft threshold of a step, [channels]. */
  readonly threshold: tf.Variable;
}

export function makeControls(beta: tf.Variable): SwitchControls {
  const make = (value: number, what: string): tf.Variable =>
    tf.tidy(() => tf.variable(tf.fill(beta.shape, value), false, `${beta.name}/${what}`));
  return {
    beta,
    score: make(0, 'score'),
    alive: make(1, 'alive'),
    fading: make(0, 'fading'),
    threshold: make(0, 'threshold'),
  };
}

export function disposeControls(controls: SwitchControls): void {
  tf.dispose([controls.score, controls.alive, controls.fading, controls.threshold]);
}

/** Scalars of every training step; `randomSeed` seeds what is random in it (engine/random.ts). */
export const STEP_SCALARS = ['learningRate', 'randomSeed', 'weightDecay'] as const;

/**
 * The training step: loss and gradients, the author's optimizer on the weights, and on the switches the score
 * s ← 0.99 s + 0.01 (β g)² and the proximal step β ← soft(β − η g, η t) (RECIPE.md).
 *
 * @param decays whether the weights carry an L2 penalty; its strength is the scalar `weightDecay`
 * @returns a step whose outputs are the batch's mean loss and its share of right rows, and every variable it touches
 */
export function trainingStep(
  network: Network,
  head: Head,
  optimizer: Optimizer,
  controls: readonly SwitchControls[],
  decays: boolean,
): { readonly step: StepFunction; readonly variables: readonly tf.Variable[] } {
  const trained = network.trainedVariables();
  const betas = controls.map((control) => control.beta);
  const step: StepFunction = ([x, y], scalars) => {
    if (x === undefined || y === undefined) throw new RangeError('a batch is x and y');
    const measured: { right?: tf.Tensor } = {};
    const { value, grads } = tf.variableGrads(() => {
      const out = network.model.apply(x, { training: true }) as tf.Tensor;
      // Kept: what a gradient function makes besides its value is disposed with its tape.
      measured.right = tf.keep(tf.mean(rowAccuracy(head, y, out)));
      const loss = addLayerLosses(meanLoss(head, y, out), network.model);
      return decays ? tf.add(loss, tf.mul(squaredNorm(trained), scalars['weightDecay'] ?? 0)) : loss;
    }, [...trained, ...betas]);
    optimizer.apply(
      trained.map((variable) => gradientOf(grads, variable)),
      scalars['learningRate'] ?? 0,
    );
    for (const control of controls) moveSwitches(control, gradientOf(grads, control.beta));
    return [value, measured.right ?? tf.scalar(0)];
  };
  const state = controls.flatMap((c) => [c.beta, c.score, c.alive, c.fading, c.threshold]);
  return { step, variables: [...network.weightVariables(), ...optimizer.stateVariables(), ...state] };
}

/** {@link trainingStep} on an engine. */
export function compileTraining(
  engine: Engine,
  network: Network,
  head: Head,
  optimizer: Optimizer,
  controls: readonly SwitchControls[],
  batch: readonly TensorSpec[],
  decays: boolean,
): Promise<CompiledStep> {
  const { step, variables } = trainingStep(network, head, optimizer, controls, decays);
  return engine.compile(step, variables, batch, STEP_SCALARS);
}

/** The author's own regularisers count in training. */
function addLayerLosses(loss: tf.Scalar, model: tf.LayersModel): tf.Scalar {
  return model.calculateLosses().reduce((sum, extra) => tf.add(sum, extra), loss);
}

/** ‖θ‖², the λ2 term of eq. 9 and 10 for p = 2. */
function squaredNorm(variables: readonly tf.Variable[]): tf.Scalar {
  return tf.addN(variables.map((variable) => tf.sum(tf.square(variable)))) as tf.Scalar;
}

function gradientOf(grads: tf.NamedTensorMap, variable: tf.Variable): tf.Tensor {
  const gradient: tf.Tensor | undefined = grads[variable.name];
  // A variable that the loss does not depend on (behind a frozen or unused branch) has none.
  return gradient ?? tf.zerosLike(variable);
}

function moveSwitches(control: SwitchControls, gradient: tf.Tensor): void {
  tf.tidy(() => {
    const { beta, score, alive, fading, threshold } = control;
    const effect = tf.square(tf.mul(beta, gradient));
    score.assign(tf.add(tf.mul(score, SCORE_KEEP), tf.mul(effect, 1 - SCORE_KEEP)));
    const moved = tf.sub(beta, tf.mul(gradient, SWITCH_RATE));
    // soft(b, t) = relu(b - t) - relu(-b - t): zero inside the threshold, pulled towards zero outside.
    const limit = tf.mul(threshold, SWITCH_RATE);
    const pulled = tf.sub(tf.relu(tf.sub(moved, limit)), tf.relu(tf.sub(tf.neg(moved), limit)));
    const faded = tf.mul(beta, FADE);
    const next = tf.add(tf.mul(pulled, tf.sub(1, fading)), tf.mul(faded, fading));
    beta.assign(tf.mul(next, alive));
  });
}
