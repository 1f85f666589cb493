import * as tf from '../engine/tf';
import { FILTER_CLASS, type AxisSwitches, type FilterConfig } from '../core/filters';

/**
 * The switches β of every hub, one variable of shape [channels] each. They lie outside the layers, because layers
 * whose channels are joined share one switch a channel.
 */
export class SwitchBank {
  private readonly variables = new Map<string, tf.Variable>();
  private readonly masks = new Map<
    string,
    { readonly alive: tf.Variable; readonly dropProbability: () => tf.Tensor1D | undefined }
  >();
  private readonly configs: ReadonlyMap<string, FilterConfig>;

  /**
   * @param form how a switch acts: `signed` multiplies by β, `relu` by max(0, β) (draft, eq. 1)
   * @param configs of the Filters. They find theirs here by name: TensorFlow.js rewrites the strings of a layer's own
   *   configuration to camel case, hub names among them
   */
  constructor(
    readonly form: 'signed' | 'relu',
    configs: readonly FilterConfig[],
  ) {
    this.configs = new Map(configs.map((config) => [config.name, config]));
  }

  config(filter: string): FilterConfig {
    const config = this.configs.get(filter);
    if (config === undefined) throw new RangeError(`no Filter ${filter}`);
    return config;
  }

  add(hub: string, values: Float32Array): tf.Variable {
    const name = `switch/${hub}_${nextId()}`;
    const variable = tf.tidy(() => tf.variable(tf.tensor1d(values), true, name));
    this.variables.set(hub, variable);
    return variable;
  }

  get(hub: string): tf.Variable {
    const variable = this.variables.get(hub);
    if (variable === undefined) throw new RangeError(`no switches for ${hub}`);
    return variable;
  }

  entries(): [string, tf.Variable][] {
    return [...this.variables];
  }

  /**
   * Lets the Filters multiply by `alive` as well, and drop channels at random in training. Needed where β of a dead
   * channel is not kept at 0, as when an optimizer with momentum moves it.
   */
  mask(hub: string, alive: tf.Variable, dropProbability: () => tf.Tensor1D | undefined): void {
    this.masks.set(hub, { alive, dropProbability });
  }

  /** The factor of each of a hub's channels, [channels]. */
  factor(hub: string, training: boolean): tf.Tensor1D {
    const beta = this.get(hub) as unknown as tf.Tensor1D;
    const opened = this.form === 'relu' ? tf.relu(beta) : beta;
    const mask = this.masks.get(hub);
    if (mask === undefined) return opened;
    const masked: tf.Tensor1D = tf.mul(opened, mask.alive);
    const probability = training ? mask.dropProbability() : undefined;
    if (probability === undefined) return masked;
    const kept = tf.cast(tf.greaterEqual(tf.randomUniform([beta.size]), probability), 'float32');
    return tf.mul(masked, kept);
  }

  /** The factor of every index of an axis, [length of the axis]. */
  gate({ hubs, index }: AxisSwitches, training: boolean): tf.Tensor1D {
    const parts = hubs.map((hub) => this.factor(hub, training));
    const all = parts.length === 1 && parts[0] !== undefined ? parts[0] : tf.concat1d(parts);
    if (index === null) return all;
    // Channels that stay take the 1 that is put behind all switches.
    const withOne = tf.concat1d([all, tf.tensor1d([1])]);
    const places = index.map((place) => (place < 0 ? all.size : place));
    return tf.gather(withOne, tf.tensor1d(places, 'int32'));
  }

  dispose(): void {
    this.masks.clear();
    for (const variable of this.variables.values()) variable.dispose();
    this.variables.clear();
  }
}

let ids = 0;
function nextId(): number {
  ids += 1;
  return ids;
}

let currentBank: SwitchBank | undefined;

/** Runs `build`, in which every Filter that is made takes its switches from `bank`. */
export function withBank<T>(bank: SwitchBank, build: () => T): T {
  const before = currentBank;
  currentBank = bank;
  try {
    return build();
  } finally {
    currentBank = before;
  }
}

/**
 * Multiplies every channel by its switch (draft, eq. 1). Input and output have the same shape, of any rank, with the
 * channels on `axis`.
 */
export class FilterLayer extends tf.layers.Layer {
  private readonly bank: SwitchBank;
  private readonly filter: FilterConfig;

  constructor(config: { readonly name: string }) {
    super({ name: config.name, trainable: false });
    if (currentBank === undefined) throw new Error('a Filter is made only inside withBank');
    this.bank = currentBank;
    this.filter = currentBank.config(config.name);
    this.supportsMasking = true;
  }

  static get className(): string {
    return FILTER_CLASS;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0] : inputs;
      if (input === undefined) throw new Error('a Filter takes one tensor');
      const gate = this.bank.gate(this.filter, kwargs.training === true);
      // Channels on the last axis broadcast by themselves.
      if (this.filter.axis === input.rank - 1) return tf.mul(input, gate);
      const shape = input.shape.map((_, axis) => (axis === this.filter.axis ? gate.size : 1));
      return tf.mul(input, tf.reshape(gate, shape));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), name: this.filter.name };
  }
}

tf.serialization.registerClass(FilterLayer);
