import { badInput } from '../core/errors';
import { quote } from './table';

interface Table {
  readonly file: string;
  readonly columns: readonly { readonly name: string }[];
}

/**
 * Which columns `target=` names: a name, a number from 1 on (negative: from the end), several of them with commas, or
 * `last 16`. Without it, the last column.
 *
 * @returns indices of columns, in the order of the table
 * @throws ShrinkError `data-target`
 */
export function findTargets(table: Table, target: string | undefined): number[] {
  const { columns } = table;
  if (target === undefined) return [columns.length - 1];
  const whole = byName(table, target);
  if (whole !== undefined) return [whole];
  const last = /^\s*last\s+(\d+)\s*$/i.exec(target);
  if (last !== null) {
    const count = Number(last[1]);
    if (count < 1 || count >= columns.length)
      throw badInput(
        'data-target',
        `target=${quote(target)} asks for ${count} of the ${columns.length} columns of ${table.file}; leave at least one as input.`,
      );
    return columns.map((_, i) => i).slice(-count);
  }
  const found = target.split(',').map((part) => byName(table, part.trim()) ?? byNumber(table, part, target));
  return [...new Set(found)].sort((a, b) => a - b);
}

function byName(table: Table, name: string): number | undefined {
  const found = table.columns.findIndex((column) => column.name === name);
  return found < 0 ? undefined : found;
}

function byNumber(table: Table, part: string, target: string): number {
  const { columns } = table;
  const number = /^\s*-?\d+\s*$/.test(part) ? Number(part) : Number.NaN;
  const index = number < 0 ? columns.length + number : number - 1;
  if (columns[index] !== undefined) return index;
  const some = columns.slice(-4).map(({ name }) => quote(name));
  throw badInput(
    'data-target',
    Number.isNaN(number)
      ? `target=${quote(target)}: ${table.file} has no column ${quote(part.trim())}; it can be a number from 1 to ${columns.length} or a name such as ${some.join(', ')}.`
      : `target=${quote(target)}: ${table.file} has columns 1 to ${columns.length}; name one of them.`,
  );
}
