import type { Topology } from '../../core/topology';
import { listSteps, makeNamer, type LayerCallStep } from './calls';
import { assign, BLACK, callOf, fits, layOut, type Code } from './layout';
import type { ModuleRequest } from './request';
import { activate, partOf, shapeAfter, unknownShape, ZEROS, type Part, type Shape } from './torchParts';
import { ModuleTree } from './torchTree';
import { PYTHON_WORDS } from './writeKeras';

/**
 * A Python module with one class, `CompactModel`. Channels come first in it, as everywhere in PyTorch. Layers lie where
 * they lie in the source's model, so that its `state_dict` has the same names.
 */
export function writeTorch(topology: Topology, request: ModuleRequest): string {
  const { steps: all, inputs, outputs } = listSteps(topology);
  const steps = mergePadding(all);
  const nameOf = makeNamer([...PYTHON_WORDS, 'torch', 'nn', 'f'], 'snake');
  const names = new Map<string, string>();
  const widths = new Map<string, Shape>();
  const forward: string[] = [];
  const tree = new ModuleTree(nameOf);
  for (const step of steps) {
    const given = step.inputs.map((input) => names.get(`${input.layer} ${input.node}`) ?? '');
    const shapes = step.inputs.map(
      (input) => widths.get(`${input.layer} ${input.node}`) ?? unknownShape(input.layer),
    );
    const key = `${step.layer} ${step.node}`;
    widths.set(key, shapeAfter(step, shapes));
    if (step.className === 'InputLayer') {
      names.set(key, nameOf(step.layer === 'input' ? 'inputs' : step.layer));
      continue;
    }
    const variable = nameOf(`${step.layer}_out`);
    const expression = expressionOf(step, partOf(step, shapes), given, (module) =>
      tree.add(step.layer, request.pathsOf?.(step.layer) ?? [], module, request.hintOf(step.layer)),
    );
    // What leaves values as they are gives no line.
    names.set(key, expression === given[0] ? expression : variable);
    if (expression !== given[0]) forward.push(...assignTo(variable, expression));
  }
  const results = outputs.map((place) => names.get(`${place.layer} ${place.node}`) ?? '');
  const taken = ['self', ...inputs.map((name) => names.get(`${name} 0`) ?? '')];
  const body = [...tree.lines(), '', ...layOut([callOf('def forward', taken), ':'], BLACK.step, BLACK)];
  body.push(...forward, ...giveBack(results));
  return [
    ...importLines(body),
    '',
    '',
    ...inputHint(steps),
    'class CompactModel(nn.Module):',
    `    """The compact architecture that ShrinkNets learned for ${request.model}."""`,
    '',
    '    def __init__(self):',
    '        super().__init__()',
    ...body,
    '',
  ].join('\n');
}

/** Only what is used: linters mark the rest. */
function importLines(body: readonly string[]): string[] {
  const isUsed = (name: string): boolean => body.some((line) => new RegExp(`\\b${name}\\.`).test(line));
  return [
    ...(isUsed('torch') ? ['import torch'] : []),
    'from torch import nn',
    ...(isUsed('F') ? ['from torch.nn import functional as F'] : []),
  ];
}

/** What a call of a layer computes. @param place adds a module and says how it is reached */
function expressionOf(
  step: LayerCallStep,
  part: Part,
  given: readonly string[],
  place: (module: Code) => string,
): Code | Sum {
  if ('sign' in part) return { sign: part.sign, terms: given };
  const plain =
    'module' in part ? [callOf(place(part.module), given), part.after ?? ''] : part.expression(given);
  const { activation } = step.config;
  const isOwn = /^(?:Activation|LSTM|SimpleRNN)$/.test(step.className);
  return typeof activation === 'string' && !isOwn ? activate(activation, plain) : plain;
}

/** Terms with a sign between each two. */
interface Sum {
  readonly sign: string;
  readonly terms: readonly string[];
}

const IN_METHOD = 2 * BLACK.step;

function assignTo(variable: string, value: Code | Sum): string[] {
  if (typeof value === 'string' || !('sign' in value)) return assign(variable, value, IN_METHOD);
  const { sign, terms } = value;
  const line = terms.join(` ${sign} `);
  if (fits(`${variable} = ${line}`, IN_METHOD, BLACK))
    return layOut(`${variable} = ${line}`, IN_METHOD, BLACK);
  const within = IN_METHOD + BLACK.step;
  const each = terms.map((term, index) => (index === 0 ? term : `${sign} ${term}`));
  return [
    ...layOut(`${variable} = (`, IN_METHOD, BLACK),
    ...(fits(line, within, BLACK) ? [line] : each).flatMap((text) => layOut(text, within, BLACK)),
    ...layOut(')', IN_METHOD, BLACK),
  ];
}

function giveBack(results: readonly string[]): string[] {
  const onOne = `return ${results.join(', ')}`;
  const spread = ['return ', { open: '(', items: results, close: ')' }];
  return layOut(fits(onOne, IN_METHOD, BLACK) ? onOne : spread, IN_METHOD, BLACK);
}

/** Zeros on both sides before a convolution or pooling are that layer's own padding in PyTorch. */
function mergePadding(steps: readonly LayerCallStep[]): LayerCallStep[] {
  const zeros = new Map<
    string,
    { readonly input: LayerCallStep['inputs'][number]; readonly padding: number[] }
  >();
  for (const step of steps) {
    if (step.className !== 'ZeroPadding2D' || step.isShared) continue;
    const sides = step.config['padding'] as number[][];
    const readers = steps.filter((other) => other.inputs.some((input) => input.layer === step.layer));
    const reader = readers.length === 1 ? readers[0] : undefined;
    const [input] = step.inputs;
    const isSymmetric = sides.every(([before, after]) => before === after);
    const canPad = /^(?:Conv2D|DepthwiseConv2D|(?:Max|Average)Pooling2D)$/.test(reader?.className ?? '');
    if (input !== undefined && isSymmetric && canPad && reader?.config['padding'] === 'valid')
      zeros.set(step.layer, { input, padding: sides.map((side) => side[0] ?? 0) });
  }
  return steps
    .filter((step) => !zeros.has(step.layer))
    .map((step) => {
      const found = step.inputs.map((input) => zeros.get(input.layer)).find((entry) => entry !== undefined);
      if (found === undefined) return step;
      return { ...step, inputs: [found.input], config: { ...step.config, [ZEROS]: found.padding } };
    });
}

/** PyTorch source does not say the size of its input, so the hint does. */
function inputHint(steps: readonly LayerCallStep[]): string[] {
  const shape = steps[0]?.config['batch_input_shape'];
  const [, ...features] = Array.isArray(shape) ? (shape as (number | null)[]) : [];
  if (features.length < 2 || features.includes(null)) return [];
  const isSequence = /^(?:LSTM|SimpleRNN)$/.test(steps[1]?.className ?? '');
  const order = isSequence ? features : [features.at(-1), ...features.slice(0, -1)];
  return [`# @shrink-model input=[${order.join(', ')}]`];
}
