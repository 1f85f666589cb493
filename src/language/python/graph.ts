import type { Range } from '../../core/errors';
import type { FunctionalLayer, FunctionalTopology, InboundTensor, LayerConfig } from '../../core/topology';
import type { Syntax } from '../syntax';
import { sumOf, type ChannelSum, type Tensor } from './tensor';
import { stopAt, type LiteralSum, type NumberValue, type Value } from './values';

/** A place where the width of layers is written. */
export interface FoundSite {
  readonly key: string;
  readonly node: Syntax;
  readonly type: string;
  readonly width: NumberValue | undefined;
  readonly hasWidth: boolean;
}

/** A literal that must equal a number of channels. */
export interface FoundDependent {
  readonly literal: Range | undefined;
  readonly use: Range;
  readonly value: number;
  readonly channels: ChannelSum;
  readonly what: string;
  /** The number is a sum of literals: `width + growth`. */
  readonly sum?: LiteralSum;
}

/** A use of a literal that needs the value as it is. */
export interface Pin {
  readonly literal: Range;
  readonly value: number;
  readonly use: Range;
}

/** What stands behind a topology. */
export interface GraphRecord {
  readonly sites: ReadonlyMap<string, FoundSite>;
  /** Site key by layer name. */
  readonly siteOf: Readonly<Record<string, string>>;
  /** Attribute paths by layer name, in the order in which the source registers them. */
  readonly pathOf: Readonly<Record<string, readonly string[]>>;
  /** Attribute paths of layers that the model holds and does not call. */
  readonly unused: readonly string[];
  readonly augmentation: ReadonlyMap<Syntax, string>;
  readonly dependents: readonly FoundDependent[];
  readonly pins: readonly Pin[];
}

/** Builds a functional topology, and remembers which literals stand behind it. */
export class Graph {
  readonly layers: FunctionalLayer[] = [];
  readonly sites = new Map<string, FoundSite>();
  siteOf: Record<string, string> = {};
  readonly dependents: FoundDependent[] = [];
  /** Types of layers that the topology does without, by their calls: they change the data only in training. */
  readonly augmentation = new Map<Syntax, string>();
  /** Literals that something else reads as they are. */
  readonly pins: Pin[] = [];
  private readonly inputs: { readonly layer: FunctionalLayer; readonly tensor: Tensor }[] = [];
  private readonly used = new Map<string, number>();
  private readonly byName = new Map<string, FunctionalLayer>();
  /** Names that layer objects have in this graph. */
  private readonly given = new Map<object, string>();
  /** Attribute paths of layer objects, in the order in which the source registers them. */
  private readonly paths = new Map<object, string[]>();
  private kept = { dependents: 0, pins: 0 };

  /** Where the source sees channels in a tensor's shape: first in PyTorch, last in Keras. */
  order: 'channels-first' | 'channels-last' = 'channels-first';

  /** The input's features by the model's hint, for an input whose shape the source does not tell. */
  inputHint: readonly (number | null)[] | undefined;

  /** @param freeSize length of spatial axes that the source does not tell */
  constructor(readonly freeSize: number | null) {}

  input(name: string, shape: readonly (number | null)[] | undefined): Tensor {
    const layer: FunctionalLayer = {
      class_name: 'InputLayer',
      name: this.freeName(name),
      config: { dtype: 'float32', sparse: false },
      inbound_nodes: [],
    };
    layer.config['name'] = layer.name;
    this.addLayer(layer);
    const channels = { terms: new Map<string, number>(), constant: shape?.at(-1) ?? 0 };
    const tensor: Tensor = { layer: layer.name, node: 0, shape, channels, extraAxes: 0 };
    this.inputs.push({ layer, tensor });
    return tensor;
  }

  /** Gives an input that nothing has read yet the shape that its first reader needs. */
  bind(tensor: Tensor, shape: readonly (number | null)[]): Tensor {
    const origin = tensor.origin ?? tensor;
    origin.shape ??= shape;
    return {
      ...tensor,
      shape: origin.shape,
      channels: { terms: new Map(), constant: origin.shape.at(-1) ?? 0 },
    };
  }

  /**
   * Adds a layer, or one more call of a layer that is already there.
   *
   * @param shape features of the result
   */
  add(
    className: string,
    name: string,
    config: LayerConfig,
    inputs: readonly Tensor[],
    result: { shape: readonly (number | null)[]; channels: ChannelSum; extraAxes?: number },
  ): Tensor {
    for (const { steps } of inputs)
      if (steps?.isLastOnly === true)
        throw stopAt(
          steps.node,
          'unsupported',
          'All steps of this layer are used, and its last one alone; only one of the two is supported.',
        );
    const inbound = inputs.map((tensor): [string, number, number, Record<string, unknown>] => [
      tensor.layer,
      tensor.node,
      0,
      {},
    ]);
    const known = this.byName.get(name);
    if (known === undefined) {
      this.addLayer({ class_name: className, name, config: { ...config, name }, inbound_nodes: [inbound] });
    } else {
      known.inbound_nodes.push(inbound);
    }
    const node = (known?.inbound_nodes.length ?? 1) - 1;
    return { layer: name, node, extraAxes: 0, ...result };
  }

  private addLayer(layer: FunctionalLayer): void {
    this.layers.push(layer);
    this.byName.set(layer.name, layer);
  }

  /** Makes a recurrent layer give its last step alone. @throws Stop `unsupported` if all of them are used */
  keepLastStep(name: string, node: Syntax): void {
    const layer = this.byName.get(name);
    const isRead = this.layers.some(({ inbound_nodes: calls }) =>
      calls.some((inputs) => inputs.some(([from]) => from === name)),
    );
    const isTaken = layer?.config['return_sequences'] === false;
    if (layer === undefined || (isRead && !isTaken))
      throw stopAt(
        node,
        'unsupported',
        'All steps of this layer are used, and its last one alone; only one of the two is supported.',
      );
    layer.config['return_sequences'] = false;
  }

  /** A tensor of the same layer with other features. */
  tensorOf({ layer, node, channels }: Tensor, shape: readonly (number | null)[]): Tensor {
    return { layer, node, channels, shape, extraAxes: 0 };
  }

  /** Remembers which object of the source a layer stands for. */
  noteObject(object: object, layer: string): void {
    this.given.set(object, layer);
  }

  /** Registers where in the model a layer object lies. */
  placeAt(layer: object, path: string): void {
    const known = this.paths.get(layer);
    if (known === undefined) this.paths.set(layer, [path]);
    else if (!known.includes(path)) known.push(path);
  }

  /** Whether no value of a tensor can be below 0, so that zeros around it are as good as −∞ to a maximum. */
  isNeverNegative({ layer, node }: Pick<Tensor, 'layer' | 'node'>): boolean {
    const made = this.byName.get(layer);
    if (made === undefined) return false;
    const { class_name: type, config, inbound_nodes: calls } = made;
    if (type === 'ReLU') return true;
    if (/^(?:relu6?|sigmoid|softmax|softplus)$/.test(String(config['activation']))) return true;
    if (
      !/^(?:(?:Max|Average)Pooling\dD|Global\w+|Dropout|ZeroPadding2D|Concatenate|Add|Multiply|Flatten|Reshape)$/.test(
        type,
      )
    )
      return false;
    return (calls[node] ?? []).every(([from, index]) => this.isNeverNegative({ layer: from, node: index }));
  }

  /** A name that no layer has yet: `relu`, `relu_1`. */
  freeName(wanted: string): string {
    const clean = wanted.replaceAll(/[^\w.]+/g, '_').replace(/^[^A-Za-z0-9]+/, '') || 'layer';
    for (;;) {
      const count = this.used.get(clean) ?? 0;
      this.used.set(clean, count + 1);
      const name = count === 0 ? clean : `${clean}_${count}`;
      if (!this.byName.has(name)) return name;
    }
  }

  /** Registers where a layer's width is written, and gives the key by which graph and edits know it. */
  site(node: Syntax, type: string, width: NumberValue | undefined, hasWidth: boolean): string {
    const key = `${node.start}:${width === undefined ? '' : sourceOf(width)}`;
    if (!this.sites.has(key)) this.sites.set(key, { key, node, type, width, hasWidth });
    return key;
  }

  /** The value is used as it is, so its literals cannot follow a width. */
  pin(value: Value, use: Range): void {
    if (value.kind === 'list') for (const item of value.items) this.pin(item, use);
    if (value.kind !== 'number') return;
    if (value.literal !== undefined) this.pins.push({ literal: value.literal, value: value.value, use });
    else
      for (const factor of value.factors ?? [])
        this.pins.push({ literal: factor.range, value: factor.value, use });
  }

  /**
   * The source says how many channels come in: a literal that must follow the widths before it.
   *
   * @throws Stop `shape-mismatch`
   */
  expect(said: Value | undefined, tensor: Tensor, what: string, node: Syntax): void {
    if (said?.kind !== 'number') return;
    const actual = tensor.shape?.at(-1);
    if (typeof actual === 'number' && actual !== said.value)
      throw stopAt(
        node,
        'shape-mismatch',
        `${what} is ${said.value}, but ${actual} come in here; make the two agree.`,
      );
    this.depend(said, tensor.channels, what, node);
  }

  depend(said: NumberValue, channels: ChannelSum, what: string, node: Syntax): void {
    const use = node.range;
    if (said.followsTensor === true) return;
    if (channels.terms.size === 0) return this.pin(said, use);
    if (said.literal !== undefined || said.factors === undefined) {
      const sum = said.sum === undefined ? {} : { sum: said.sum };
      this.dependents.push({ literal: said.literal, use, value: said.value, channels, what, ...sum });
      return;
    }
    // 64 * 7 * 7: the factor that is the width follows it, the others stay.
    const [only] = channels.terms;
    const factor = only?.[1] ?? 1;
    const isWidth = (value: number): boolean => value * factor === said.value;
    const widths = said.factors.filter((candidate) => isWidth(candidate.value));
    const width =
      channels.terms.size === 1 && channels.constant === 0 && widths.length === 1 ? widths[0] : undefined;
    if (width === undefined && this.followFactor(said, only?.[0], what, use)) return;
    const literal = width?.range;
    const value = width?.value ?? said.value;
    const sum =
      width === undefined || only === undefined ? channels : { terms: new Map([[only[0], 1]]), constant: 0 };
    this.dependents.push({ literal, use, value, channels: sum, what });
    for (const other of width === undefined ? [] : said.factors)
      if (other !== width) this.pins.push({ literal: other.range, value: other.value, use });
  }

  /**
   * `512 * expansion` after a layer of width `planes * expansion`: the 512 follows the literal behind `planes`.
   *
   * @param site key of the layer's site
   * @returns whether it is so
   */
  private followFactor(said: NumberValue, site: string | undefined, what: string, use: Range): boolean {
    const made = this.sites.get(site ?? '')?.width?.factors;
    if (said.factors === undefined || made?.length !== said.factors.length) return false;
    const without = (
      list: readonly { range: Range; value: number }[],
      other: readonly { range: Range; value: number }[],
    ): readonly { range: Range; value: number }[] =>
      list.filter(({ range }) => !other.some((factor) => factor.range.start === range.start));
    const [own, ...moreOwn] = without(said.factors, made);
    const [theirs, ...moreTheirs] = without(made, said.factors);
    const isOne =
      own !== undefined && theirs?.value === own.value && moreOwn.length + moreTheirs.length === 0;
    if (!isOne) return false;
    const behind = [...this.sites.values()].find(({ width }) => width?.literal?.start === theirs.range.start);
    if (behind === undefined) return false;
    this.dependents.push({ literal: own.range, use, value: own.value, channels: sumOf(behind.key), what });
    return true;
  }

  /** What has been found out so far belongs to the module, so {@link clear} keeps it. */
  keepModule(): void {
    this.kept = { dependents: this.dependents.length, pins: this.pins.length };
  }

  /** Forgets what other models of the file made, so that names start anew. */
  clear(): void {
    this.layers.length = 0;
    this.inputs.length = 0;
    this.dependents.length = this.kept.dependents;
    this.pins.length = this.kept.pins;
    this.augmentation.clear();
    this.used.clear();
    this.byName.clear();
    this.given.clear();
    this.paths.clear();
    this.siteOf = {};
    this.inputHint = undefined;
  }

  /** What is known now; later models do not change it. */
  record(): GraphRecord {
    return {
      sites: new Map(this.sites),
      siteOf: this.siteOf,
      pathOf: this.placed(),
      unused: [...this.paths].flatMap(([layer, paths]) =>
        this.given.has(layer) || !hasWeights(layer) ? [] : paths,
      ),
      augmentation: new Map(this.augmentation),
      dependents: [...this.dependents],
      pins: [...this.pins],
    };
  }

  private placed(): Record<string, readonly string[]> {
    const found: Record<string, readonly string[]> = {};
    for (const [layer, paths] of this.paths) {
      const name = this.given.get(layer);
      if (name !== undefined) found[name] = [...paths];
    }
    return found;
  }

  /** The topology that leads to some tensors. */
  finish(name: string, outputs: readonly Tensor[]): FunctionalTopology {
    for (const { layer, tensor } of this.inputs)
      layer.config['batch_input_shape'] = [null, ...(tensor.shape ?? [])];
    const kept = this.reachable(outputs);
    const inputs = this.inputs.filter((input) => kept.has(input.layer.name));
    const renumber = (layer: string, node: number): number => kept.get(layer)?.indexOf(node) ?? 0;
    const layers = this.layers
      .filter((layer) => kept.has(layer.name))
      .map((layer) => {
        const used = layer.inbound_nodes.filter((_, index) => kept.get(layer.name)?.includes(index));
        const inbound_nodes = used.map((node) =>
          node.map(([from, index, tensor, given]): InboundTensor => [
            from,
            renumber(from, index),
            tensor,
            given ?? {},
          ]),
        );
        return { ...layer, inbound_nodes };
      });
    return {
      class_name: 'Model',
      config: {
        name,
        layers,
        input_layers: inputs.map((input): [string, number, number] => [input.layer.name, 0, 0]),
        output_layers: outputs.map(({ layer, node }): [string, number, number] => [
          layer,
          renumber(layer, node),
          0,
        ]),
      },
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    };
  }

  /** The calls of each layer that lead to some tensors, in order. */
  private reachable(outputs: readonly Tensor[]): Map<string, number[]> {
    const kept = new Map<string, number[]>();
    const queue = outputs.map((tensor): [string, number] => [tensor.layer, tensor.node]);
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const [name, index] = at;
      const nodes = kept.get(name) ?? [];
      if (nodes.includes(index)) continue;
      kept.set(
        name,
        [...nodes, index].sort((a, b) => a - b),
      );
      const layer = this.byName.get(name);
      for (const [from, node] of layer?.inbound_nodes[index] ?? []) queue.push([from, node]);
    }
    return kept;
  }
}

/** Whether a layer object of the source is of a type that has weights. */
function hasWeights(layer: object): boolean {
  const type = 'type' in layer ? String(layer.type) : '';
  return /(?:Linear|Bilinear|Conv\w*|\w*Norm\w*|Embedding|LSTM|GRU|RNN|Attention|PReLU)$/.test(type);
}

/** Where a width comes from: its literal, or those that it is computed from. */
function sourceOf({ literal, factors, sum, value }: NumberValue): string {
  if (literal !== undefined) return String(literal.start);
  const starts = factors?.map(({ range }) => range.start) ?? [...(sum?.terms.keys() ?? [])];
  return starts.length === 0 ? `computed as ${value}` : `computed from ${starts.join(' ')}`;
}
