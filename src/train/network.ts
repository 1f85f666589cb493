import type * as tf from '../engine/tf';
import { analyse, type Analysis, type Sizing } from '../core/analysis';
import { allAlive, costModel, totalCost } from '../core/cost';
import type { Widths } from '../core/events';
import { insertFilters, placeFilters, switchesOf, type FilterPlace } from '../core/filters';
import type { Graph } from '../core/graph';
import type { LayerWeights } from '../core/tensor';
import { SwitchBank } from './filterLayer';
import {
  buildModel,
  disposeModel,
  layersOf,
  readWeights,
  scaleInternally,
  setWeights,
  variableOf,
} from './model';

/** A network as it is trained: its graph, the channel graph of it, and a TensorFlow.js model with Filters in place. */
export class Network {
  private constructor(
    /** Without Filters; activations split off. */
    readonly graph: Graph,
    readonly analysis: Analysis,
    readonly places: readonly FilterPlace[],
    readonly bank: SwitchBank,
    readonly model: tf.LayersModel,
  ) {}

  /**
   * @param switches β by hub; hubs that are absent have no Filters
   * @throws ShrinkError `unknown-layer` for what cannot be followed
   */
  static async create(
    graph: Graph,
    weights: LayerWeights,
    sizing: Sizing,
    switches: Readonly<Record<string, Float32Array>>,
    form: 'signed' | 'relu' = 'signed',
  ): Promise<Network> {
    const analysis = analyse(graph, sizing);
    const filtered = analysis.hubs.some((hub) => switches[hub.name] !== undefined && hub.classes.length > 0);
    const places = filtered ? placeFilters(analysis) : [];
    const bank = new SwitchBank(
      form,
      places.map((place) => place.config),
    );
    for (const hub of analysis.hubs) {
      const values = switches[hub.name];
      if (values !== undefined && hub.classes.length > 0) bank.add(hub.name, values);
    }
    const model = await buildModel(insertFilters(graph, places), weights, bank);
    if (filtered) gateInternally(analysis, model, bank);
    return new Network(graph, analysis, places, bank, model);
  }

  /** What the network says to a batch, output by output. @param xs input by input, [batch, ...] each */
  answer(xs: readonly tf.Tensor[], training: boolean): tf.Tensor[] {
    const [only] = xs;
    const given = xs.length === 1 && only !== undefined ? only : [...xs];
    return [this.model.apply(given, { training }) as tf.Tensor | tf.Tensor[]].flat();
  }

  /** The tensors of a batch: inputs first, then labels. @throws RangeError when there are not as many as the network has */
  parts(batch: readonly tf.Tensor[]): { xs: readonly tf.Tensor[]; ys: readonly tf.Tensor[] } {
    const { inputs, outputs } = this.graph;
    if (batch.length !== inputs.length + outputs.length)
      throw new RangeError(`a batch of ${inputs.length} inputs and ${outputs.length} outputs`);
    return { xs: batch.slice(0, inputs.length), ys: batch.slice(inputs.length) };
  }

  /** What the author's optimizer trains: every trainable weight, without the switches. */
  trainedVariables(): tf.Variable[] {
    return this.model.trainableWeights.map(variableOf);
  }

  /** All weights, trained or not (moving statistics), without the switches. */
  weightVariables(): tf.Variable[] {
    return this.model.weights.map(variableOf);
  }

  /**
   * Layer and position of each of {@link optimizedVariables}, for matching optimizer slots with weights. Switches are
   * listed as weight 0 of `switch/<hub>`.
   */
  optimizedPlaces(withSwitches: boolean): { layer: string; weight: number }[] {
    const places = new Map<string, { layer: string; weight: number }>();
    for (const [name, layer] of layersOf(this.model))
      layer.weights.forEach((weight, index) =>
        places.set(variableOf(weight).name, { layer: name, weight: index }),
      );
    for (const [hub, beta] of this.bank.entries())
      places.set(beta.name, { layer: switchPlace(hub), weight: 0 });
    return this.optimizedVariables(withSwitches).map((variable) => {
      const place = places.get(variable.name);
      if (place === undefined) throw new RangeError(`no layer has ${variable.name}`);
      return place;
    });
  }

  /** {@link trainedVariables}, followed by the switches where the optimizer moves them too. */
  optimizedVariables(withSwitches: boolean): tf.Variable[] {
    return withSwitches
      ? [...this.trainedVariables(), ...this.bank.entries().map(([, beta]) => beta)]
      : this.trainedVariables();
  }

  readWeights(): Promise<LayerWeights> {
    return readWeights(this.model);
  }

  setWeights(weights: LayerWeights): void {
    setWeights(this.model, weights);
  }

  async readSwitches(): Promise<Record<string, Float32Array>> {
    const switches: Record<string, Float32Array> = {};
    for (const [hub, variable] of this.bank.entries())
      switches[hub] = Float32Array.from(await variable.data());
    return switches;
  }

  /** Parameters and MACs of the network as it stands. */
  size(): { params: number; macs: number } {
    return sizeOfNetwork(this.analysis);
  }

  widths(): Widths {
    return widthsOf(this.analysis);
  }

  dispose(): void {
    disposeModel(this.model);
    this.bank.dispose();
  }
}

export function sizeOfNetwork(analysis: Analysis): { params: number; macs: number } {
  const alive = allAlive(analysis);
  return {
    params: totalCost(costModel(analysis, 'params'), alive),
    macs: totalCost(costModel(analysis, 'macs'), alive),
  };
}

/** Width of every layer that has one, learned or not. */
export function widthsOf(analysis: Analysis): Widths {
  return Object.fromEntries(
    analysis.hubs.flatMap((hub) => hub.layers.map((layer) => [layer.name, layer.classes.length])),
  );
}

/** Lets the switches scale what layers read of their own channels: recurrent kernels. */
function gateInternally(analysis: Analysis, model: tf.LayersModel, bank: SwitchBank): void {
  const layers = layersOf(model);
  for (const [name, facts] of analysis.facts)
    facts.weights.forEach(({ internal, axes }, index) => {
      const ids = internal === undefined ? null : axes[internal];
      const weight = layers.get(name)?.weights[index];
      if (internal === undefined || ids === null || ids === undefined || weight === undefined) return;
      const config = switchesOf(analysis, ids);
      if (config.hubs.length > 0) scaleInternally(weight, internal, () => bank.gate(config, true));
    });
}

/** The name under which a hub's switches are listed beside layers. */
export function switchPlace(hub: string): string {
  return `switch/${hub}`;
}
