import type { Range } from './errors';
import type { MetricsGiven } from './metrics';
import type { SweepPlace } from './sweep';
import type { Topology } from './topology';

/** Languages a front-end exists for. */
export type Language = 'typescript' | 'tsx' | 'javascript' | 'python';

/** What a `@shrink` comment above a layer says. Absent keys were not written. */
export interface LayerHint {
  /** Leave the layer alone. */
  readonly off?: boolean;
  /** Penalty of this layer's Filter, at least 0. */
  readonly lambda?: number;
  /** Fewest channels to keep, at least 1. */
  readonly min?: number;
  /** Most channels to keep. */
  readonly max?: number;
  /** The learned width is a multiple of this. */
  readonly multiple?: number;
}

/**
 * A place in the source where a layer's width is written. One site may stand for several layers (a loop, a
 * helper called twice).
 */
export interface Site {
  /** Index in {@link Plan.sites}; the slice hands it to the layers the site makes. */
  readonly id: number;
  /** Absolute path of the file the site is in. */
  readonly file: string;
  /** The constructor as the source names it, e.g. `dense`, `conv2d`, `Linear`. */
  readonly layerType: string;
  /** Range of the whole layer call. */
  readonly range: Range;
  /** 1-based position of `range.start`, for messages. */
  readonly line: number;
  readonly column: number;
  /** Range of the literal that writes the width; absent where the width is computed or the layer has none. */
  readonly widthRange?: Range;
  /** Value of that literal. */
  readonly width?: number;
  readonly hint?: LayerHint;
}

/** Everything the backend needs to make the model that an author marked. Written to `plan.json`. */
export interface Plan {
  readonly version: 1;
  /** Absolute path of the source file. */
  readonly file: string;
  /** SHA-256 of the source text, hex. */
  readonly fileHash: string;
  readonly language: Language;
  /** Name of the model in the file: a variable or a function. */
  readonly model: string;
  readonly program: Program;
  readonly sites: readonly Site[];
  /** Options written in `@shrink-model`, as text by option key, with their places. */
  readonly modelHint: Readonly<Record<string, string>>;
  /**
   * Options that the source's own training code says, as text by option key; hints, flags and settings override them.
   * Of TensorFlow.js only what `model.fit` is given: its model is compiled when the slice runs.
   */
  readonly sourceOptions?: Readonly<Record<string, string>>;
  /** If the run is one of several that try one λ each. */
  readonly sweep?: SweepPlace;
  /** Metrics that Python source compiles its model with, in its spelling. */
  readonly sourceMetrics?: MetricsGiven;
  /** Whether at least one bare `@shrink` stands in the model: then only hinted layers are sized. */
  readonly onlyHinted: boolean;
}

/** The slice of a file that a model's file imports. */
export interface SliceModule {
  /** The module's name in imports of other slices. */
  readonly id: string;
  /** Absolute path of the source file. */
  readonly file: string;
  readonly code: string;
}

/** How the topology is had. */
export type Program =
  /**
   * TensorFlow.js: a module that, run in the backend, default-exports `async () => model`. Every layer call in it
   * is wrapped as `__shrinkSite(id, call)`, or `__shrinkSite([[id, conditions], …], call)` where calls and turns that
   * are under way decide, which `__shrinkMark` says.
   */
  | {
      readonly kind: 'slice';
      readonly code: string;
      /** Slices of the files that it imports, each after those that it imports itself. */
      readonly modules?: readonly SliceModule[];
      /** The same without `model.compile(…)`, for where that needs what only the page or the program has. */
      readonly uncompiled?: { readonly code: string; readonly modules: readonly SliceModule[] };
    }
  /** Python: read statically. `siteOf` maps layer names to site ids. */
  | {
      readonly kind: 'topology';
      readonly topology: Topology;
      readonly siteOf: Readonly<Record<string, number>>;
      /**
       * Axis order of the source's inputs, without the batch. The topology is always channels last: the data of a
       * `channels-first` source (PyTorch) is transposed before it goes in, and flattening runs in another order.
       */
      readonly axes: 'channels-first' | 'channels-last';
      /**
       * Where layers lie in the source's model, by layer name: attribute paths such as `layer1.0.conv1`, several where
       * one layer has several. In the order in which the source registers them.
       */
      readonly pathOf?: Readonly<Record<string, readonly string[]>>;
      /** Rows are steps in time with their features last, whatever `axes` says. */
      readonly sequence?: boolean;
      /** Attribute paths of layers that the model holds and does not call: they have no learned weights. */
      readonly unused?: readonly string[];
      /** Types of layers that change the data only in training (`RandomFlip`): widths are learned without them. */
      readonly augmentation?: readonly string[];
    };
