import * as tf from '../engine/tf';
import type { Network } from './network';
import { groupsOf } from './groups';
import type { Switches, SwitchMode, SwitchState } from './switchModes';

/** The switches of one hub with their state. */
export interface SwitchControls extends Switches {
  readonly hub: string;
}

/** Makes the state of every hub's switches and lets the network's Filters see it. */
export async function makeControls(network: Network, mode: SwitchMode): Promise<SwitchControls[]> {
  const controls: SwitchControls[] = [];
  for (const [hub, beta] of network.bank.entries()) {
    const first = mode.state(Float32Array.from(await beta.data()));
    const state = Object.fromEntries(
      Object.entries(first).map(([name, values]) => [
        name,
        tf.tidy(() => tf.variable(tf.tensor1d([...values]), false, `${beta.name}/${name}`)),
      ]),
    ) as SwitchState;
    controls.push({ hub, beta, state });
    if (mode.optimized) network.bank.mask(hub, state.alive, () => mode.dropProbability?.(state));
  }
  if (mode.grouped !== true) return controls;
  const alive = new Map(controls.map(({ hub, state }) => [hub, state.alive as tf.Tensor]));
  const groups = groupsOf(network);
  return controls.map((control) => {
    const group = groups.get(control.hub);
    if (group === undefined) throw new RangeError(`no weights make ${control.hub}`);
    return {
      ...control,
      group: {
        squares: () => group.squares(alive),
        sizes: () => group.sizes(alive),
        countAtLeast: (limit) => group.countAtLeast(limit, alive),
      },
    };
  });
}

export function disposeControls(controls: readonly SwitchControls[]): void {
  for (const control of controls) tf.dispose(Object.values(control.state));
}

/** Every variable of the switches. */
export function variablesOf(controls: readonly SwitchControls[]): tf.Variable[] {
  return controls.flatMap(({ beta, state }) => [beta, ...Object.values(state)]);
}

/** State by hub and name. */
export type ReadState = Record<string, Record<string, Float32Array>>;

export async function readState(controls: readonly SwitchControls[]): Promise<ReadState> {
  const read: ReadState = {};
  for (const { hub, state } of controls) {
    const values: Record<string, Float32Array> = {};
    for (const [name, variable] of Object.entries(state))
      values[name] = Float32Array.from(await variable.data());
    read[hub] = values;
  }
  return read;
}

/** Puts state back; what is absent stays as it is. */
export function writeState(controls: readonly SwitchControls[], values: Readonly<ReadState>): void {
  for (const { hub, state } of controls)
    for (const [name, variable] of Object.entries(state)) {
      const given = values[hub]?.[name];
      if (given !== undefined) assign(variable, given);
    }
}

export function assign(variable: tf.Variable, values: ArrayLike<number>): void {
  tf.tidy(() => variable.assign(tf.tensor1d(Float32Array.from(values))));
}
