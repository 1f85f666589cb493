import type { MetricsGiven } from '../core/metrics';
import * as tf from '../engine/tf';

import type { LossesGiven } from '../train/losses';
import { describeOptimizer, type OptimizerSpec } from '../train/optimizer';

/** What the author of a TensorFlow.js model compiled it with. */
export interface CompileSettings {
  readonly loss?: LossesGiven;
  readonly optimizer?: OptimizerSpec;
  readonly metrics: MetricsGiven;
}

/** @returns nothing of a model that is not compiled */
export function compileSettings(model: tf.LayersModel): CompileSettings {
  // An uncompiled model has none of it; the types say that it always has.
  const given = model as unknown as { loss?: unknown; optimizer?: tf.Optimizer; metrics?: unknown };
  const loss = lossesNamed(given.loss);
  return {
    ...(loss === undefined ? {} : { loss }),
    ...(given.optimizer === undefined ? {} : { optimizer: describeOptimizer(given.optimizer) }),
    metrics: metricsNamed(given.metrics),
  };
}

/** As text by option key, for what is said of them. */
export function settingsAsText({ loss, optimizer }: CompileSettings): Record<string, string> {
  return {
    ...(optimizer === undefined
      ? {}
      : { optimizer: optimizer.name, learningRate: String(optimizer.learningRate) }),
    ...(loss === undefined
      ? {}
      : { loss: typeof loss === 'string' ? loss : Object.values(loss).map(String).join(' and ') }),
  };
}

/** @param given as `compile` took it: one loss, a list, or by the outputs' names */
function lossesNamed(given: unknown): LossesGiven | undefined {
  if (Array.isArray(given)) return given.length === 1 ? nameOf(given[0]) : given.map(nameOf);
  if (typeof given !== 'object' || given === null) return nameOf(given);
  return Object.fromEntries(Object.entries(given).map(([output, loss]) => [output, nameOf(loss)]));
}

/** @param given as `compile` took it: one metric or a list for all outputs, or either by the outputs' names */
function metricsNamed(given: unknown): MetricsGiven {
  const list = (some: unknown): string[] =>
    [some]
      .flat(2)
      .map(nameOf)
      .filter((name) => name !== undefined);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return list(given);
  return { byName: Object.fromEntries(Object.entries(given).map(([output, some]) => [output, list(some)])) };
}

/** Losses and metrics of TensorFlow.js that are functions, by the function: a bundle may give functions other names. */
const FUNCTIONS: ReadonlyMap<unknown, string> = new Map(
  [tf.metrics, tf.losses].flatMap((group) =>
    Object.entries(group).map(([name, measure]: [string, unknown]) => [measure, name] as const),
  ),
);

/** A loss or metric by the name that TensorFlow.js has for it; one of the author's by its own. */
function nameOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  if (typeof given !== 'function') return undefined;
  return FUNCTIONS.get(given) ?? (given.name === '' ? 'function without a name' : `function ${given.name}`);
}
