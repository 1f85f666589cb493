import type { Problem, Range } from '../core/errors';
import type { MetricsGiven } from '../core/metrics';
import type { Language, Program, Site } from '../core/plan';
import type { Syntax } from './syntax';

/** A `@shrink…` comment, read. */
export interface Hint {
  readonly tag: HintTag;
  /** Range from the tag to the end of what was read, reason included. */
  readonly range: Range;
  /** Range of the tag itself. */
  readonly tagRange: Range;
  /** Range of the whole comment. */
  readonly commentRange: Range;
  readonly words: readonly HintWord[];
  /** Text after `--`. */
  readonly reason?: string;
  /** Whether code stands before the comment on its line. */
  readonly trailing: boolean;
}

export type HintTag = '@shrink' | '@shrink-model' | '@shrink-learned';

/** A word of a hint: `off`, or `key=value`. */
export interface HintWord {
  readonly range: Range;
  readonly key: string;
  readonly keyRange: Range;
  /** Unquoted; absent for a bare word. */
  readonly value?: string;
  readonly valueRange?: Range;
}

/** A range of a file. */
export interface Place {
  readonly file: string;
  readonly range: Range;
}

/** A literal that must change with the widths of layers, e.g. `in_features`. */
export interface Dependent {
  readonly range: Range;
  readonly value: number;
  /** What the literal is: `constant` plus the sum of the sites' widths times their factors. */
  readonly terms: readonly { readonly site: number; readonly factor: number }[];
  readonly constant: number;
  /** What the literal is called in messages, e.g. `in_features`. */
  readonly what: string;
  /** The number is computed: there is no literal to edit, and it must not have to change. */
  readonly computed?: boolean;
}

/** A site as read: with what an edit of it must know. */
export interface ReadSite extends Site {
  /** Range of the hint that applies, where there is one. */
  readonly hintRange?: Range;
  /** File of `widthRange`, where that is not the layer's own: a constant of another file. */
  readonly widthFile?: string;
  /** Where a hint may stand as well: the call that gives the width to a helper, by its start. */
  readonly hintPlace?: HintPlace;
  /** Where the width comes from. */
  readonly trace: WidthTrace;
}

/** A call that a hint may stand above. */
export interface HintPlace {
  readonly file: string;
  readonly start: number;
}

/** How the width expression leads to a literal. */
export type WidthTrace =
  /** The layer has no width: flatten, dropout. */
  | { readonly kind: 'none' }
  /** The literal stands in the layer call itself. */
  | { readonly kind: 'literal' }
  /** The literal is that of a constant or argument; `others` are uses of it that are no width of this model. */
  | { readonly kind: 'constant'; readonly name: string; readonly others: readonly Place[] }
  /** The width is computed; `reason` ends a sentence: "the width …". */
  | { readonly kind: 'computed'; readonly place: Place; readonly reason: string };

export type ModelKind = 'sequential' | 'functional' | 'subclassed';

/** One parameter of a function that makes a model. */
export interface ModelParameter {
  readonly name: string;
  readonly hasDefault: boolean;
}

/** A model that a source file makes. */
export interface ModelReading {
  /** The name by which it is asked for: a function or a variable. */
  readonly name: string;
  /** Other names it answers to, e.g. of the variable that holds what the function returned. */
  readonly aliases: readonly string[];
  readonly kind: ModelKind;
  /** Range of the function or statement that makes it. */
  readonly range: Range;
  readonly nameRange: Range;
  /** Sites in source order; a site's id is its index here. */
  readonly sites: readonly ReadSite[];
  /** Literals elsewhere that follow the widths. */
  readonly dependents: readonly Dependent[];
  /** Options in `@shrink-model`, as text by key. */
  readonly modelHint: Readonly<Record<string, string>>;
  readonly modelHintRange?: Range;
  readonly parameters: readonly ModelParameter[];
  /** Whether a bare `@shrink` stands in it. */
  readonly onlyHinted: boolean;
  /** Names of models of this file that it is a part of. */
  readonly partOf: readonly string[];
}

/** What was read of a source file. Plain data. */
export interface SourceReading {
  readonly file: string;
  readonly text: string;
  readonly language: Language;
  readonly models: readonly ModelReading[];
  readonly hints: readonly Hint[];
  readonly problems: readonly Problem[];
  /** For the functions of this folder only. */
  readonly internal: {
    readonly root: Syntax | undefined;
    readonly front: FrontEnd | undefined;
    /** Problems of hints in the files that models of this one reach into. */
    readonly elsewhere: readonly Problem[];
    /** Reads another text of the same file, with other texts of files around it. */
    readonly reread: (text: string, others?: ReadonlyMap<string, string>) => SourceReading;
  };
}

/** A model before hints are attached to it. */
export interface FoundModel extends Omit<
  ModelReading,
  'sites' | 'modelHint' | 'modelHintRange' | 'onlyHinted'
> {
  readonly sites: readonly Omit<ReadSite, 'hint' | 'hintRange'>[];
  /** Every place that belongs to it: a model hint above any of these is its. */
  readonly places: readonly Range[];
}

/** A layer call that a hint can stand above. */
export interface HintTarget {
  readonly range: Range;
  readonly layerType: string;
  readonly width: number | undefined;
  /** Whether layers of this type have a width at all. */
  readonly hasWidth: boolean;
}

/** A file that models of another one reach into. */
export interface OtherFile {
  readonly file: string;
  readonly text: string;
  readonly root: Syntax;
  readonly targets: readonly HintTarget[];
}

/** What a front-end reads of one file; one per language and library. */
export interface FrontEnd {
  readonly models: readonly FoundModel[];
  /** Every layer call of the file, in a model or not. */
  readonly targets: readonly HintTarget[];
  /** The files that its models reach into. */
  readonly others: readonly OtherFile[];
  readonly problems: readonly Problem[];
  /** What the source's training code says, as text by option key. */
  readonly sourceOptions?: Readonly<Record<string, string>>;
  /** Metrics that the source's training code names, where the model is not compiled by running it. */
  readonly sourceMetrics?: MetricsGiven;
  /** Whether it is known already that the program can be made. */
  isReady(model: ModelReading): boolean;
  /** @throws ShrinkError `missing-argument` or `slice` when the program cannot be made */
  makeProgram(model: ModelReading): Program;
}

/** The text of the file that was read, or of one that it imports. */
export function textOf(reading: SourceReading, file: string): string {
  if (file === reading.file) return reading.text;
  return reading.internal.front?.others.find((other) => other.file === file)?.text ?? '';
}
