import type { Syntax } from '../syntax';
import type { Evaluator } from './evaluation';
import { listOf, NONE, numberOf, unknownAt, type LiteralSum, type NumberValue, type Value } from './values';

/** Whether a comparison holds; undefined where that is not known. */
export function compare(left: Value, right: Value, operator: string): boolean | undefined {
  if (left.kind === 'unknown' || right.kind === 'unknown') return undefined;
  const negated = operator === '!=' || operator === 'is not' || operator === 'not in';
  switch (operator) {
    case '==':
    case 'is':
    case '!=':
    case 'is not': {
      const same = isEqual(left, right);
      return same === undefined ? undefined : same !== negated;
    }
    case 'in':
    case 'not in': {
      const items = right.kind === 'dict' ? [...right.entries.keys()] : undefined;
      if (items !== undefined && left.kind === 'string') return items.includes(left.value) !== negated;
      if (right.kind !== 'list') return undefined;
      return right.items.some((item) => isEqual(left, item) === true) !== negated;
    }
    default: {
      if (left.kind !== 'number' || right.kind !== 'number') return undefined;
      const difference = left.value - right.value;
      if (operator === '<') return difference < 0;
      if (operator === '>') return difference > 0;
      return operator === '<=' ? difference <= 0 : operator === '>=' ? difference >= 0 : undefined;
    }
  }
}

function isEqual(left: Value, right: Value): boolean | undefined {
  if (left.kind === 'batch' || right.kind === 'batch') return undefined;
  if (left.kind !== right.kind) return false;
  switch (left.kind) {
    case 'number':
    case 'string':
    case 'bool':
      return 'value' in right && left.value === right.value;
    case 'none':
      return true;
    case 'path':
      return right.kind === 'path' && left.path === right.path;
    case 'list':
      return (
        right.kind === 'list' &&
        left.items.length === right.items.length &&
        left.items.every((item, index) => isEqual(item, right.items[index] ?? NONE) === true)
      );
    default:
      return left === right;
  }
}

/** The value of a binary operator. */
export function operate(
  interpreter: Evaluator,
  node: Syntax,
  left: Value,
  right: Value,
  operator: string,
): Value {
  if (left.kind === 'unknown') return left;
  if (right.kind === 'unknown') return right;
  if (left.kind === 'tensor' || right.kind === 'tensor')
    return interpreter.library.operate(interpreter, operator, left, right, node);
  if (left.kind === 'number' && right.kind === 'number') return calculate(node, left, right, operator);
  if (operator === '+' && left.kind === 'list' && right.kind === 'list')
    return listOf([...left.items, ...right.items], left.tuple);
  if (operator === '+' && left.kind === 'string' && right.kind === 'string')
    return { kind: 'string', value: left.value + right.value };
  if (operator === '*' && left.kind === 'list' && right.kind === 'number')
    return listOf(Array.from({ length: Math.min(1000, right.value) }, () => left.items).flat(), left.tuple);
  if (operator === '%' && left.kind === 'string') return formatText(node, left.value, right);
  return unknownAt(node, `${operator} of these is not read here`);
}

/** `'block%d' % i`. */
function formatText(node: Syntax, text: string, given: Value): Value {
  const values = given.kind === 'list' ? given.items : [given];
  const texts = values.map((part) =>
    part.kind === 'number' || part.kind === 'string' ? String(part.value) : undefined,
  );
  const places = text.match(/%[ds]/g)?.length ?? 0;
  if (texts.includes(undefined) || places !== texts.length) return unknownAt(node, 'its text is not known');
  let next = 0;
  return { kind: 'string', value: text.replaceAll(/%[ds]/g, () => texts[next++] ?? '') };
}

/**
 * The literals behind a computed number may follow widths: whether the number does so as well shows when the edited
 * source is read back.
 */
function calculate(node: Syntax, left: NumberValue, right: NumberValue, operator: string): Value {
  const value = arithmetic(left.value, right.value, operator);
  if (value === undefined || !Number.isFinite(value)) return unknownAt(node, 'this is not calculated here');
  if (left.followsTensor === true || right.followsTensor === true) {
    return { kind: 'number', value, followsTensor: true };
  }
  if (operator === '*') return multiply(left, right, value);
  const sums = [literalSum(left), literalSum(right)];
  const [first, second] = sums;
  if ((operator === '+' || operator === '-') && first !== undefined && second !== undefined)
    return { kind: 'number', value, sum: addLiterals(first, second, operator === '+' ? 1 : -1) };
  return numberOf(value);
}

function multiply(left: NumberValue, right: NumberValue, value: number): Value {
  // `planes * expansion` with an expansion of 1 is the planes.
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (one.value === 1) return other;
  }
  const factors = [left, right].flatMap((side) =>
    side.literal === undefined ? (side.factors ?? []) : [{ range: side.literal, value: side.value }],
  );
  return { kind: 'number', value, factors };
}

/** A number as a sum of literals; undefined for a product, which is none. */
function literalSum(number: NumberValue): LiteralSum | undefined {
  if (number.sum !== undefined) return number.sum;
  if (number.factors !== undefined) return undefined;
  const { literal, value } = number;
  if (literal === undefined) return { terms: new Map(), constant: value };
  return { terms: new Map([[literal.start, { range: literal, value, count: 1 }]]), constant: 0 };
}

function addLiterals(left: LiteralSum, right: LiteralSum, sign: 1 | -1): LiteralSum {
  const terms = new Map(left.terms);
  for (const [start, term] of right.terms)
    terms.set(start, { ...term, count: (terms.get(start)?.count ?? 0) + sign * term.count });
  return { terms, constant: left.constant + sign * right.constant };
}

function arithmetic(left: number, right: number, operator: string): number | undefined {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '//':
      return Math.floor(left / right);
    case '%':
      return left - right * Math.floor(left / right);
    case '**':
      return left ** right;
    case '<<':
      return left * 2 ** right;
    default:
      return undefined;
  }
}
