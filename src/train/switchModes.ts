import * as tf from '../engine/tf';
import type { Analysis } from '../core/analysis';
import { FADE, SCORE_KEEP } from '../core/budget';
import { mixSeed, normalSamples, seededRandom } from '../core/random';
import { DEAD_WEIGHT, type RemovalSettings } from '../core/removal';
import type { StepScalars } from '../engine/engine';

/**
 * How switches are trained. The proximal mode is RECIPE.md's (`budget` and `lambda`); the subgradient mode is the
 * paper's (`original`). All state is in variables of shape [channels], so that a step can be traced and the host can
 * change it between steps.
 */

/** Variables beside β, by name; `alive` is 1 where a channel lives and 0 where it is dead for good. */
export type SwitchState = Readonly<Record<string, tf.Variable>> & { readonly alive: tf.Variable };

/** The switches of one hub, as a mode sees them. */
export interface Switches {
  readonly beta: tf.Variable;
  readonly state: SwitchState;
  /** The weights that make each channel; present where the mode is `grouped`. */
  readonly group?: GroupReading;
}

/** [channels] each; what is differentiated is `squares`. */
export interface GroupReading {
  squares(): tf.Tensor1D;
  sizes(): tf.Tensor1D;
  countAtLeast(limit: number): tf.Tensor1D;
}

export interface SwitchMode {
  /** `signed` multiplies by β, `relu` by max(0, β) (draft, eq. 1). */
  readonly form: 'signed' | 'relu';
  /** Whether the author's optimizer moves the switches too. */
  readonly optimized: boolean;
  /** First values of a hub's switches. */
  draw(channels: number, seed: number): Float32Array;
  /** First values of a hub's state. */
  state(
    beta: Float32Array,
  ): Readonly<Record<string, readonly number[]>> & { readonly alive: readonly number[] };
  /** Whether the penalty and the removal look at the weights that make a channel. */
  readonly grouped?: boolean;
  /** Added to the loss; undefined for none. */
  penalty?(switches: Switches, scalars: StepScalars): tf.Scalar;
  /** Moves β and the state after the weights have moved. */
  move(switches: Switches, gradient: tf.Tensor, scalars: StepScalars): void;
  /** Probability with which each channel is dropped in a training step; undefined for never. */
  dropProbability?(state: SwitchState): tf.Tensor1D;
  /** State of a channel that must live on although its switch is 0 or its strategy killed it. */
  readonly revive: (beta: number) => Readonly<Record<string, number>>;
}

/** What keeps a channel working whose switch is shut and must live on. */
const SMALLEST_REVIVED = 0.01;

/** Step size of the switches (RECIPE.md: η = 1). */
const SWITCH_RATE = 1;

const filled = (length: number, value: number): readonly number[] => Array.from({ length }, () => value);

/**
 * s ← 0.99 s + 0.01 (β g)²; marked channels fade, β ← 0.86 β; the others β ← soft(β − η g, η t) (RECIPE.md).
 * N(0, 1) to begin with, which finds slightly better networks than 1.
 */
export const PROXIMAL: SwitchMode = {
  form: 'signed',
  optimized: false,
  draw: (channels, seed) => normalSamples(channels, seededRandom(seed)),
  state: ({ length }) => ({
    alive: filled(length, 1),
    score: filled(length, 0),
    fading: filled(length, 0),
    threshold: filled(length, 0),
  }),
  move({ beta, state }, gradient, scalars) {
    const { alive, score, fading, threshold } = state as Record<
      'score' | 'fading' | 'threshold',
      tf.Variable
    > &
      SwitchState;
    tf.tidy(() => {
      const effect = tf.square(tf.mul(beta, gradient));
      score.assign(tf.add(tf.mul(score, SCORE_KEEP), tf.mul(effect, 1 - SCORE_KEEP)));
      const moved = tf.sub(beta, tf.mul(gradient, SWITCH_RATE));
      // soft(b, t) = max(0, b - t) - max(0, -b - t): zero inside the threshold, pulled towards zero outside. As maxima,
      // because all of it is then one pass over the switches where steps are traced (engine/onnx/tails).
      const limit = tf.mul(tf.mul(threshold, SWITCH_RATE), scalars['lambda'] ?? 1);
      const above = tf.maximum(tf.sub(moved, limit), 0);
      const below = tf.maximum(tf.sub(tf.neg(moved), limit), 0);
      const pulled = tf.sub(above, below);
      const faded = tf.mul(beta, FADE);
      const next = tf.add(tf.mul(pulled, tf.sub(1, fading)), tf.mul(faded, fading));
      beta.assign(tf.mul(next, alive));
    });
  },
  // At 0 it passes nothing, and no gradient on to its weights.
  revive: (beta) => ({ beta: beta === 0 ? SMALLEST_REVIVED : beta }),
};

/**
 * The paper's form: the optimizer moves β like any weight, against the penalty λ Σ |β| (or λ Σ max(0, θ)); a strategy
 * decides once a step who is dead, and a dead channel is masked in the same step, whatever momentum does later.
 */
export function subgradientMode(form: 'signed' | 'relu', removal: RemovalSettings): SwitchMode {
  const randomized = removal.strategy === 'randomized';
  return {
    form,
    optimized: true,
    draw(channels, seed) {
      const random = seededRandom(seed);
      // U(0, 1] for relu: a channel born at 0 would be dead. U[-1, 1) for signed.
      return Float32Array.from({ length: channels }, () =>
        form === 'relu' ? 1 - random() : 2 * random() - 1,
      );
    },
    state: (beta) => ({
      alive: filled(beta.length, 1),
      lambda: filled(beta.length, 0),
      mean: Array.from(beta, Math.sign),
      variance: filled(beta.length, 0),
      first: Array.from(beta, Math.sign),
    }),
    penalty({ beta, state }, scalars) {
      const size = form === 'relu' ? tf.relu(beta) : tf.abs(beta);
      const weighed = tf.mul(tf.mul(size, state['lambda'] ?? 0), state.alive);
      return tf.mul(tf.sum(weighed), scalars['lambda'] ?? 1);
    },
    move: ({ beta, state }) => observeOnDevice(removal, beta, state),
    ...(randomized
      ? {
          dropProbability: (state: SwitchState) =>
            tf.minimum<tf.Tensor1D>(tf.div(state['variance'] ?? 0, removal.threshold), 1),
        }
      : {}),
    revive: (beta) => {
      // Under the threshold it would be dead again after one step.
      const least = removal.strategy === 'threshold' ? 2 * removal.threshold : SMALLEST_REVIVED;
      const size = form === 'relu' ? beta : Math.abs(beta);
      const kept = size >= least ? beta : form === 'signed' && beta < 0 ? -least : least;
      return { beta: kept, mean: Math.sign(kept), variance: 0, first: Math.sign(kept) };
    },
  };
}

/** `core/removal.observe` on tensors; the dead are masked. */
function observeOnDevice(settings: RemovalSettings, beta: tf.Variable, state: SwitchState): void {
  const { alive, mean, variance, first } = state as Record<'mean' | 'variance' | 'first', tf.Variable> &
    SwitchState;
  const { gamma, threshold, strategy } = settings;
  tf.tidy(() => {
    // sign(β) from comparisons: every engine has them.
    const sign = tf.sub(tf.cast(tf.greater(beta, 0), 'float32'), tf.cast(tf.less(beta, 0), 'float32'));
    const off = tf.sub(sign, mean);
    variance.assign(tf.add(tf.mul(variance, gamma), tf.mul(tf.square(off), 1 - gamma)));
    mean.assign(tf.add(tf.mul(mean, gamma), tf.mul(sign, 1 - gamma)));
    const lives = (): tf.Tensor => {
      switch (strategy) {
        case 'relu':
          return tf.greater(beta, 0);
        case 'threshold':
          return tf.greaterEqual(tf.abs(beta), threshold);
        case 'sign-change':
          return tf.equal(sign, first);
        case 'sign-variance':
        case 'randomized':
          return tf.lessEqual(variance, threshold);
      }
    };
    alive.assign(tf.mul(alive, tf.cast(lives(), 'float32')));
  });
}

/** Below it a squared norm counts as this: the root of 0 has no gradient. */
const SMALLEST_SQUARE = 1e-24;

/**
 * Group sparsity (draft eq. 5): λ Σ_i √#θ_i ‖θ_i‖₂ over the weights that make each channel, and no learned switch. A
 * channel is dead when all its weights are under {@link DEAD_WEIGHT}; β is 1 while it lives and 0 from then on.
 */
export const GROUP_SPARSITY: SwitchMode = {
  form: 'signed',
  optimized: false,
  grouped: true,
  draw: (channels) => new Float32Array(channels).fill(1),
  state: ({ length }) => ({
    alive: filled(length, 1),
    lambda: filled(length, 0),
    score: filled(length, 0),
    kept: filled(length, 0),
  }),
  penalty({ state, group }, scalars) {
    const weights = groupOf(group);
    const norms = tf.sqrt(tf.maximum(weights.squares(), SMALLEST_SQUARE));
    const weighed = tf.mul(
      tf.mul(tf.sqrt(weights.sizes()), norms),
      tf.mul(state['lambda'] ?? 0, state.alive),
    );
    return tf.mul(tf.sum(weighed), scalars['lambda'] ?? 1);
  },
  move({ beta, state, group }) {
    const { alive, score, kept } = state as Record<'score' | 'kept', tf.Variable> & SwitchState;
    const weights = groupOf(group);
    tf.tidy(() => {
      const lives = tf.cast(tf.greater(weights.countAtLeast(DEAD_WEIGHT), 0), 'float32');
      // What makes a channel strong here is its norm: limits keep the strongest.
      score.assign(weights.squares());
      alive.assign(tf.mul(alive, tf.maximum(lives, kept)));
      beta.assign(tf.mul(alive, 1));
    });
  },
  revive: () => ({ beta: 1, kept: 1 }),
};

function groupOf(group: GroupReading | undefined): GroupReading {
  if (group === undefined) throw new RangeError('group sparsity needs the weights of its channels');
  return group;
}

/** First values of every hub's switches. */
export function drawSwitches(
  mode: SwitchMode,
  analysis: Analysis,
  seed: number,
): Record<string, Float32Array> {
  const switches: Record<string, Float32Array> = {};
  analysis.hubs.forEach((hub, i) => {
    if (hub.classes.length > 0) switches[hub.name] = mode.draw(hub.classes.length, mixSeed(seed, 51, i));
  });
  return switches;
}
