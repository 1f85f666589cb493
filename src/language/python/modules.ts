import type { Syntax } from '../syntax';
import type { Graph } from './graph';
import type { Tensor } from './tensor';
import {
  argument,
  emptyArguments,
  findMember,
  libraryBase,
  type CallArguments,
  type Evaluator,
} from './evaluation';
import { knownShape, makeKerasLayer, readShape } from './kerasLayers';
import { makeKerasWrapper } from './kerasWrappers';
import type { Library } from './evaluation';
import { append, callMethod, modulesOf } from './methods';
import * as ops from './ops';
import { operate } from './tensorOperators';
import { plainPath } from './paths';
import { callTorchFunction, shapeSeen, tensorsOf } from './torchCalls';
import { makeTorchLayer } from './torchLayers';
import { makeTorchRecurrent } from './torchRecurrent';
import {
  listOf,
  NONE,
  Stop,
  stopAt,
  stopAtUnknown,
  unknownAt,
  type InstanceValue,
  type LayerValue,
  type SequenceValue,
  type Value,
} from './values';

/** What the interpreter knows of PyTorch and Keras. */
export const LIBRARY: Library = { callPath, callMethod, callModule, attribute, operate };

/** Whether a path names the base class of modules. */
export function isModuleBase(path: string): boolean {
  return /^(?:torch\.nn(?:\.modules\.module)?\.Module|(?:pytorch_lightning|lightning(?:\.pytorch)?|pl|L)\.LightningModule|keras(?:\.models)?\.Model)$/.test(
    plainPath(path),
  );
}

function callPath(interpreter: Evaluator, full: string, args: CallArguments, node: Syntax): Value {
  const { graph } = interpreter;
  const path = plainPath(full);
  const name = path.split('.').at(-1) ?? path;
  if (name === '__init__') return NONE;
  if (/^torch\.(?:zeros|zeros_like)$|^torch\.zeros\(\)\.\w+$/.test(path)) return ZEROS;
  // A variable of early PyTorch is the tensor in it.
  if (path === 'torch.autograd.Variable' && args.positional[0] !== undefined) return args.positional[0];
  if (path.startsWith('torch.nn.') && /^torch\.nn\.[A-Z]/.test(path))
    return makeTorchModule(interpreter, name, args, node);
  if (/^torch(?:\.nn\.functional|\.special)?\.\w+$/.test(path))
    return callTorchFunction(graph, name, args, node) ?? unsupportedCall(path, args, node);
  if (/^keras(?:\.models)?\.Sequential$/.test(path)) return makeSequence(interpreter, 'keras', args, node);
  if (/^keras(?:\.models)?\.Model$/.test(path)) return makeFunctional(args, node);
  if (/^keras(?:\.layers)?\.Input$/.test(path)) return makeInput(graph, args, node);
  if (path === 'keras.layers.InputLayer') return makeInputLayer(args, node);
  if (/^keras\.(?:.*\.)?layers\./.test(path)) return callKerasLayerPath(interpreter, name, args, node);
  if (/^(?:tensorflow\.nn|keras\.activations|keras\.ops)\.\w+$/.test(path))
    return callKerasFunction(graph, name, args, node);
  if (path === 'tensorflow.concat')
    return asValue(ops.concatenate(graph, tensorsOf(args.positional[0], node), undefined, node));
  return unsupportedCall(path, args, node);
}

/** An unknown result; with a tensor among the arguments it says that the operation is not supported. */
function unsupportedCall(path: string, args: CallArguments, node: Syntax): Value {
  const takesTensor = args.positional.some((value) => value.kind === 'tensor');
  return unknownAt(node, takesTensor ? `${path} is not supported` : `${path} is not read here`);
}

function callKerasLayerPath(interpreter: Evaluator, name: string, args: CallArguments, node: Syntax): Value {
  if (name === 'concatenate')
    return asValue(ops.concatenate(interpreter.graph, tensorsOf(args.positional[0], node), undefined, node));
  if (/^(?:add|multiply|average|maximum|minimum)$/.test(name)) {
    const className = name.charAt(0).toUpperCase() + name.slice(1);
    return asValue(
      ops.merge(interpreter.graph, className, tensorsOf(args.positional[0], node), undefined, node),
    );
  }
  const { graph } = interpreter;
  return madeOrRefused(
    graph,
    `keras.layers.${name}`,
    node,
    () => makeKerasWrapper(graph, name, args, node) ?? makeKerasLayer(graph, name, args, node),
  );
}

function callKerasFunction(graph: Graph, name: string, args: CallArguments, node: Syntax): Value {
  const first = args.positional[0];
  if (first?.kind !== 'tensor') return unknownAt(node, `${name} of this is not known`);
  const known =
    /^(?:relu|relu6|sigmoid|tanh|softmax|elu|selu|gelu|softplus|softsign|swish|silu|mish|leaky_relu)$/.test(
      name,
    );
  if (!known) return unknownAt(node, `${name} is not supported`);
  return asValue(ops.activate(graph, name === 'silu' ? 'swish' : name, first.tensor));
}

function makeTorchModule(interpreter: Evaluator, type: string, args: CallArguments, node: Syntax): Value {
  switch (type) {
    case 'Sequential':
      return makeSequence(interpreter, 'torch', args, node);
    case 'ModuleList':
      return makeSequence(interpreter, 'list', args, node);
    case 'ModuleDict':
      return moduleDict(args.positional[0]);
    case 'LSTM':
    case 'RNN':
      return madeOrRefused(interpreter.graph, `nn.${type}`, node, () =>
        makeTorchRecurrent(interpreter.graph, type, args, node),
      );
    default:
      return madeOrRefused(interpreter.graph, `nn.${type}`, node, () =>
        makeTorchLayer(interpreter.graph, type, args, node),
      );
  }
}

/** A layer; one that cannot be made says so when the model calls it, so that the model is known as one by then. */
function madeOrRefused(
  graph: Graph,
  name: string,
  node: Syntax,
  make: () => LayerValue | undefined,
): LayerValue {
  try {
    return make() ?? refusedLayer(graph, name, node);
  } catch (thrown) {
    if (thrown instanceof Stop) return refusedLayer(graph, name, node, thrown);
    throw thrown;
  }
}

/** `ModuleDict` of a dictionary, or of pairs of a name and a module. */
function moduleDict(given: Value | undefined): Value {
  if (given?.kind !== 'list') return given ?? { kind: 'dict', entries: new Map() };
  const entries = new Map<string, Value>();
  for (const pair of given.items) {
    const [name, value] = pair.kind === 'list' ? pair.items : [];
    if (name?.kind !== 'string' || value === undefined) return given;
    entries.set(name.value, value);
  }
  return { kind: 'dict', entries };
}

/** What keeps layers of PyTorch from having a counterpart, where there is more to say. */
const WHY: Readonly<Record<string, string>> = {
  'nn.GRU': ' from PyTorch: it resets after the product, which TensorFlow.js cannot',
};

/** A layer without a counterpart: refused by name once the model calls it, and not before. */
function refusedLayer(graph: Graph, name: string, node: Syntax, reason?: Stop): LayerValue {
  const apply = (): never => {
    if (reason !== undefined) throw reason;
    throw stopAt(
      node,
      'unsupported-layer',
      `${name} layers are not supported${WHY[name] ?? ''}; a model with one cannot be trained here. ` +
        'Write the part without it as a model of its own and train that.',
    );
  };
  const site = graph.site(node, name.split('.').at(-1) ?? name, undefined, false);
  return { kind: 'layer', type: name, node, site, name: undefined, apply };
}

function makeSequence(
  interpreter: Evaluator,
  type: SequenceValue['type'],
  args: CallArguments,
  node: Syntax,
): SequenceValue {
  const first = args.positional[0] ?? args.named.get('layers');
  const sequence: SequenceValue = {
    kind: 'sequence',
    type,
    items: [],
    node,
    input: undefined,
    name: undefined,
  };
  if (first?.kind === 'dict') {
    for (const [name, value] of first.entries) sequence.items.push({ name, value });
    return sequence;
  }
  const values = type === 'torch' ? args.positional : first === undefined ? [] : interpreter.itemsOf(first);
  if (values === undefined && first !== undefined) {
    const reason = first.kind === 'unknown' ? first.reason : 'they are computed';
    throw stopAt(
      first.kind === 'unknown' ? first : node,
      'unknown-value',
      `The layers are not known: ${reason}.`,
    );
  }
  for (const value of values ?? []) append(sequence, value);
  return sequence;
}

function makeInput(graph: Graph, args: CallArguments, node: Syntax): Value {
  const shape = argument(args, 0, 'shape');
  if (shape === undefined)
    throw stopAt(node, 'unknown-input', 'The shape of this input is not known; give it shape=(…).');
  graph.pin(shape, node.range);
  graph.order = 'channels-last';
  const name = args.named.get('name');
  // What the source does not say, the hint may: of the first input that needs it.
  const known = knownShape(shape, node);
  const features = known ?? graph.inputHint;
  if (known === undefined) graph.inputHint = undefined;
  return asValue(graph.input(name?.kind === 'string' ? name.value : 'input', features));
}

function makeInputLayer(args: CallArguments, node: Syntax): Value {
  const shape = argument(args, 0, 'shape') ?? args.named.get('input_shape');
  const config = { input_shape: shape === undefined ? undefined : readShape(shape, node) };
  const apply = (inputs: readonly Tensor[]): Tensor => tensorAt(inputs, node);
  return { kind: 'layer', type: 'InputLayer', node, site: undefined, name: undefined, apply, config };
}

function makeFunctional(args: CallArguments, node: Syntax): Value {
  const inputs = argument(args, 0, 'inputs');
  const outputs = argument(args, 1, 'outputs');
  if (inputs === undefined || outputs === undefined) return NONE;
  return { kind: 'model', inputs: tensorsOf(inputs, node), outputs: tensorsOf(outputs, node), node };
}

function callModule(interpreter: Evaluator, module: Value, args: CallArguments, node: Syntax): Value {
  if (module.kind === 'instance') return callInstance(interpreter, module, args, node);
  const given = args.positional[0] ?? args.named.get('inputs') ?? args.named.get('input');
  if (given?.kind === 'unknown') return given;
  if (module.kind === 'layer') {
    if (module.wrap !== undefined && ![...args.positional.slice(1), ...args.named.values()].every(isNothing))
      throw stopAt(node, 'unsupported', 'A first state is not read here; leave it out, it is zeros.');
    const tensor = callLayer(interpreter, module, tensorsOf(given, node), node);
    return module.wrap?.(tensor, node) ?? asValue(tensor);
  }
  if (module.kind === 'sequence') {
    let value = given ?? NONE;
    for (const { value: item } of module.items) {
      if (item.kind === 'unknown')
        throw stopAtUnknown(item, 'unknown-value', `A layer of this model is not known: ${item.reason}.`);
      value = interpreter.call(item, emptyArguments([value]), node);
    }
    return value;
  }
  if (module.kind === 'model') {
    const outputs = callAgain(module.inputs, module.outputs, tensorsOf(given, node));
    return outputs.length === 1 ? asValue(tensorAt(outputs, node)) : listOf(outputs.map(asValue), true);
  }
  return unknownAt(node, 'this cannot be called here');
}

/** `torch.zeros(…)`, wherever it is moved: what a recurrent layer begins with anyway. */
const ZEROS: Value = { kind: 'path', path: 'torch.zeros()' };

/** A first state that is as good as none. */
function isNothing(value: Value): boolean {
  if (value.kind === 'list') return value.items.every(isNothing);
  return value.kind === 'none' || (value.kind === 'path' && value.path === 'torch.zeros()');
}

function callInstance(
  interpreter: Evaluator,
  module: InstanceValue,
  args: CallArguments,
  node: Syntax,
): Value {
  const base = plainPath(libraryBase(module.ofClass) ?? '');
  const names = base.startsWith('keras') ? ['call', '__call__'] : ['forward', '__call__'];
  for (const name of names) {
    const method = findMember(module.ofClass, name);
    if (method?.kind === 'function') return interpreter.callFunction({ ...method, self: module }, args, node);
  }
  if (base === 'torch.nn.Sequential') {
    let value = args.positional[0] ?? NONE;
    for (const [, inner] of modulesOf(module)) value = interpreter.call(inner, emptyArguments([value]), node);
    return value;
  }
  return unknownAt(node, `${module.ofClass.name} has no ${names[0] ?? 'method'} that can be read`);
}

/** Adds one call of a layer to the graph. */
export function callLayer(
  interpreter: Evaluator,
  layer: LayerValue,
  inputs: readonly Tensor[],
  node: Syntax,
): Tensor {
  layer.name ??= interpreter.graph.freeName(snakeCase(layer.type));
  const result = layer.apply(inputs, layer.name, node);
  if (result.layer === layer.name) interpreter.graph.noteObject(layer, layer.name);
  if (layer.site !== undefined && result.layer === layer.name)
    interpreter.graph.siteOf[layer.name] = layer.site;
  const again = (others: readonly Tensor[]): Tensor => callLayer(interpreter, layer, others, node);
  return { ...result, source: { inputs, again } };
}

/** Calls a functional model on other inputs: every layer between, once more. */
function callAgain(from: readonly Tensor[], to: readonly Tensor[], inputs: readonly Tensor[]): Tensor[] {
  const done = new Map<string, Tensor>();
  from.forEach((tensor, index) => {
    const input = inputs[index];
    if (input !== undefined) done.set(keyOf(tensor), input);
  });
  const visit = (tensor: Tensor): Tensor => {
    const known = done.get(keyOf(tensor));
    if (known !== undefined) return known;
    const made = tensor.source === undefined ? tensor : tensor.source.again(tensor.source.inputs.map(visit));
    done.set(keyOf(tensor), made);
    return made;
  };
  return to.map(visit);
}

function keyOf(tensor: Tensor): string {
  return `${tensor.layer} ${tensor.node}`;
}

function snakeCase(type: string): string {
  const name = type.split('.').at(-1) ?? type;
  return name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
}

function attribute({ graph }: Evaluator, object: Value, name: string, node: Syntax): Value | undefined {
  if (object.kind === 'tensor') {
    if (name === 'shape') return listOf(shapeSeen(graph, object.tensor, node), true);
    if (name === 'data' || name === 'T') return object;
    return { kind: 'bound', name, self: object };
  }
  if (object.kind === 'layer' && /^(?:weight|bias)$/.test(name))
    return unknownAt(node, 'weights are not known');
  if (object.kind === 'layer' || object.kind === 'model') return { kind: 'bound', name, self: object };
  return undefined;
}

function tensorAt(tensors: readonly Tensor[], node: Syntax): Tensor {
  const first = tensors[0];
  if (first === undefined) throw stopAt(node, 'unknown-value', 'What comes in here is not known.');
  return first;
}

function asValue(tensor: Tensor): Value {
  return { kind: 'tensor', tensor };
}
