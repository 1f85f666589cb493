import type { LayerConfig, Topology } from '../../core/topology';
import { listSteps, lowerFirst, makeNamer, plainConfig, type LayerCallStep } from './calls';
import type { ModuleRequest } from './request';

/** Constructors whose names do not follow from their classes. */
const NAMES: Readonly<Record<string, string>> = {
  ELU: 'elu',
  GRU: 'gru',
  LSTM: 'lstm',
  PReLU: 'prelu',
  ReLU: 'reLU',
  SimpleRNN: 'simpleRNN',
};

/** A TypeScript or JavaScript module with one function, `createModel`. */
export function writeTfjs(topology: Topology, request: ModuleRequest): string {
  const { steps, inputs, outputs } = listSteps(topology);
  const nameOf = makeNamer(['tf', 'model', 'createModel'], 'camel');
  const names = new Map<string, string>();
  const lines: string[] = [];
  const cast = request.typescript ? ' as tf.SymbolicTensor' : '';
  for (const step of steps) {
    const variable = nameOf(step.layer);
    names.set(keyOf(step), variable);
    const hint = request.hintOf(step.layer);
    if (hint !== undefined && step.node === 0) lines.push(`  // ${hint}`);
    if (step.className === 'InputLayer') {
      lines.push(
        `  const ${variable} = tf.input(${writeObject({ shape: shapeOf(step.config), name: step.layer })});`,
      );
      continue;
    }
    const maker = `tf.layers.${constructorOf(step.className)}(${writeObject(camelConfig(step.config))})`;
    const given = step.inputs.map((input) => names.get(`${input.layer} ${input.node}`) ?? '');
    const argument = given.length === 1 ? (given[0] ?? '') : `[${given.join(', ')}]`;
    const layer = step.isShared ? shareLayer(step, names, nameOf, lines, maker) : maker;
    lines.push(`  const ${variable} = ${layer}.apply(${argument})${cast};`);
  }
  const list = (all: readonly string[]): string =>
    all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`;
  const from = list(inputs.map((name) => names.get(`${name} 0`) ?? ''));
  const to = list(outputs.map((place) => names.get(`${place.layer} ${place.node}`) ?? ''));
  return [
    "import * as tf from '@tensorflow/tfjs';",
    '',
    `/** The compact architecture that ShrinkNets learned for ${request.model}. */`,
    `export function createModel()${request.typescript ? ': tf.LayersModel' : ''} {`,
    ...lines,
    `  return tf.model({ inputs: ${from}, outputs: ${to} });`,
    '}',
    '',
  ].join('\n');
}

/** A layer that is called more than once gets a variable of its own. */
function shareLayer(
  step: LayerCallStep,
  names: Map<string, string>,
  nameOf: (name: string) => string,
  lines: string[],
  maker: string,
): string {
  const key = `${step.layer} layer`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const variable = nameOf(`${step.layer}_layer`);
  names.set(key, variable);
  lines.push(`  const ${variable} = ${maker};`);
  return variable;
}

function keyOf(step: LayerCallStep): string {
  return `${step.layer} ${step.node}`;
}

function constructorOf(className: string): string {
  return NAMES[className] ?? lowerFirst(className.replace(/(\d)D/, '$1d'));
}

function shapeOf(config: LayerConfig): unknown[] {
  const shape = config['batch_input_shape'];
  return Array.isArray(shape) ? shape.slice(1) : [];
}

function camelConfig(config: LayerConfig): Record<string, unknown> {
  return Object.fromEntries(
    plainConfig(config).map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

function writeObject(object: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(object).map(([key, value]) => `${key}: ${writeValue(value)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function writeValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`;
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : String(value);
}
