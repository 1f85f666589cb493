/**
 * What a user can be told. Two carriers: a {@link Problem} for source that is broken or half typed (analysis
 * returns values plus problems and never throws), a {@link ShrinkError} for work that cannot go on.
 */

/** Half-open range of UTF-16 offsets into a source text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export type Severity = 'error' | 'warning' | 'info';

/** Something about a source text that its author should know. */
export interface Problem {
  readonly severity: Severity;
  /** Stable kebab-case name, e.g. `unknown-key`. */
  readonly code: string;
  /** What is wrong and what to do, one sentence each. */
  readonly message: string;
  readonly range: Range;
  /** Absolute path when the problem lies in another file than the one read. */
  readonly file?: string;
  /** Edits that would mend it, offered as a quick fix. */
  readonly fix?: { readonly title: string; readonly edits: readonly TextEdit[] };
}

/** Replaces `range` of a text by `text`. */
export interface TextEdit {
  readonly range: Range;
  readonly text: string;
}

/** Why a piece of work could not be done; the command line turns these into its exit codes. */
export type ErrorKind =
  /** The user's file, data, hint or option: exit code 2. */
  | 'bad-input'
  /** Training itself failed: exit code 1. */
  | 'training'
  /** The machine: disk, memory, a process that died: exit code 1. */
  | 'environment';

/** An error that carries a sentence for the user and never needs a stack trace. */
export class ShrinkError extends Error {
  override readonly name = 'ShrinkError';

  /**
   * @param code stable kebab-case name, e.g. `data-shape`
   * @param message what is wrong and where, then what to do
   */
  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Shorthand for the commonest error: something the user gave cannot be used. */
export function badInput(code: string, message: string, cause?: unknown): ShrinkError {
  return new ShrinkError('bad-input', code, message, cause === undefined ? undefined : { cause });
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  // Some errors of graphics devices have nothing but a name.
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}

/** Whether an engine broke down or cannot do what the model asks: another engine may. */
export function isEngineFailure(thrown: unknown): thrown is ShrinkError {
  return (
    thrown instanceof ShrinkError &&
    (thrown.code === 'engine-failed' || thrown.code.startsWith('untraceable'))
  );
}

/** 1-based line and column of a UTF-16 offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  let line = 1;
  for (const character of before) if (character === '\n') line += 1;
  return { line, column: offset - lastBreak };
}
