import { adamInOnePass } from '../engine/adam';
import * as tf from '../engine/tf';
import { badInput } from '../core/errors';
import type { HostTensor } from '../core/tensor';
import { readTensor } from './model';

/**
 * TensorFlow.js's optimizers, opened up: their slots (moments, accumulators) are made, read, replaced and shrunk
 * together with the variables they belong to.
 */

export type OptimizerName =
  'sgd' | 'momentum' | 'nesterov' | 'adagrad' | 'adadelta' | 'adam' | 'adamax' | 'rmsprop';

export interface OptimizerSpec {
  readonly name: OptimizerName;
  readonly learningRate: number;
  /** Further constructor settings, as the optimizer's own configuration names them. */
  readonly settings: Readonly<Record<string, number | boolean>>;
}

interface SlotEntry {
  originalName: string;
  variable: tf.Variable;
}

/** The private state of TensorFlow.js's optimizers. A test compares it with what a real step makes. */
interface Internals {
  learningRate: number;
  [field: string]: unknown;
}

/** Adam's own settings, its defaults filled in. */
interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Which fields hold one variable for each trained variable, and which hold a scalar. */
const STATE: Readonly<Record<OptimizerName, { slots: readonly string[]; scalars: readonly string[] }>> = {
  sgd: { slots: [], scalars: [] },
  momentum: { slots: ['accumulations'], scalars: [] },
  nesterov: { slots: ['accumulations'], scalars: [] },
  adagrad: { slots: ['accumulatedGrads'], scalars: [] },
  adadelta: { slots: ['accumulatedGrads', 'accumulatedUpdates'], scalars: [] },
  adam: { slots: ['accumulatedFirstMoment', 'accumulatedSecondMoment'], scalars: ['accBeta1', 'accBeta2'] },
  adamax: {
    slots: ['accumulatedFirstMoment', 'accumulatedWeightedInfNorm'],
    scalars: ['iteration', 'accBeta1'],
  },
  rmsprop: { slots: ['accumulatedMeanSquares', 'accumulatedMoments'], scalars: [] },
};

/** One optimizer slot: a tensor of the same shape as the variable it belongs to. */
export type Slots = Readonly<Record<string, readonly HostTensor[]>>;

export class Optimizer {
  private readonly inner: tf.Optimizer & Internals;
  private readonly slotFields: readonly string[];
  private readonly scalarFields: readonly string[];

  /** @param variables what it trains; slots keep this order */
  constructor(
    readonly spec: OptimizerSpec,
    private readonly variables: readonly tf.Variable[],
  ) {
    this.inner = create(spec) as tf.Optimizer & Internals;
    const centered = spec.name === 'rmsprop' && spec.settings['centered'] === true;
    this.slotFields = centered ? [...STATE.rmsprop.slots, 'accumulatedMeanGrads'] : STATE[spec.name].slots;
    this.scalarFields = STATE[spec.name].scalars;
    // Slots are made now, not at the first step: a traced step needs every variable before it is traced.
    for (const field of this.slotFields)
      this.inner[field] = variables.map((variable): SlotEntry => ({
        originalName: `${variable.name}/${field}`,
        variable: tf.tidy(() => tf.variable(this.initialSlot(variable), false)),
      }));
  }

  /** Every variable that a step assigns besides the trained ones. */
  stateVariables(): tf.Variable[] {
    const slots = this.slotFields.flatMap((field) => this.slot(field).map((entry) => entry.variable));
    return [...slots, ...this.scalarFields.map((field) => this.inner[field] as tf.Variable)];
  }

  /** Moves the variables. @param gradients in the order of the variables */
  apply(gradients: readonly tf.Tensor[], learningRate: number): void {
    if (this.spec.name === 'adam' && this.moveInOnePass(gradients, learningRate)) return;
    const settable = this.inner as unknown as { setLearningRate?: (rate: number) => void };
    // SGD and its kin keep the rate in a tensor; the others read the number.
    if (settable.setLearningRate !== undefined) settable.setLearningRate(learningRate);
    else this.inner.learningRate = learningRate;
    this.inner.applyGradients(
      this.variables.map((variable, i) => {
        const tensor = gradients[i];
        if (tensor === undefined) throw new RangeError('one gradient for every variable');
        return { name: variable.name, tensor };
      }),
    );
  }

  /** Slots by field, each in the order of the variables, and the scalars. */
  async read(): Promise<{ slots: Slots; scalars: Readonly<Record<string, number>> }> {
    const slots: Record<string, HostTensor[]> = {};
    for (const field of this.slotFields)
      slots[field] = await Promise.all(this.slot(field).map((entry) => readTensor(entry.variable)));
    const scalars: Record<string, number> = {};
    for (const field of this.scalarFields)
      scalars[field] = (await (this.inner[field] as tf.Variable).data())[0] ?? 0;
    return { slots, scalars };
  }

  /** Puts state back. @throws RangeError when a slot is of another size than its variable */
  write(state: { slots: Slots; scalars: Readonly<Record<string, number>> }): void {
    for (const field of this.slotFields)
      this.slot(field).forEach(({ variable }, i) => {
        const value = state.slots[field]?.[i];
        if (value?.data.length !== variable.size)
          throw new RangeError(`slot ${field} of ${variable.name} has another size`);
        tf.tidy(() => variable.assign(tf.tensor(value.data, variable.shape)));
      });
    for (const field of this.scalarFields)
      tf.tidy(() => (this.inner[field] as tf.Variable).assign(tf.scalar(state.scalars[field] ?? 0)));
  }

  dispose(): void {
    this.inner.dispose();
    for (const field of this.scalarFields) (this.inner[field] as tf.Variable).dispose();
    const rate = this.inner['c'];
    if (rate instanceof tf.Tensor) rate.dispose();
  }

  /** Adam by what the active backend has for it. @returns whether it has */
  private moveInOnePass(gradients: readonly tf.Tensor[], learningRate: number): boolean {
    const [first = [], second = []] = this.slotFields.map((field) => this.slot(field));
    const tensors = this.variables.flatMap((value, i) => {
      const [gradient, moment, square] = [gradients[i], first[i]?.variable, second[i]?.variable];
      return gradient && moment && square ? [{ value, gradient, first: moment, second: square }] : [];
    });
    if (tensors.length < this.variables.length) throw new RangeError('one gradient for every variable');
    const update = adamInOnePass(tensors);
    if (update === undefined) return false;
    const { beta1, beta2, epsilon } = this.inner as unknown as AdamSettings;
    const [power1, power2] = this.scalarFields.map((field) => this.inner[field] as tf.Variable);
    if (power1 === undefined || power2 === undefined) throw new TypeError('Adam keeps powers of its betas');
    const present = (variable: tf.Variable): number => variable.dataSync()[0] ?? NaN;
    update(tensors, {
      learningRate,
      beta1,
      beta2,
      epsilon,
      power1: present(power1),
      power2: present(power2),
    });
    tf.tidy(() => {
      power1.assign(tf.mul(power1, beta1));
      power2.assign(tf.mul(power2, beta2));
    });
    return true;
  }

  private slot(field: string): SlotEntry[] {
    return this.inner[field] as SlotEntry[];
  }

  private initialSlot(variable: tf.Variable): tf.Tensor {
    if (this.spec.name !== 'adagrad') return tf.zeros(variable.shape);
    return tf.fill(variable.shape, Number(this.spec.settings['initialAccumulatorValue'] ?? 0.1));
  }
}

function create({ name, learningRate, settings }: OptimizerSpec): tf.Optimizer {
  const number = (key: string, fallback: number): number => Number(settings[key] ?? fallback);
  const optional = (key: string): number | undefined =>
    typeof settings[key] === 'number' ? settings[key] : undefined;
  switch (name) {
    case 'sgd':
      return tf.train.sgd(learningRate);
    case 'momentum':
    case 'nesterov':
      return tf.train.momentum(learningRate, number('momentum', 0.9), name === 'nesterov');
    case 'adagrad':
      return tf.train.adagrad(learningRate, number('initialAccumulatorValue', 0.1));
    case 'adadelta':
      return tf.train.adadelta(learningRate, optional('rho'), optional('epsilon'));
    case 'adam':
      return tf.train.adam(learningRate, optional('beta1'), optional('beta2'), optional('epsilon'));
    case 'adamax':
      return tf.train.adamax(
        learningRate,
        optional('beta1'),
        optional('beta2'),
        optional('epsilon'),
        optional('decay'),
      );
    case 'rmsprop':
      return tf.train.rmsprop(
        learningRate,
        optional('decay'),
        optional('momentum'),
        optional('epsilon'),
        settings['centered'] === true,
      );
  }
}

/** Class names of TensorFlow.js's optimizers. */
const BY_CLASS: Readonly<Record<string, OptimizerName>> = {
  SGD: 'sgd',
  Momentum: 'momentum',
  Adagrad: 'adagrad',
  Adadelta: 'adadelta',
  Adam: 'adam',
  Adamax: 'adamax',
  RMSProp: 'rmsprop',
};

/**
 * What an optimizer object of the author's is. @throws ShrinkError `unknown-optimizer` for one of another class
 */
export function describeOptimizer(optimizer: tf.Optimizer): OptimizerSpec {
  const config = optimizer.getConfig() as Record<string, unknown>;
  const base = BY_CLASS[optimizer.getClassName()];
  if (base === undefined)
    throw badInput(
      'unknown-optimizer',
      `The optimizer ${optimizer.getClassName()} is not one of TensorFlow.js's; set optimizer= in the hint.`,
    );
  const settings: Record<string, number | boolean> = {};
  for (const [key, value] of Object.entries(config))
    if (key !== 'learningRate' && (typeof value === 'number' || typeof value === 'boolean'))
      settings[key] = value;
  const name = base === 'momentum' && config['useNesterov'] === true ? 'nesterov' : base;
  return { name, learningRate: Number(config['learningRate'] ?? 0.001), settings };
}
