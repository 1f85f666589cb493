/** An ONNX graph while it grows, and its encoding as a model file (field numbers: onnx/onnx.proto of ONNX 1.12). */
import { MessageWriter } from './protobuf';

/** Element types by their ONNX numbers. */
export const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A value in the graph. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

type Attribute = number | readonly number[] | string | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Its name, where it has one. */
  readonly label?: string;
}

interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dtype: ElementType;
  readonly raw: Uint8Array;
}

/** A float constant of one element: a candidate for a number that changes from step to step. */
export interface ScalarConstant {
  readonly name: string;
  readonly value: number;
}

/** What a scalar constant becomes: `ratio` times a scalar input. */
export interface ScalarBinding {
  readonly constant: string;
  readonly input: string;
  readonly ratio: number;
}

const OPSET = 17;
const IR_VERSION = 8;

/** @param lengths false leaves the lengths of the axes open, so that they may be others in each run */
function writeType(message: MessageWriter, value: Value, lengths: boolean): void {
  message.text(1, value.name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, ELEMENT_TYPES[value.dtype]).message(2, (shape) => {
        for (const length of value.shape)
          shape.message(1, (dimension) => {
            if (lengths) dimension.int(1, length);
          });
      }),
    ),
  );
}

function writeAttribute(message: MessageWriter, name: string, value: Attribute): void {
  message.text(1, name);
  if (typeof value === 'number') message.int(3, value).int(20, 2);
  else if (typeof value === 'string') message.text(4, value).int(20, 3);
  else if ('float' in value) message.float(2, value.float).int(20, 1);
  else message.ints(8, value).int(20, 7);
}

function writeNode(message: MessageWriter, node: Node): void {
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  if (node.label !== undefined) message.text(3, node.label);
  message.text(4, node.type);
  for (const [name, value] of Object.entries(node.attributes))
    message.message(5, (attribute) => writeAttribute(attribute, name, value));
}

function writeConstant(message: MessageWriter, constant: Constant): void {
  message
    .ints(1, constant.dims)
    .int(2, ELEMENT_TYPES[constant.dtype])
    .text(8, constant.name)
    .bytes(9, constant.raw);
}

/** What the names begin with that a graph makes itself. */
const OWN = '#';

/**
 * The names of a file: those that the graph made are numbered in the order of use, so that what was dropped on the way
 * leaves no gaps, and the same graph has the same file.
 */
class Naming {
  readonly #names: Map<string, string>;

  /** @param given names for the outside */
  constructor(given: ReadonlyMap<string, string>) {
    this.#names = new Map(given);
  }

  of(name: string): string {
    if (!name.startsWith(OWN)) return name;
    let known = this.#names.get(name);
    if (known === undefined) this.#names.set(name, (known = `v${this.#names.size}`));
    return known;
  }

  /** @param outputs how many are asked for */
  node(node: Node, outputs: number): Node {
    return {
      ...node,
      inputs: node.inputs.map((name) => this.of(name)),
      outputs: node.outputs.slice(0, outputs).map((name) => this.of(name)),
    };
  }

  /** The graph's names with those of the file, in the order of use. */
  all(): IterableIterator<[string, string]> {
    return this.#names.entries();
  }
}

/** `constant` = ratio × input. */
function writeBinding(graph: MessageWriter, { input, ratio }: ScalarBinding, constant: string): void {
  const factor = `${constant}_ratio`;
  graph.message(5, (message) => writeConstant(message, floatConstant(factor, ratio)));
  graph.message(1, (message) =>
    writeNode(message, { type: 'Mul', inputs: [input, factor], outputs: [constant], attributes: {} }),
  );
}

/**
 * What the WebGPU provider of ONNX Runtime 1.30 lacks (positions of maxima, transposed convolutions of volumes) or computes
 * wrongly (convolutions in groups with several outputs each): test/engine/onnxWebgpu.test.ts.
 */
function isForCpu(type: string, { group, kernel_shape: window }: Attributes, outputs: number): boolean {
  if (type === 'MaxPool') return outputs > 1;
  if (type === 'ConvTranspose' && Array.isArray(window) && window.length > 2) return true;
  return (type === 'Conv' || type === 'ConvTranspose') && typeof group === 'number' && group > 1;
}

export class Graph {
  readonly #inputs: { readonly value: Value; readonly fixed: boolean }[] = [];
  /** What a reshaped value was before. */
  readonly #reshaped = new Map<string, Value>();
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Constant>();
  readonly #scalars = new Map<number, ScalarConstant>();
  readonly #scalarNames = new Map<string, number>();
  readonly #known = new Map<string, readonly string[]>();
  readonly #outputNames = new Map<string, string>();
  /** Nodes by the names that they compute. */
  readonly #computed = new Map<string, Node>();
  /** Shapes of float values, as far as somebody said them. */
  readonly #floatShapes = new Map<string, readonly number[]>();
  #names = 0;

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** Float constants of one element, in the order in which they were first used. */
  get scalars(): readonly ScalarConstant[] {
    return [...this.#scalars.values()];
  }

  /**
   * Declares an input.
   *
   * @param fixed whether every model file says its shape, and not only one for these lengths
   */
  input(name: string, shape: readonly number[], dtype: ElementType, fixed = false): Value {
    const value = { name, shape, dtype };
    this.#inputs.push({ value, fixed });
    this.note(value);
    return value;
  }

  /** The same elements under another shape. */
  reshape(x: Value, shape: readonly number[]): Value {
    const source = this.#reshaped.get(x.name) ?? x;
    if (source.shape.length === shape.length && shape.every((length, axis) => length === source.shape[axis]))
      return { ...source, shape };
    const name = this.node('Reshape', [source.name, this.shape(openLast(shape))]);
    this.#reshaped.set(name, source);
    return { name, shape, dtype: x.dtype };
  }

  /**
   * Adds a node, or finds the one that computes the same.
   *
   * @param count how many outputs to name
   * @returns the names of the outputs
   */
  nodes(type: string, inputs: readonly string[], attributes: Attributes = {}, count = 1): readonly string[] {
    const key = `${type}(${inputs.join()})${JSON.stringify(attributes)}${count}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const outputs = Array.from({ length: count }, () => this.#newName());
    // Numbered by themselves: the names of values change on the way into the file.
    const label = isForCpu(type, attributes, count) ? `cpu_${this.cpuNodes.length}` : undefined;
    const node = { type, inputs, outputs, attributes, ...(label === undefined ? {} : { label }) };
    this.#nodes.push(node);
    this.#known.set(key, outputs);
    for (const output of outputs) this.#computed.set(output, node);
    return outputs;
  }

  /** {@link nodes} with one output. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(type, inputs, attributes)[0] ?? '';
  }

  /** Remembers the shape of a value. */
  note({ name, shape, dtype }: Value): void {
    if (dtype === 'float32') this.#floatShapes.set(name, shape);
  }

  /** The shape of a float value, where it is known. */
  floatShapeOf(name: string): readonly number[] | undefined {
    return this.isScalar(name) ? [] : this.#floatShapes.get(name);
  }

  /** Whether it is one of {@link scalars}. */
  isScalar(name: string): boolean {
    return this.scalarValue(name) !== undefined;
  }

  scalarValue(name: string): number | undefined {
    return this.#scalarNames.get(name);
  }

  /** The node that computes a value; undefined for inputs and constants. */
  producerOf(name: string): Pick<Node, 'type' | 'inputs'> | undefined {
    return this.#computed.get(name);
  }

  /** Names a value for the outside. A value may be named several times, and may be an input or a constant. */
  nameOutput(value: Value, name: string): Value {
    if (this.#computed.has(value.name) && !this.#outputNames.has(value.name))
      this.#outputNames.set(value.name, name);
    // Only what cannot be renamed is copied.
    else this.#nodes.push({ type: 'Identity', inputs: [value.name], outputs: [name], attributes: {} });
    return { ...value, name };
  }

  /** Names that the outputs depend on. What is not among them is left out of the model. */
  namesBehind(outputs: readonly Value[]): ReadonlySet<string> {
    const needed = new Set(outputs.map((output) => output.name));
    for (const [name, outside] of this.#outputNames) if (needed.has(outside)) needed.add(name);
    // Nodes stand after what they read, so that one pass backwards finds all.
    for (const node of this.#nodes.toReversed())
      if (node.outputs.some((name) => needed.has(name))) for (const name of node.inputs) needed.add(name);
    return needed;
  }

  /** Names of the nodes that a GPU must leave to the CPU. */
  get cpuNodes(): readonly string[] {
    return this.#nodes.flatMap(({ label }) => label ?? []);
  }

  /** A float of rank 0. */
  scalar(value: number): string {
    const rounded = Math.fround(value);
    const known = this.#scalars.get(rounded);
    if (known !== undefined) return known.name;
    const constant = { name: this.#newName(), value: rounded };
    this.#scalars.set(rounded, constant);
    this.#scalarNames.set(constant.name, rounded);
    return constant.name;
  }

  /** A constant tensor. */
  constant(
    values: Float32Array | Int32Array | Uint8Array,
    dims: readonly number[],
    dtype: ElementType,
  ): string {
    if (dtype === 'float32' && values.length === 1 && dims.length === 0) return this.scalar(values[0] ?? 0);
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    return this.#addConstant({ dims, dtype, raw });
  }

  /** A vector of 64-bit integers, as shapes and axes are given. */
  shape(values: readonly number[]): string {
    const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#addConstant({ dims: [values.length], dtype: 'int64', raw });
  }

  /**
   * The model file.
   *
   * @param bindings scalar constants that become inputs
   * @param parts `scalarValues` false leaves scalar constants out, to compare two graphs apart from them; `lengths` true
   *   says the lengths of all inputs. A file that does not say them is the same for other widths, and one session does
   *   for all of them, but making one takes longer
   */
  encode(
    outputs: readonly Value[],
    bindings: readonly ScalarBinding[] = [],
    { scalarValues = true, lengths = false } = {},
  ): Uint8Array {
    const needed = this.namesBehind(outputs);
    const live = bindings.filter((binding) => needed.has(binding.constant));
    const inputNames = new Set(live.map((binding) => binding.input));
    const scalarInputs = [...inputNames].map((name): Value => ({ name, shape: [], dtype: 'float32' }));
    const naming = new Naming(this.#outputNames);
    const model = new MessageWriter();
    model.int(1, IR_VERSION).message(8, (opset) => opset.text(1, '').int(2, OPSET));
    model.message(7, (graph) => {
      graph.text(2, 'step');
      for (const binding of live) writeBinding(graph, binding, naming.of(binding.constant));
      for (const node of this.#nodes) {
        const last = node.outputs.findLastIndex((name) => needed.has(name));
        // Trailing outputs that nobody reads are optional ones, and not asking for them may be faster; but a tensor is
        // cut into as many pieces as are named.
        const asked = node.type === 'Split' ? node.outputs.length : last + 1;
        if (last >= 0) graph.message(1, (message) => writeNode(message, naming.node(node, asked)));
      }
      for (const output of outputs) naming.of(output.name);
      const bound = new Set(live.map((binding) => binding.constant));
      const scalars = new Map([...this.#scalars.values()].map(({ name, value }) => [name, value]));
      // In the order in which they are read.
      for (const [own, name] of naming.all()) {
        const value = scalars.get(own);
        const constant =
          value === undefined || bound.has(own) || !scalarValues
            ? this.#constants.get(own)
            : floatConstant(own, value);
        if (constant !== undefined)
          graph.message(5, (message) => writeConstant(message, { ...constant, name }));
      }
      for (const { value, fixed } of this.#inputs)
        if (needed.has(value.name))
          graph.message(11, (message) => writeType(message, value, fixed || lengths));
      for (const input of scalarInputs) graph.message(11, (message) => writeType(message, input, true));
      for (const output of outputs)
        graph.message(12, (message) =>
          writeType(message, { ...output, name: naming.of(output.name) }, lengths),
        );
    });
    return model.finish();
  }

  #addConstant(constant: Omit<Constant, 'name'>): string {
    // Small constants are shapes and axes, of which a graph has hundreds alike.
    const key =
      constant.raw.length <= 64
        ? `${constant.dtype}[${constant.dims.join()}]${constant.raw.join()}`
        : undefined;
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known?.[0] !== undefined) return known[0];
    const name = this.#newName();
    this.#constants.set(name, { ...constant, name });
    if (key !== undefined) this.#known.set(key, [name]);
    return name;
  }

  #newName(): string {
    this.#names += 1;
    return `${OWN}${this.#names}`;
  }
}

/** The shape with its last length left to be found: in most, it is the one that depends on the widths. */
function openLast(shape: readonly number[]): readonly number[] {
  return shape.every((length) => length > 0) && (shape.at(-1) ?? 1) > 1 ? shape.with(-1, -1) : shape;
}

function floatConstant(name: string, value: number): Constant {
  return { name, dims: [], dtype: 'float32', raw: new Uint8Array(new Float32Array([value]).buffer) };
}
