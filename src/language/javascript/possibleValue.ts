import type { Syntax } from '../syntax';

/** What an expression is when some calls and turns of loops are under way. */
export interface PossibleValue {
  /** A literal, an object, a list, or whatever the expression comes down to. */
  readonly node: Syntax;
  /** Why the value is not known; then `node` is the expression that is not. */
  readonly unknown?: string;
  /** All of these hold when the expression has this value. */
  readonly conditions: readonly Condition[];
  /** Name by which the value is known, if a constant holds it. */
  readonly name?: string;
  /** Uses of the constants on the way. */
  readonly uses: readonly Syntax[];
  /** Every expression that was followed. */
  readonly via: readonly Syntax[];
}

/** Something that is under way while a layer is made. */
export interface Condition {
  /** A function, a `for … of` loop, a callback that runs for each item, or a subscript. */
  readonly owner: Syntax;
  /** The call of the function that is under way, or the item that it is the turn of. */
  readonly at: Syntax | number;
}

export function unknownValue(node: Syntax, unknown: string): PossibleValue {
  return { node, unknown, conditions: [], uses: [], via: [] };
}

/** A value that is reached by way of another. */
export function joinValues(outer: PossibleValue, inner: PossibleValue): PossibleValue {
  const name = inner.name ?? outer.name;
  return {
    ...inner,
    conditions: [...outer.conditions, ...inner.conditions],
    uses: [...outer.uses, ...inner.uses],
    via: [...outer.via, ...inner.via],
    ...(name === undefined ? {} : { name }),
  };
}

export function withConditions(value: PossibleValue, conditions: readonly Condition[]): PossibleValue {
  return { ...value, conditions: [...value.conditions, ...conditions] };
}
