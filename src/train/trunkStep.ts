import * as tf from '../engine/tf';
import type { CompiledStep, Engine, StepFunction, StepScalars, TensorSpec } from '../engine/engine';
import { distilledLoss, type Distillation } from './distil';
import { meanAccuracy, meanLoss, type Head } from './head';
import type { Network } from './network';
import type { Optimizer } from './optimizer';
import { variablesOf, type SwitchControls } from './switchControls';
import { PROXIMAL, type SwitchMode } from './switchModes';

/** Scalars of every training step; `randomSeed` seeds what is random in it (engine/random.ts). */
export const STEP_SCALARS = ['learningRate', 'randomSeed', 'weightDecay', 'lambda'] as const;

/** What is trained beside the weights, and how. */
export interface SwitchTraining {
  readonly mode: SwitchMode;
  readonly controls: readonly SwitchControls[];
  /** p of the λ2 term (eq. 9, 10); its strength is the scalar `weightDecay`. Undefined for none. */
  readonly decayPower?: 1 | 2;
}

/** Weights alone, without switches or penalties: the finish. */
export const NO_SWITCHES: SwitchTraining = { mode: PROXIMAL, controls: [] };

/**
 * The training step: loss and gradients, the author's optimizer, then the switches as their mode moves them.
 *
 * @returns a step whose outputs are the batch's mean loss and its share of right rows, and every variable it touches
 */
export function trainingStep(
  network: Network,
  head: Head,
  optimizer: Optimizer,
  { mode, controls, decayPower }: SwitchTraining,
  distillation?: Distillation,
): { readonly step: StepFunction; readonly variables: readonly tf.Variable[] } {
  const weights = network.trainedVariables();
  const betas = controls.map((control) => control.beta);
  const optimized = mode.optimized ? [...weights, ...betas] : weights;
  const step: StepFunction = (batch, scalars) => {
    const { xs, ys } = network.parts(batch);
    const measured: { loss?: tf.Tensor; right?: tf.Tensor } = {};
    const { value, grads } = tf.variableGrads(() => {
      const outs = network.answer(xs, true);
      const loss = meanLoss(head, ys, outs);
      // Kept: what a gradient function makes besides its value is disposed with its tape.
      measured.right = tf.keep(tf.mean(meanAccuracy(head, ys, outs)));
      measured.loss = tf.keep(tf.clone(loss));
      const taught =
        distillation === undefined
          ? loss
          : distilledLoss(head.outputs, loss, outs, distillation.teacher.answer(xs, false), distillation);
      return addPenalties(
        taught,
        network.model,
        weights,
        { mode, controls, ...(decayPower === undefined ? {} : { decayPower }) },
        scalars,
      );
    }, [...weights, ...betas]);
    optimizer.apply(
      optimized.map((variable) => gradientOf(grads, variable)),
      scalars['learningRate'] ?? 0,
    );
    for (const control of controls) mode.move(control, gradientOf(grads, control.beta), scalars);
    return [measured.loss ?? value, measured.right ?? tf.scalar(0)];
  };
  return {
    step,
    variables: [
      ...network.weightVariables(),
      ...optimizer.stateVariables(),
      ...variablesOf(controls),
      ...(distillation?.teacher.weightVariables() ?? []),
    ],
  };
}

/** {@link trainingStep} on an engine. @param like see {@link Engine.compile} */
export function compileTraining(
  engine: Engine,
  network: Network,
  head: Head,
  optimizer: Optimizer,
  switches: SwitchTraining,
  batch: readonly TensorSpec[],
  distillation?: Distillation,
  like?: readonly CompiledStep[],
): Promise<CompiledStep> {
  const { step, variables } = trainingStep(network, head, optimizer, switches, distillation);
  return engine.compile(step, variables, batch, STEP_SCALARS, like);
}

/** L'(x, y; θ, β) = L + the author's regularisers + λ2 ‖θ‖ₚᵖ + the penalty on the switches (eq. 2, 9, 10). */
function addPenalties(
  loss: tf.Scalar,
  model: tf.LayersModel,
  weights: readonly tf.Variable[],
  { mode, controls, decayPower }: SwitchTraining,
  scalars: StepScalars,
): tf.Scalar {
  let total = model.calculateLosses().reduce((sum, extra) => tf.add(sum, extra), loss);
  if (decayPower !== undefined)
    total = tf.add(total, tf.mul(norm(weights, decayPower), scalars['weightDecay'] ?? 0));
  for (const control of controls) {
    const penalty = mode.penalty?.(control, scalars);
    if (penalty !== undefined) total = tf.add(total, penalty);
  }
  return total;
}

/** ‖θ‖ₚᵖ. */
function norm(variables: readonly tf.Variable[], power: 1 | 2): tf.Scalar {
  return tf.addN(variables.map((v) => tf.sum(power === 1 ? tf.abs(v) : tf.square(v)))) as tf.Scalar;
}

function gradientOf(grads: tf.NamedTensorMap, variable: tf.Variable): tf.Tensor {
  const gradient: tf.Tensor | undefined = grads[variable.name];
  // A variable that the loss does not depend on (behind a frozen or unused branch) has none.
  return gradient ?? tf.zerosLike(variable);
}
