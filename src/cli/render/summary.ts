import type { Metrics, Point, ResultEvent } from '../../core/events';
import type { Output } from '../output';
import { change, count, milliseconds, percent, seconds, table } from './format';

const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
const left = (title: string): { title: string; align: 'left' } => ({ title, align: 'left' });

/** The sizes that were reached, and before against after. */
export function showSummary(output: Output, result: ResultEvent): void {
  const { bold, green } = output.colors;
  const layers = result.layers.map((layer) => layer.name);
  const classifies = result.metrics.test.accuracy !== undefined;
  output.line();
  output.line(bold('Sizes'));
  const rows = [...(result.baseline === undefined ? [] : [result.baseline]), ...result.points];
  const lines = table(
    [
      left('  '),
      ...layers.map(right),
      right('parameters'),
      right('MACs'),
      right('epochs'),
      right(classifies ? 'validation' : 'val. loss'),
      right(classifies ? 'test' : 'test loss'),
    ],
    rows.map((point) => [
      point === result.points[result.chosen] ? '→ ' : '  ',
      ...layers.map((name) => String(point.widths[name] ?? '')),
      count(point.params),
      count(point.macs),
      point.epochs === undefined ? '–' : String(Math.round(point.epochs)),
      quality(point.validation),
      quality(point.test),
    ]),
  );
  lines.forEach((line, i) =>
    output.line(i > 0 && rows[i - 1] === result.points[result.chosen] ? green(line) : line),
  );
  const fewer = fewerEpochs(result);
  if (fewer !== undefined) output.line(output.colors.dim(fewer));
  output.line();
  showBeforeAfter(output, result);
}

/** What a reader must know of a starting size that was trained for less than the others. */
function fewerEpochs({ baseline, points, chosen }: ResultEvent): string | undefined {
  const [start, size] = [baseline?.epochs, points[chosen]?.epochs];
  if (start === undefined || size === undefined || Math.round(start) >= Math.round(size)) return undefined;
  return `  The starting size was trained for ${Math.round(start)} epochs, the sizes for ${Math.round(size)}; baseline=full gives it as many.`;
}

function quality(metrics: Metrics): string {
  return metrics.accuracy === undefined ? metrics.loss.toFixed(4) : percent(metrics.accuracy);
}

function showBeforeAfter(output: Output, result: ResultEvent): void {
  const { bold, dim } = output.colors;
  const { params, macs, metrics, timings, baseline } = result;
  const { inferenceMs } = timings;
  const rows: string[][] = [
    ...result.layers
      .filter((layer) => layer.before !== layer.after)
      .map((layer) => [
        `  ${layer.name}`,
        String(layer.before),
        String(layer.after),
        change(layer.before, layer.after),
      ]),
    [
      '  parameters',
      count(params.before),
      count(params.after),
      `${(params.before / params.after).toFixed(1)} times fewer`,
    ],
    ['  MACs', count(macs.before), count(macs.after), `${(macs.before / macs.after).toFixed(1)} times fewer`],
    [
      `  test ${metrics.test.accuracy === undefined ? 'loss' : 'accuracy'}`,
      before(baseline),
      quality(metrics.test),
      '',
    ],
    ...Object.entries(metrics.test.named ?? {}).map(([name, value]) => [
      `  test ${name}`,
      shortNumber(baseline?.test.named?.[name]),
      shortNumber(value),
      '',
    ]),
    [
      `  predicting ${inferenceMs.batchSize} rows`,
      milliseconds(inferenceMs.before),
      milliseconds(inferenceMs.after),
      `${(inferenceMs.before / inferenceMs.after).toFixed(1)} times faster`,
    ],
  ];
  const [head, ...lines] = table([left(''), right('before'), right('after'), left('')], rows);
  output.line(bold(head ?? ''));
  for (const line of lines) output.line(line);
  output.line(
    dim(
      `  ${seconds(timings.totalMs / 1000)} in all with ${result.engine}; outputs before and after collections differ by at most ${result.outputDifference.toExponential(0)}`,
    ),
  );
}

function shortNumber(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(4);
}

function before(baseline: Point | undefined): string {
  return baseline === undefined ? '–' : quality(baseline.test);
}
