import type { LayerConfig, Topology } from '../../core/topology';
import { listSteps, makeNamer, plainConfig } from './calls';
import type { ModuleRequest } from './request';

/** A Python module with one function, `create_model`. */
export function writeKeras(topology: Topology, request: ModuleRequest): string {
  const { steps, inputs, outputs } = listSteps(topology);
  const nameOf = makeNamer(['keras', 'layers', 'create_model', ...PYTHON_WORDS], 'snake');
  const names = new Map<string, string>();
  const lines: string[] = [];
  for (const step of steps) {
    const variable = nameOf(step.layer);
    names.set(`${step.layer} ${step.node}`, variable);
    const hint = request.hintOf(step.layer);
    if (hint !== undefined && step.node === 0) lines.push(`    # ${hint}`);
    if (step.className === 'InputLayer') {
      lines.push(
        `    ${variable} = keras.Input(shape=${writePython(shapeOf(step.config))}, name=${writePython(step.layer)})`,
      );
      continue;
    }
    const given = step.inputs.map((input) => names.get(`${input.layer} ${input.node}`) ?? '');
    const argument = given.length === 1 ? (given[0] ?? '') : `[${given.join(', ')}]`;
    const maker = `layers.${step.className}(${writeKeywords(step.className, step.config)})`;
    const key = `${step.layer} layer`;
    if (step.isShared && !names.has(key)) {
      names.set(key, nameOf(`${step.layer}_layer`));
      lines.push(`    ${names.get(key) ?? ''} = ${maker}`);
    }
    lines.push(`    ${variable} = ${step.isShared ? (names.get(key) ?? '') : maker}(${argument})`);
  }
  const list = (all: readonly string[]): string =>
    all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`;
  const from = list(inputs.map((name) => names.get(`${name} 0`) ?? ''));
  const to = list(outputs.map((place) => names.get(`${place.layer} ${place.node}`) ?? ''));
  return [
    'import keras',
    'from keras import layers',
    '',
    '',
    'def create_model():',
    `    """The compact architecture that ShrinkNets learned for ${request.model}."""`,
    ...lines,
    `    return keras.Model(inputs=${from}, outputs=${to})`,
    '',
  ].join('\n');
}

export const PYTHON_WORDS: readonly string[] =
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda none nonlocal not or pass raise return self true try while with yield'.split(
    ' ',
  );

function shapeOf(config: LayerConfig): unknown[] {
  const shape = config['batch_input_shape'];
  return Array.isArray(shape) ? shape.slice(1) : [];
}

function writeKeywords(className: string, config: LayerConfig): string {
  return plainConfig(config)
    .map(([key, value]) => {
      const name = className === 'LeakyReLU' && key === 'alpha' ? 'negative_slope' : key;
      return `${name}=${writePython(value)}`;
    })
    .join(', ');
}

/** A value as a Python literal; lists become tuples, as shapes are written. */
export function writePython(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) {
    const items = value.map(writePython);
    return items.length === 1 ? `(${items[0] ?? ''},)` : `(${items.join(', ')})`;
  }
  return JSON.stringify(value);
}
