/**
 * Lays code out as the formatters of its language do: on one line where that fits, otherwise one item a line with a
 * comma after the last, which Prettier and Black both keep.
 */

/** A list in brackets that may be spread over lines. */
export interface Bracket {
  /** Such as `nn.Linear(`. */
  readonly open: string;
  readonly items: readonly Code[];
  readonly close: string;
  /** What stands inside the brackets on one line: a blank in JavaScript's objects. */
  readonly inside?: string;
  /** Whether it is spread even where it fits: Prettier does so with lists of lists. */
  readonly always?: boolean;
}

/** Text without a place to break, or a sequence of text and brackets. */
export type Code = string | Bracket | readonly Code[];

export interface Layout {
  /** Longest line, in characters. */
  readonly width: number;
  /** Blanks that each level stands further in. */
  readonly step: number;
}

/** What Black does if nobody tells it otherwise. */
export const BLACK: Layout = { width: 88, step: 4 };

/** What Prettier does if nobody tells it otherwise. */
export const PRETTIER: Layout = { width: 80, step: 2 };

/** A call with its arguments. */
export function callOf(callee: string, args: readonly Code[]): Bracket {
  return { open: `${callee}(`, items: args, close: ')' };
}

/** On one line. */
export function flat(code: Code): string {
  if (typeof code === 'string') return code;
  if (isSequence(code)) return code.map(flat).join('');
  const { open, items, close, inside = '' } = code;
  const blank = items.length === 0 ? '' : inside;
  return open + blank + items.map(flat).join(', ') + blank + close;
}

/** @param indent blanks before it */
export function fits(code: Code, indent: number, { width }: Layout): boolean {
  return !mustSpread(code) && indent + flat(code).length <= width;
}

function mustSpread(code: Code): boolean {
  if (typeof code === 'string') return false;
  if (isSequence(code)) return code.some(mustSpread);
  return code.always === true || code.items.some(mustSpread);
}

/**
 * Lines of code: of what is too long, the longest list is spread first, then the next.
 *
 * @param indent blanks before the first line
 * @returns lines; too long where nothing in them can be spread
 */
export function layOut(code: Code, indent: number, layout: Layout): string[] {
  const parts = partsOf(code);
  const spread = new Set<Bracket>();
  for (;;) {
    const pieces = piecesOf(parts, spread);
    const long = pieces.find((piece) => 'line' in piece && !fits(piece.line, indent, layout));
    const brackets = long !== undefined && 'line' in long ? long.line.filter(canSpread) : [];
    const weigh = (part: Bracket): number => flat(part).length + (mustSpread(part) ? 1e6 : 0);
    const [longest] = brackets.sort((a, b) => weigh(b) - weigh(a));
    if (longest !== undefined) {
      spread.add(longest);
      continue;
    }
    return pieces.flatMap((piece) =>
      'line' in piece
        ? [' '.repeat(indent) + flat(piece.line)]
        : piece.items.flatMap((item) => layOut([item, ','], indent + layout.step, layout)),
    );
  }
}

/** A line, or the items of a list that is spread between two. */
type Piece = { readonly line: Part[] } | { readonly items: readonly Code[] };
type Part = string | Bracket;

function partsOf(code: Code): Part[] {
  return typeof code === 'string' || !isSequence(code) ? [code] : code.flatMap(partsOf);
}

function piecesOf(parts: readonly Part[], spread: ReadonlySet<Bracket>): Piece[] {
  const pieces: Piece[] = [];
  let line: Part[] = [];
  for (const part of parts) {
    if (typeof part === 'string' || !spread.has(part)) line.push(part);
    else {
      pieces.push({ line: [...line, part.open] }, { items: part.items });
      line = [part.close];
    }
  }
  return [...pieces, { line }];
}

function canSpread(part: Part): part is Bracket {
  return typeof part !== 'string' && part.items.length > 0;
}

function isSequence(code: Bracket | readonly Code[]): code is readonly Code[] {
  return Array.isArray(code);
}

/**
 * A Python assignment. Where its first line is too long although everything is spread, the value goes into parentheses.
 */
export function assign(variable: string, value: Code, indent: number): string[] {
  const lines = layOut([`${variable} = `, value], indent, BLACK);
  if ((lines[0]?.length ?? 0) <= BLACK.width || lines.length === 1) return lines;
  return [
    ...layOut(`${variable} = (`, indent, BLACK),
    ...layOut(value, indent + BLACK.step, BLACK),
    ...layOut(')', indent, BLACK),
  ];
}
