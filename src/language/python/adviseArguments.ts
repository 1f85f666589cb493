import type { Problem } from '../../core/errors';
import type { ModelParameter } from '../reading';
import type { Syntax } from '../syntax';
import { parameterName } from './evaluation';
import type { PythonOrigin } from './evaluateModel';
import { parametersAround } from './findPlaces';

/** Parameters that `args` of a model's hint are for, in order. */
export function parametersOf(origin: PythonOrigin): ModelParameter[] {
  const { ofClass, ofFunction } = parametersAround(around(origin));
  return [...ofClass, ...ofFunction].map(describe);
}

function around(origin: PythonOrigin): readonly Syntax[] {
  return origin.kind === 'place' ? origin.place.around : [origin.node];
}

function describe(parameter: Syntax): ModelParameter {
  const hasDefault = parameter.field('value') !== undefined || parameter.text.startsWith('*');
  return { name: parameterName(parameter), hasDefault };
}

/** Those that a hint must give: a constructor hands its own on to a function whose parameters have the same names. */
function neededOf(origin: PythonOrigin): ModelParameter[] {
  const { ofClass, ofFunction } = parametersAround(around(origin));
  const names = ofClass.map(parameterName);
  const isHandedOn = ofFunction.every((parameter) => names.includes(parameterName(parameter)));
  const all = (isHandedOn ? ofClass : [...ofClass, ...ofFunction]).map(describe);
  return all.filter((parameter) => !parameter.hasDefault);
}

/** Says how to give a model its parameters, where that may be what is missing. */
export function adviseArguments(problem: Problem, origin: PythonOrigin): Problem {
  const needed = neededOf(origin);
  const isMissing = /the parameter (\w+) is not given\.$/.exec(problem.message)?.[1];
  const isOwn = needed.some(({ name }) => name === isMissing);
  if (needed.length === 0 || !(isOwn || problem.code === 'unknown-input')) return problem;
  const example = `e.g. # @shrink-model args=[${needed.map(({ name }) => exampleOf(name)).join(', ')}]`;
  const advice = isOwn
    ? `; write args=[…] into the model’s @shrink-model hint, ${example}.`
    : `, or its parameters, ${example}.`;
  return { ...problem, message: problem.message.replace(/\.$/, advice) };
}

/** A value such as a parameter of this name may have. */
function exampleOf(name: string): string {
  if (/shape/i.test(name)) return '[28, 28, 1]';
  if (/class|action|output|label|categor/i.test(name)) return '10';
  return /name|kind|mode|activation/i.test(name) ? '"relu"' : '32';
}
