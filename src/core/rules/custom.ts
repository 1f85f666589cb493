import { badInput } from '../errors';
import type { GraphLayer } from '../graph';
import { pinnedIds } from '../channels';
import { only, type Rule, type TensorInfo, type WeightInfo } from './rule';

/**
 * What a layer class of the author's own says of its channels, as a static property of the class:
 *
 *     static shrinkRule = { channels: 'keeps', zero: true, scaling: 'none', weights: [['channels']] };
 *
 * Nothing of ShrinkNets is imported for it, so that the model's source stays what it is.
 */
export interface CustomRule {
  /** `keeps`: channel k of the output comes from channel k of the input alone. `mixes`: from all of them. */
  readonly channels: 'keeps' | 'mixes';
  /** For `keeps`: whether a channel of zeros comes out as zeros. Without it, no. */
  readonly zero: boolean;
  /** For `keeps`: which factors of a channel pass through: any, those above 0, none. Without it, none. */
  readonly scaling: 'linear' | 'positive' | 'none';
  /** For each weight, what lies on its axes: the input's channels, or nothing that goes. */
  readonly weights: readonly (readonly ('channels' | null)[])[];
}

/** What is known of a layer itself, as its author made it. */
export interface CustomLayer {
  /** Shape of its input, batch first. */
  readonly input: readonly (number | null)[];
  readonly weights: readonly { readonly shape: readonly number[]; readonly trainable: boolean }[];
  /** @param input shape of the input, batch first */
  outputShape(input: readonly (number | null)[]): readonly (number | null)[];
}

const KEYS = ['channels', 'zero', 'scaling', 'weights'];

/**
 * Reads what a class says.
 *
 * @throws ShrinkError `bad-rule`, saying what is wrong and what is allowed
 */
export function readCustomRule(className: string, value: unknown): CustomRule {
  const wrong = (what: string): Error =>
    badInput('bad-rule', `${className}.shrinkRule ${what}; see docs/custom-layers.md.`);
  if (typeof value !== 'object' || value === null) throw wrong('is no object');
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrong(`has ${JSON.stringify(unknown)}; it knows ${KEYS.join(', ')}`);
  const choose = <T extends string | boolean>(key: string, allowed: readonly T[], fallback?: T): T => {
    const found = key in given ? allowed.find((each) => each === given[key]) : fallback;
    if (found === undefined)
      throw wrong(`needs ${key}: ${allowed.map((each) => JSON.stringify(each)).join(' or ')}`);
    return found;
  };
  const weights = given['weights'] ?? [];
  const isAxes = (axes: unknown): boolean =>
    Array.isArray(axes) && axes.every((axis) => axis === null || axis === 'channels');
  if (!Array.isArray(weights) || !weights.every(isAxes))
    throw wrong("needs weights: for each weight a list of its axes, 'channels' or null");
  return {
    channels: choose('channels', ['keeps', 'mixes'] as const),
    zero: choose('zero', [true, false] as const, false),
    scaling: choose('scaling', ['linear', 'positive', 'none'] as const, 'none'),
    weights: weights as CustomRule['weights'],
  };
}

/**
 * The rule of such a class. A layer that mixes channels keeps its own width: no source says where it is written. The
 * channels that it reads may go.
 *
 * @param layerOf a layer by its name in the graph
 */
export function customRule(rule: CustomRule, layerOf: (layer: GraphLayer) => CustomLayer | undefined): Rule {
  return (layer, inputs) => {
    const input = only(inputs, layer);
    const own = layerOf(layer);
    if (own === undefined)
      throw badInput(
        'bad-rule',
        `Layer "${layer.name}" has a ${layer.className} inside, where ${layer.className}.shrinkRule cannot be used; put it behind its wrapper.`,
      );
    const weights = own.weights.map((_, i) => describeWeight(layer, rule, own, i, input));
    const shape = own.outputShape(input.shape);
    if (rule.channels === 'mixes') {
      if (!weights.some((weight) => weight.in !== undefined))
        throw badInput(
          'bad-rule',
          `Layer "${layer.name}": ${layer.className}.shrinkRule mixes channels but names no weight with an axis 'channels'; see docs/custom-layers.md.`,
        );
      const axis = shape.length - 1;
      return {
        outputs: [{ shape, axis, ids: pinnedIds(shape[axis] ?? 0) }],
        weights,
        macs: weights.flatMap(({ shape: lengths, in: at }) =>
          at === undefined
            ? []
            : [
                {
                  coefficient: lengths.reduce(
                    (product, length, i) => (i === at ? product : product * length),
                    1,
                  ),
                  axes: [input.ids],
                },
              ],
        ),
        flow: { kind: 'makes' },
      };
    }
    const axis = input.axis === input.shape.length - 1 ? shape.length - 1 : input.axis;
    return {
      outputs: [
        { shape: shape.map((length, i) => (i === axis ? input.ids.length : length)), axis, ids: input.ids },
      ],
      weights,
      macs: [],
      flow: { kind: 'carries', zero: rule.zero, scaling: rule.scaling },
    };
  };
}

function describeWeight(
  layer: GraphLayer,
  rule: CustomRule,
  own: CustomLayer,
  index: number,
  input: TensorInfo,
): WeightInfo {
  const { shape = [], trainable = true } = own.weights[index] ?? {};
  const axes = rule.weights[index];
  if (axes?.length !== shape.length)
    throw badInput(
      'bad-rule',
      `Layer "${layer.name}": ${layer.className}.shrinkRule describes ${axes === undefined ? 'no' : `${axes.length} axes of`} weight ${index}, which has the shape [${shape.join(', ')}]; see docs/custom-layers.md.`,
    );
  const at = axes.indexOf('channels');
  const channels = own.input[input.axis];
  if (at >= 0 && shape[at] !== channels)
    throw badInput(
      'bad-rule',
      `Layer "${layer.name}": ${layer.className}.shrinkRule says that axis ${at} of weight ${index} has the ${channels} channels of the input, but it is ${shape[at]} long; see docs/custom-layers.md.`,
    );
  return {
    name: `weight_${index}`,
    shape: shape.map((own, axis) => (axes[axis] === 'channels' ? input.ids.length : own)),
    axes: shape.map((_, axis) => (axes[axis] === 'channels' ? input.ids : null)),
    trainable,
    ...(rule.channels === 'mixes' && at >= 0 ? { in: at } : {}),
  };
}
