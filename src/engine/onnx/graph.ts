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

function writeType(message: MessageWriter, value: Value): void {
  message.text(1, value.name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, ELEMENT_TYPES[value.dtype]).message(2, (shape) => {
        for (const length of value.shape) shape.message(1, (dimension) => dimension.int(1, length));
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

/** The name of a node that pools and says where the maxima were, which not every device can; others need none. */
function pooledPositions({ type, outputs }: Node): string | undefined {
  return type === 'MaxPool' && outputs.length > 1 ? `positions_${outputs[1] ?? ''}` : undefined;
}

function writeNode(message: MessageWriter, node: Node): void {
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  const name = pooledPositions(node);
  if (name !== undefined) message.text(3, name);
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

export class Graph {
  readonly inputs: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #constants: Constant[] = [];
  readonly #scalars = new Map<number, ScalarConstant>();
  readonly #known = new Map<string, readonly string[]>();
  readonly #outputNames = new Map<string, string>();
  #names = 0;

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** Float constants of one element, in the order in which they were first used. */
  get scalars(): readonly ScalarConstant[] {
    return [...this.#scalars.values()];
  }

  /** Declares an input. */
  input(name: string, shape: readonly number[], dtype: ElementType): Value {
    const value = { name, shape, dtype };
    this.inputs.push(value);
    return value;
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
    this.#nodes.push({ type, inputs, outputs, attributes });
    this.#known.set(key, outputs);
    return outputs;
  }

  /** {@link nodes} with one output. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(type, inputs, attributes)[0] ?? '';
  }

  /** Names a value for the outside. A value may be named several times, and may be an input or a constant. */
  nameOutput(value: Value, name: string): Value {
    const made = this.#nodes.some((node) => node.outputs.includes(value.name));
    if (made && !this.#outputNames.has(value.name)) this.#outputNames.set(value.name, name);
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

  /** Names of the nodes that count positions of maxima. */
  get positionNodes(): readonly string[] {
    return this.#nodes.flatMap((node) => pooledPositions(node) ?? []);
  }

  /** A float of rank 0. */
  scalar(value: number): string {
    const rounded = Math.fround(value);
    const known = this.#scalars.get(rounded);
    if (known !== undefined) return known.name;
    const constant = { name: this.#newName(), value: rounded };
    this.#scalars.set(rounded, constant);
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
   * @param scalarValues false leaves scalar constants out, to compare two graphs apart from them
   */
  encode(
    outputs: readonly Value[],
    bindings: readonly ScalarBinding[] = [],
    scalarValues = true,
  ): Uint8Array {
    const needed = this.namesBehind(outputs);
    const bound = new Set(bindings.map((binding) => binding.constant));
    const live = bindings.filter((binding) => needed.has(binding.constant));
    const names = new Set(live.map((binding) => binding.input));
    const scalarInputs = [...names].map((name): Value => ({ name, shape: [], dtype: 'float32' }));
    const model = new MessageWriter();
    model.int(1, IR_VERSION).message(8, (opset) => opset.text(1, '').int(2, OPSET));
    model.message(7, (graph) => {
      graph.text(2, 'step');
      for (const binding of live) {
        const ratio = `${binding.constant}_ratio`;
        graph.message(5, (message) => writeConstant(message, floatConstant(ratio, binding.ratio)));
        graph.message(1, (message) =>
          writeNode(message, {
            type: 'Mul',
            inputs: [binding.input, ratio],
            outputs: [binding.constant],
            attributes: {},
          }),
        );
      }
      for (const node of this.#nodes) {
        const last = node.outputs.findLastIndex((name) => needed.has(name));
        // Trailing outputs that nobody reads are optional ones, and not asking for them may be faster.
        if (last >= 0) graph.message(1, (message) => writeNode(message, this.#renamed(node, last + 1)));
      }
      for (const constant of this.#constants)
        if (needed.has(constant.name)) graph.message(5, (message) => writeConstant(message, constant));
      if (scalarValues) {
        for (const { name, value } of this.#scalars.values())
          if (!bound.has(name) && needed.has(name))
            graph.message(5, (message) => writeConstant(message, floatConstant(name, value)));
      }
      const inputs = this.inputs.filter((input) => needed.has(input.name));
      for (const input of [...inputs, ...scalarInputs])
        graph.message(11, (message) => writeType(message, input));
      for (const output of outputs) graph.message(12, (message) => writeType(message, output));
    });
    return model.finish();
  }

  #renamed(node: Node, outputs: number): Node {
    const rename = (name: string) => this.#outputNames.get(name) ?? name;
    return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.slice(0, outputs).map(rename) };
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
    this.#constants.push({ ...constant, name });
    if (key !== undefined) this.#known.set(key, [name]);
    return name;
  }

  #newName(): string {
    this.#names += 1;
    return `v${this.#names}`;
  }
}

function floatConstant(name: string, value: number): Constant {
  return { name, dims: [], dtype: 'float32', raw: new Uint8Array(new Float32Array([value]).buffer) };
}
