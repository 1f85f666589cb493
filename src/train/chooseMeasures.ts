import { labelsFor } from '../core/losses';
import { chooseMetrics, describeMetrics, type MetricsGiven } from '../core/metrics';
import type { Labels } from '../data/dataset';
import { isZeroOne, meanOf } from './labels';
import type { Head } from './head';
import type { OutputHead } from './outputHead';

/**
 * Chooses which of the source's metrics each output is measured by.
 *
 * @param labels of the training rows as they are trained, output by output
 * @param notes what is not measured is added
 */
export function withMetrics(
  head: Head,
  labels: readonly Labels[],
  given: MetricsGiven,
  notes: string[],
): Head {
  const chosen = head.outputs.map((output, i) => {
    const names = namesFor(given, output.name, i);
    return { names, ...chooseMetrics(names, { ...output, labels: kindOf(output, labels[i]) }) };
  });
  const names = [...new Set(chosen.flatMap((choice) => choice.names))];
  const others = names.filter((name) =>
    chosen.every((choice) => choice.others.includes(name) || !choice.names.includes(name)),
  );
  const said = describeMetrics(names, { measured: [], others });
  if (said !== undefined) notes.push(said);
  return {
    ...head,
    outputs: head.outputs.map((output, i) => measuredBy(output, chosen[i]?.measured ?? [], labels[i])),
  };
}

function namesFor(given: MetricsGiven, name: string, at: number): readonly string[] {
  if ('byPlace' in given) return given.byPlace[at] ?? [];
  return 'byName' in given ? (given.byName[name] ?? []) : given;
}

function measuredBy(
  output: OutputHead,
  metrics: OutputHead['metrics'],
  labels: Labels | undefined,
): OutputHead {
  const mean = metrics.includes('r2Score') && labels !== undefined ? { labelMean: meanOf(labels) } : {};
  return { ...output, metrics, ...mean };
}

/** What the labels of an output are, whatever its loss is for: 0 and 1 may be trained as numbers. */
function kindOf({ loss, width }: OutputHead, labels: Labels | undefined): ReturnType<typeof labelsFor> {
  const wanted = labelsFor(loss);
  if (wanted !== 'numbers' || labels === undefined) return wanted;
  if (labels.kind === 'classes') return width > 1 || labels.classes <= 2 ? 'shares' : 'numbers';
  return isZeroOne(labels.features) ? 'shares' : 'numbers';
}
