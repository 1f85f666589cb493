import type { Reached } from './train';

/** Accuracy under which a network counts nothing. */
const REFERENCE = 0.8;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample; 0 of one value. */
export function spread(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.map((value) => (value - middle) ** 2);
  return values.length < 2 ? 0 : Math.sqrt(squares.reduce((a, b) => a + b, 0) / (values.length - 1));
}

/**
 * What one would take at every size: of the networks no larger than it the best in validation.
 *
 * @returns test accuracy by size
 */
export function frontOf(points: readonly Reached[], budgets: readonly number[]): number[] {
  return budgets.map((budget) => {
    const fitting = points.filter((point) => point.params <= budget);
    const best = Math.max(...fitting.map((point) => point.validation));
    return fitting.find((point) => point.validation === best)?.test ?? 0;
  });
}

/**
 * Area under a front over the logarithm of size, to one octave beyond the largest: points of accuracy over 80 %, times
 * octaves.
 *
 * @param front accuracy by size, largest size first
 */
export function hypervolume(budgets: readonly number[], front: readonly number[]): number {
  return budgets.reduce((sum, budget, i) => {
    const upTo = i === 0 ? 2 * budget : (budgets[i - 1] ?? budget);
    return sum + Math.max(0, 100 * ((front[i] ?? 0) - REFERENCE)) * Math.log2(upTo / budget);
  }, 0);
}

export function printTable(
  budgets: readonly number[],
  rows: readonly (readonly [string, readonly string[]])[],
): void {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const line = (label: string, cells: readonly string[]): void =>
    console.log(label.padEnd(width) + cells.map((cell) => cell.padStart(9)).join(''));
  line(
    'test accuracy, %',
    budgets.map((budget) => `${budget / 1000}k`),
  );
  for (const [label, cells] of rows) line(label, cells);
}
