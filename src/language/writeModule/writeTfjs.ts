import type { LayerConfig, Topology } from '../../core/topology';
import { innerLayer, listSteps, lowerFirst, makeNamer, plainConfig, type LayerCallStep } from './calls';
import { callOf, fits, layOut, PRETTIER, type Bracket, type Code } from './layout';
import { quote } from './quotes';
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
  const write = (...code: Code[]): void => {
    lines.push(...layOut(code, INDENT, PRETTIER));
  };
  for (const step of steps) {
    const variable = nameOf(step.layer);
    names.set(keyOf(step), variable);
    const hint = request.hintOf(step.layer);
    if (hint !== undefined && step.node === 0) write(`// ${hint}`);
    if (step.className === 'InputLayer') {
      const input = objectOf({ shape: shapeOf(step.config), name: step.layer });
      write(`const ${variable} = tf.input(`, input, ');');
      continue;
    }
    const config = configOf(step.config);
    const constructor = `${constructorOf(step.className)}(`;
    const given = step.inputs.map((input) => names.get(`${input.layer} ${input.node}`) ?? '');
    const input = listOf(given);
    // Prettier hugs a list, and gives a single name its own line.
    const call = typeof input === 'string' ? [callOf('.apply', [input])] : ['.apply(', input, ')'];
    const applied = [...call, `${cast};`];
    if (step.isShared) {
      const key = `${step.layer} layer`;
      if (!names.has(key)) {
        names.set(key, nameOf(`${step.layer}_layer`));
        write(`const ${names.get(key) ?? ''} = tf.layers.${constructor}`, config, ');');
      }
      write(`const ${variable} = ${names.get(key) ?? ''}`, applied);
      continue;
    }
    const onOne = [`const ${variable} = tf.layers.${constructor}`, config, ')', applied];
    if (fits(onOne, INDENT, PRETTIER)) write(onOne);
    else {
      write(`const ${variable} = tf.layers`);
      for (const link of [[`.${constructor}`, config, ')'], applied])
        lines.push(...layOut(link, INDENT + PRETTIER.step, PRETTIER));
    }
  }
  const from = listOf(inputs.map((name) => names.get(`${name} 0`) ?? ''));
  const to = listOf(outputs.map((place) => names.get(`${place.layer} ${place.node}`) ?? ''));
  const ends = [
    ['inputs: ', from],
    ['outputs: ', to],
  ];
  write('return tf.model(', { open: '{', items: ends, close: '}', inside: ' ' }, ');');
  return [
    'import * as tf from "@tensorflow/tfjs";',
    '',
    `/** The compact architecture that ShrinkNets learned for ${request.model}. */`,
    `export function createModel()${request.typescript ? ': tf.LayersModel' : ''} {`,
    ...lines,
    '}',
    '',
  ].join('\n');
}

const INDENT = 2;

/** One name, or a list of several. */
function listOf(names: readonly string[]): string | Bracket {
  return names.length === 1 ? (names[0] ?? '') : { open: '[', items: names, close: ']' };
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

function configOf(config: LayerConfig): Bracket {
  const inner = innerLayer(config);
  const plain = objectOf(camelConfig(config));
  if (inner === undefined) return plain;
  const held = ['layer: ', `tf.layers.${constructorOf(inner.className)}(`, configOf(inner.config), ')'];
  return { ...plain, items: [held, ...plain.items] };
}

function objectOf(object: Readonly<Record<string, unknown>>): Bracket {
  const items = Object.entries(object).map(([key, value]) => [`${key}: `, codeOf(value)]);
  return { open: '{', items, close: '}', inside: ' ' };
}

function codeOf(value: unknown): Code {
  if (typeof value === 'string') return quote(value);
  // Prettier writes exponents without a plus.
  if (!Array.isArray(value)) return String(value).replace('e+', 'e');
  const isList = (item: unknown): boolean => Array.isArray(item) && item.length > 1;
  const always = value.length > 1 && value.every(isList);
  return { open: '[', items: value.map(codeOf), close: ']', always };
}
