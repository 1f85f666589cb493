import * as tf from '../engine/tf';
import type { Analysis, Hub } from '../core/analysis';
import type { ChannelIds } from '../core/channels';
import { layersOf } from './model';
import type { Network } from './network';

/**
 * Group sparsity (draft eq. 5): the group of a channel is everything that makes it, which is every trained weight
 * with the channel on its output axis: kernel column, bias, and a normalisation's gamma and beta behind them. Weights
 * that read a dead channel do not count, so that a group is the same before and after a collection.
 */

/** `alive` of every hub, [channels], by hub. */
type AliveOf = ReadonlyMap<string, tf.Tensor>;

/** Groups of one hub's channels; each function returns [channels] and may be differentiated. */
export interface Groups {
  /** ‖θ_i‖₂². */
  squares(alive: AliveOf): tf.Tensor1D;
  /** #θ_i. */
  sizes(alive: AliveOf): tf.Tensor1D;
  /** How many weights of the group are at least `limit` in absolute value. */
  countAtLeast(limit: number, alive: AliveOf): tf.Tensor1D;
}

/** The part of a hub's groups that lies in one weight. */
interface Member {
  readonly variable: tf.Variable;
  readonly shape: readonly number[];
  readonly out: number;
  /** The other axes that carry channels. */
  readonly others: readonly { readonly axis: number; readonly at: AxisPlaces }[];
  /** Index of the hub's switch at every position of the output axis; -1 where there is none. */
  readonly places: readonly number[];
}

/** @returns groups by hub, for every hub that has switches */
export function groupsOf(network: Network): ReadonlyMap<string, Groups> {
  const groups = new Map<string, Groups>();
  for (const hub of network.analysis.hubs)
    if (hub.classes.length > 0)
      groups.set(hub.name, groupsOfHub(hub.classes.length, membersOf(network, hub)));
  return groups;
}

function membersOf(network: Network, hub: Hub): Member[] {
  const { analysis } = network;
  const layers = layersOf(network.model);
  const members: Member[] = [];
  for (const [name, facts] of analysis.facts)
    facts.weights.forEach((info, index) => {
      const ids = info.out === undefined ? null : info.axes[info.out];
      if (info.out === undefined || ids === null || ids === undefined || !info.trainable) return;
      const places = Array.from(ids, (id) => placeIn(analysis, hub, id));
      const weight: unknown = layers.get(name)?.weights[index]?.read();
      if (places.every((place) => place < 0) || weight === undefined) return;
      const others = info.axes.flatMap((other, axis) =>
        other === null || axis === info.out ? [] : [{ axis, at: axisPlaces(analysis, other) }],
      );
      members.push({ variable: weight as tf.Variable, shape: info.shape, out: info.out, others, places });
    });
  return members;
}

function placeIn(analysis: Analysis, hub: Hub, id: number): number {
  const place = analysis.switchOf(analysis.classOf(id));
  return place?.hub.name === hub.name ? place.index : -1;
}

function groupsOfHub(width: number, members: readonly Member[]): Groups {
  /** Sums `of` every member over all axes but the output's, then over the positions of each channel. */
  const total = (alive: AliveOf, of: (member: Member) => tf.Tensor): tf.Tensor1D => {
    const parts = members.map((member): tf.Tensor => {
      const { shape, out, places } = member;
      const living = member.others.reduce<tf.Tensor>(
        (values, { axis, at }) => tf.mul(values, along(axis, shape.length, aliveAlong(at, alive))),
        of(member),
      );
      const axes = shape.map((_, axis) => axis).filter((axis) => axis !== out);
      return byChannel(axes.length === 0 ? living : tf.sum(living, axes), places, width);
    });
    return (parts.length === 0 ? tf.zeros([width]) : tf.addN(parts)) as tf.Tensor1D;
  };
  return {
    squares: (alive) => total(alive, ({ variable }) => tf.square(variable)),
    sizes: (alive) => total(alive, ({ variable }) => tf.ones(variable.shape)),
    countAtLeast: (limit, alive) =>
      total(alive, ({ variable }) => tf.cast(tf.greaterEqual(tf.abs(variable), limit), 'float32')),
  };
}

/** Sums the positions that belong to one channel (the gates of a recurrent unit). @param values [positions] */
function byChannel(values: tf.Tensor, places: readonly number[], width: number): tf.Tensor {
  if (places.length === width && places.every((place, i) => place === i)) return values;
  const table = oneHot(places, width);
  return tf.reshape(tf.matMul(tf.reshape(values, [1, places.length]), table), [width]);
}

/** Where to find whether the channel at each position of an axis lives. */
interface AxisPlaces {
  readonly hubs: readonly Hub[];
  /** Index into the hubs' switches, one hub after the other; the place behind them all for channels that stay. */
  readonly index: Int32Array;
}

function axisPlaces(analysis: Analysis, ids: ChannelIds): AxisPlaces {
  const switches = Array.from(ids, (id) => analysis.switchOf(analysis.classOf(id)));
  const hubs = [...new Set(switches.flatMap((place) => (place === undefined ? [] : [place.hub])))];
  const starts = new Map<Hub, number>();
  let total = 0;
  for (const hub of hubs) {
    starts.set(hub, total);
    total += hub.classes.length;
  }
  const index = switches.map((place) =>
    place === undefined ? total : (starts.get(place.hub) ?? 0) + place.index,
  );
  return { hubs, index: Int32Array.from(index) };
}

/** 1 where the channel at a position of an axis lives or has no switch, 0 where it is dead, [positions]. */
function aliveAlong({ hubs, index }: AxisPlaces, alive: AliveOf): tf.Tensor {
  const parts = hubs.map((hub): tf.Tensor => {
    const values = alive.get(hub.name);
    if (values === undefined) throw new RangeError(`${hub.name} has no switches`);
    return values;
  });
  return tf.gather(tf.concat([...parts, tf.ones([1])]), tf.tensor1d(index, 'int32'));
}

/** [positions, width], a row of zeros where a position has no place. */
function oneHot(places: readonly number[], width: number): tf.Tensor2D {
  const table = new Float32Array(places.length * width);
  places.forEach((place, row) => {
    if (place >= 0) table[row * width + place] = 1;
  });
  return tf.tensor2d(table, [places.length, width]);
}

function along(axis: number, rank: number, values: tf.Tensor): tf.Tensor {
  return tf.reshape(
    values,
    Array.from({ length: rank }, (_, i) => (i === axis ? values.size : 1)),
  );
}
