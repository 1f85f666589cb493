import { badInput } from '../core/errors';
import { readGraph } from '../core/graph';
import { lossNamed, takesStandardized } from '../core/losses';
import { splitByOutput } from '../core/parseOptions';
import { splitActivations } from '../core/split';
import type { Topology } from '../core/topology';
import { endActivation } from './endActivation';

/**
 * Losses as TensorFlow.js compiled a model with them, which checks them: one for all outputs, a list in their order, or
 * by the outputs' names.
 */
export type LossesGiven =
  string | readonly (string | undefined)[] | Readonly<Record<string, string | undefined>>;

/**
 * Losses as the option gives them: one for all outputs, or one for each.
 *
 * @param outputs their names
 * @throws ShrinkError `losses-outputs` when the model has other outputs
 */
export function readLosses(text: string, outputs: readonly string[]): LossesGiven {
  const parts = splitByOutput(text);
  const [first] = parts;
  if (parts.length === 1 && first?.name === undefined) return text;
  const byName = new Map(parts.map(({ name = '', value }) => [name, value]));
  const isComplete = parts.length === outputs.length;
  if (isComplete && outputs.every((name) => byName.has(name))) return Object.fromEntries(byName);
  if (isComplete && parts.every(({ name }) => name === undefined)) return parts.map(({ value }) => value);
  throw badInput(
    'losses-outputs',
    `loss is ${text}, from the hint, an option or the source’s compile, but the model’s outputs are ${outputs.join(', ')}; set loss= to one loss for all, or to one for each of them (${outputs.map((name) => `${name}:…`).join(',')}).`,
  );
}

/** The loss of each output; undefined where none was given. @param outputs their names */
export function lossesOf(
  given: LossesGiven | undefined,
  outputs: readonly string[],
): readonly (string | undefined)[] {
  if (given === undefined || typeof given === 'string') return outputs.map(() => given);
  if (isList(given)) return outputs.map((_, i) => given[i]);
  return outputs.map((name) => given[name]);
}

function isList(given: LossesGiven): given is readonly (string | undefined)[] {
  return Array.isArray(given);
}

/**
 * Whether the numbers that a model predicts may be shifted and scaled: not where its loss is for shares, signs, counts,
 * percentages or directions. Without a loss, a softmax or sigmoid at the end says so.
 *
 * @param wanted from options; what the source gives otherwise
 */
export function standardizesTargets(
  topology: Topology,
  given: LossesGiven | undefined,
  wanted: string | undefined,
): boolean {
  const authored = readGraph(topology);
  const names = authored.outputs.map(({ layer }) => layer);
  // Only data for one output is standardised.
  const [text] =
    wanted === undefined ? lossesOf(given, names) : splitByOutput(wanted).map(({ value }) => value);
  const loss = text === undefined ? undefined : lossNamed(text);
  if (loss !== undefined) return takesStandardized(loss);
  const graph = splitActivations(authored);
  const [output] = graph.outputs;
  return output === undefined || !['softmax', 'sigmoid'].includes(endActivation(graph, output.layer));
}
