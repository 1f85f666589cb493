import type { LayerConfig, Topology } from '../../core/topology';
import { innerLayer, listSteps, makeNamer, plainConfig } from './calls';
import { assign, BLACK, callOf, layOut, type Bracket, type Code } from './layout';
import { quote } from './quotes';
import type { ModuleRequest } from './request';

/** A Python module with one function, `create_model`. */
export function writeKeras(topology: Topology, request: ModuleRequest): string {
  const { steps, inputs, outputs } = listSteps(topology);
  const nameOf = makeNamer(['keras', 'layers', 'create_model', ...PYTHON_WORDS], 'snake');
  const names = new Map<string, string>();
  const lines: string[] = [];
  const write = (...code: Code[]): void => {
    lines.push(...layOut(code, INDENT, BLACK));
  };
  const put = (variable: string, value: Code): void => {
    lines.push(...assign(variable, value, INDENT));
  };
  for (const step of steps) {
    const variable = nameOf(step.layer);
    names.set(`${step.layer} ${step.node}`, variable);
    const hint = request.hintOf(step.layer);
    if (hint !== undefined && step.node === 0) write(`# ${hint}`);
    if (step.className === 'InputLayer') {
      const shape = `shape=${writePython(shapeOf(step.config))}`;
      put(variable, callOf('keras.Input', [shape, `name=${writePython(step.layer)}`]));
      continue;
    }
    const given = step.inputs.map((input) => names.get(`${input.layer} ${input.node}`) ?? '');
    const maker = makerOf(step.className, step.config);
    const key = `${step.layer} layer`;
    if (step.isShared && !names.has(key)) {
      names.set(key, nameOf(`${step.layer}_layer`));
      put(names.get(key) ?? '', maker);
    }
    put(variable, [step.isShared ? (names.get(key) ?? '') : maker, callOf('', [listOf(given)])]);
  }
  const from = listOf(inputs.map((name) => names.get(`${name} 0`) ?? ''));
  const to = listOf(outputs.map((place) => names.get(`${place.layer} ${place.node}`) ?? ''));
  write(
    'return ',
    callOf('keras.Model', [
      ['inputs=', from],
      ['outputs=', to],
    ]),
  );
  return [
    'import keras',
    'from keras import layers',
    '',
    '',
    'def create_model():',
    `    """The compact architecture that ShrinkNets learned for ${request.model}."""`,
    ...lines,
    '',
  ].join('\n');
}

const INDENT = 4;

/** One name, or a list of several. */
function listOf(names: readonly string[]): string | Bracket {
  return names.length === 1 ? (names[0] ?? '') : { open: '[', items: names, close: ']' };
}

export const PYTHON_WORDS: readonly string[] =
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda none nonlocal not or pass raise return self true try while with yield'.split(
    ' ',
  );

function shapeOf(config: LayerConfig): unknown[] {
  const shape = config['batch_input_shape'];
  return Array.isArray(shape) ? shape.slice(1) : [];
}

function makerOf(className: string, config: LayerConfig): Bracket {
  const inner = innerLayer(config);
  const held = inner === undefined ? [] : [makerOf(inner.className, inner.config)];
  return callOf(`layers.${className}`, [...held, ...keywordsOf(className, config)]);
}

function keywordsOf(className: string, config: LayerConfig): string[] {
  return plainConfig(config).map(([key, value]) => {
    const name = className === 'LeakyReLU' && key === 'alpha' ? 'negative_slope' : key;
    return `${name}=${writePython(value)}`;
  });
}

/** A value as a Python literal; lists become tuples, as shapes are written. */
export function writePython(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) {
    const items = value.map(writePython);
    return items.length === 1 ? `(${items[0] ?? ''},)` : `(${items.join(', ')})`;
  }
  return typeof value === 'string' ? quote(value) : JSON.stringify(value);
}
