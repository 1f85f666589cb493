import type { Range } from '../../core/errors';
import type { makePositions } from '../positions';
import type { Dependent } from '../reading';
import type { Syntax } from '../syntax';
import type { EvaluatedModel } from './evaluateModel';
import type { FoundDependent, FoundSite } from './graph';
import { addSums, constantSum, scaleSum, sumOf, type ChannelSum } from './tensor';

/** What is known of a file as text. */
export interface FileFacts {
  readonly file: string;
  readonly root: Syntax;
  /** Integer literals by where they start. */
  readonly literals: ReadonlyMap<number, Syntax>;
  readonly positionOf: ReturnType<typeof makePositions>;
}

/**
 * The literals that must follow the widths of a model, and those uses of its literals that must not change: they keep
 * an edit from breaking what else reads a constant.
 */
export function describeDependents(
  evaluated: EvaluatedModel,
  sites: readonly FoundSite[],
  facts: FileFacts,
): Dependent[] {
  const { graph, readNames } = evaluated;
  const ids = new Map(sites.map((site, id) => [site.key, id]));
  const follows = settleSums(graph.dependents, sites).map((found): Dependent => ({
    range: found.literal ?? found.use,
    value: found.value,
    terms: [...found.channels.terms].flatMap(([key, factor]) => {
      const site = ids.get(key);
      return site === undefined ? [] : [{ site, factor }];
    }),
    constant: found.channels.constant,
    what: found.what,
    ...(found.literal === undefined ? { computed: true } : {}),
  }));
  const edited = new Set([
    ...sites.flatMap((site) => (site.width?.literal === undefined ? [] : [site.width.literal.start])),
    ...follows.map((dependent) => dependent.range.start),
  ]);
  const lineOf = (range: Range): number => facts.positionOf(range.start).line;
  const pinned = graph.pins
    .filter((pin) => edited.has(pin.literal.start))
    .map((pin) => keepValue(pin.literal, pin.value, `the use at line ${lineOf(pin.use)}`));
  const unread = [...edited].flatMap((start) => {
    const literal = facts.literals.get(start);
    const name = literal?.parent?.type === 'assignment' ? nameOfConstant(literal) : undefined;
    const other = name === undefined ? undefined : findUnreadUse(facts.root, name, readNames);
    if (literal === undefined || name === undefined || other === undefined) return [];
    return [
      keepValue(literal.range, Number(literal.text), `the use of ${name} at line ${lineOf(other.range)}`),
    ];
  });
  return dropRepeated([...follows, ...pinned, ...unread]);
}

function keepValue(range: Range, value: number, what: string): Dependent {
  return { range, value, terms: [], constant: value, what };
}

/**
 * `width + growth` needs no edit of its own where its literals are edited to widths that add up to it. A literal in it
 * that nothing else changes gets what is left: of `32 + skip`, the one behind `skip`.
 */
function settleSums(dependents: readonly FoundDependent[], sites: readonly FoundSite[]): FoundDependent[] {
  const becomes = new Map<number, ChannelSum>();
  for (const dependent of dependents)
    if (dependent.literal !== undefined) becomes.set(dependent.literal.start, dependent.channels);
  for (const site of sites)
    if (site.width?.literal !== undefined) becomes.set(site.width.literal.start, sumOf(site.key));
  return dependents.flatMap((dependent) => {
    const { sum, channels } = dependent;
    if (sum === undefined) return [dependent];
    const entries = [...sum.terms];
    const free = entries.filter(([start]) => !becomes.has(start)).map(([, term]) => term);
    const settled = entries.flatMap(([start, term]) => {
      const known = becomes.get(start);
      return known === undefined ? [] : [scaleSum(known, term.count)];
    });
    const left = minus(channels, addSums([...settled, constantSum(sum.constant)]));
    if (free.length === 0 && isSameSum(left, constantSum(0))) return [];
    const kept = free.map((term) => constantSum(term.value * term.count));
    if (isSameSum(left, addSums(kept))) return [];
    const shares = shareOut(left, free, sites);
    if (shares === undefined) return [dependent];
    shares.forEach((share, i) => becomes.set(free[i]?.range.start ?? -1, share));
    return shares.map((share, i): FoundDependent => {
      const { range, value } = free[i] ?? { range: dependent.use, value: dependent.value };
      return { literal: range, use: dependent.use, value, channels: share, what: dependent.what };
    });
  });
}

/** Which literal gets which channels: one gets all, several each the layer that is as wide as it says. */
function shareOut(
  left: ChannelSum,
  free: readonly { readonly value: number; readonly count: number }[],
  sites: readonly FoundSite[],
): ChannelSum[] | undefined {
  const terms = [...left.terms].filter(([, factor]) => factor !== 0);
  if (free.some(({ count }) => count !== 1) || terms.some(([, factor]) => factor < 0)) return undefined;
  if (free.length === 1) return [{ terms: new Map(terms), constant: left.constant }];
  if (left.constant !== 0 || terms.some(([, factor]) => factor !== 1)) return undefined;
  const widthOf = (key: string): number | undefined => sites.find((site) => site.key === key)?.width?.value;
  const found = free.map(({ value }) => terms.filter(([key]) => widthOf(key) === value));
  const isOneToOne = terms.length === free.length && found.every((matches) => matches.length === 1);
  return isOneToOne ? found.map(([match]) => sumOf(match?.[0] ?? '')) : undefined;
}

function minus(whole: ChannelSum, part: ChannelSum): ChannelSum {
  const { terms, constant } = addSums([whole, scaleSum(part, -1)]);
  return { terms: new Map([...terms].filter(([, factor]) => factor !== 0)), constant };
}

function isSameSum(left: ChannelSum, right: ChannelSum): boolean {
  const keys = new Set([...left.terms.keys(), ...right.terms.keys()]);
  const isSame = [...keys].every((key) => (left.terms.get(key) ?? 0) === (right.terms.get(key) ?? 0));
  return isSame && left.constant === right.constant;
}

/** The name that an assignment or a parameter default gives to a literal. */
export function nameOfConstant(literal: Syntax | undefined): string | undefined {
  const parent = literal?.parent;
  return parent?.field('left')?.text ?? parent?.field('name')?.text;
}

/** A use of a constant in code that was not evaluated: it may need the value that stands there. */
function findUnreadUse(root: Syntax, name: string, read: ReadonlySet<number>): Syntax | undefined {
  return root.walk().find((node) => {
    if (node.type !== 'identifier' || node.text !== name || read.has(node.start)) return false;
    const isTarget = node.parent?.type === 'assignment' && node.parent.field('left') === node;
    const isKey = node.parent?.type === 'keyword_argument' && node.parent.field('name') === node;
    return !isTarget && !isKey && node.parent?.field('attribute') !== node;
  });
}

function dropRepeated(dependents: readonly Dependent[]): Dependent[] {
  const seen = new Set<string>();
  return dependents.filter((dependent) => {
    const { range, terms, constant } = dependent;
    const key = JSON.stringify([range.start, terms, constant]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
