import type { ErrorKind } from '../../core/errors';
import type { ResultEvent } from '../../core/events';
import type { Plan } from '../../core/plan';
import type { Topology } from '../../core/topology';
import type { HintCompletion, HintHover, SourceReading } from '../../language';
import type { Emission, Starter } from '../../shell/emission';

/**
 * Between the extension and the thread that reads sources: parsing a long file takes longer than the editor's other
 * extensions can wait.
 */

/** What was read, without the functions and trees that stay in the thread. */
export type PlainReading = Omit<SourceReading, 'internal' | 'text'>;

/** Texts of other files that the editor holds and has not saved, by absolute path. */
export type HeldTexts = Readonly<Record<string, string>>;

/** A text to read, and those of the files around it. */
export interface ToRead {
  readonly file: string;
  readonly text: string;
  readonly held: HeldTexts;
}

/** A place in a source that is followed, in the version that it was read in. */
export interface PlaceInVersion {
  readonly key: string;
  readonly version: string;
  readonly offset: number;
}

interface ToEdit extends ToRead {
  readonly plan: Plan;
  readonly result: ResultEvent;
}

/** What the thread can be asked, and what it answers. */
export interface Questions {
  /** Reads a version of a source, and keeps its tree for the next. */
  readonly follow: {
    readonly ask: ToRead & { readonly key: string; readonly version: string };
    readonly answer: PlainReading;
  };
  /** Forgets a source. */
  readonly close: { readonly ask: { readonly key: string }; readonly answer: null };
  /** What can be written there; nothing, if that version is not the last one any more. */
  readonly complete: { readonly ask: PlaceInVersion; readonly answer: readonly HintCompletion[] };
  /** What the word of a hint there means. */
  readonly hover: { readonly ask: PlaceInVersion; readonly answer: HintHover | null };
  /** Reads a text once. */
  readonly read: { readonly ask: ToRead; readonly answer: PlainReading };
  /** The plan to train a model. */
  readonly plan: { readonly ask: ToRead & { readonly model?: string }; readonly answer: Plan };
  /** What writing the learned widths would change, checked. */
  readonly emit: {
    readonly ask: ToEdit & { readonly compact: Topology; readonly starter: Starter };
    readonly answer: Emission;
  };
  /** What putting the widths from before training back would change. */
  readonly revert: { readonly ask: ToEdit; readonly answer: Emission };
}

export type Question = keyof Questions;

export interface Request<Kind extends Question = Question> {
  readonly id: number;
  readonly kind: Kind;
  readonly ask: Questions[Kind]['ask'];
}

export type Answer =
  { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: PlainError };

/** An error as it goes from thread to thread. */
export interface PlainError {
  readonly message: string;
  /** Where it is one for the user. */
  readonly known?: { readonly kind: ErrorKind; readonly code: string };
  readonly stack?: string;
}
