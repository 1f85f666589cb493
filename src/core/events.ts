/**
 * The journal's events: what happened in a run, in order. Every view (command line, panel, lenses) is a replay of
 * them. `src/run` writes them as one JSON object a line.
 */

import type { LatencyTable } from './latency';

export const JOURNAL_VERSION = 1;

/** Widths of the sized layers by layer name. */
export type Widths = Readonly<Record<string, number>>;

export interface Metrics {
  /** Mean loss over the rows, without penalties. */
  readonly loss: number;
  /** Share of rows right, 0..1; absent for regressions. */
  readonly accuracy?: number;
  /** What else the source asks to be measured, by name; on validation and test rows alone. */
  readonly named?: Readonly<Record<string, number>>;
}

/** A size that the path reached, finished and measured. */
export interface Point {
  /** The requested size in units of `cost`. */
  readonly budget: number;
  readonly widths: Widths;
  readonly params: number;
  readonly macs: number;
  readonly validation: Metrics;
  readonly test: Metrics;
  /** Passes over the training data that it had in all, its finish among them; absent in journals of the first days. */
  readonly epochs?: number;
}

export interface LayerInfo {
  readonly name: string;
  readonly className: string;
  /** Width before training. */
  readonly width: number;
  /** Site that makes it, if the source has one. */
  readonly site?: number;
  /** Layers with the same group lose the same channels. */
  readonly group: number;
}

/** How one engine did when the engine was chosen. */
export interface EngineTrialInfo {
  readonly engine: string;
  /** Median milliseconds of a step of the model; absent for an engine that was not measured. */
  readonly stepMs?: number;
  readonly problem?: string;
  readonly install?: string | null;
}

export interface SiteAt {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a run learned. Also written to `result.json`. */
export interface ResultEvent {
  readonly type: 'result';
  readonly run: string;
  readonly model: string;
  readonly layers: readonly {
    readonly name: string;
    readonly site: SiteAt | null;
    readonly siteId: number | null;
    readonly before: number;
    readonly after: number;
  }[];
  readonly params: { readonly before: number; readonly after: number };
  readonly macs: { readonly before: number; readonly after: number };
  readonly metrics: { readonly test: Metrics; readonly validation: Metrics };
  /** The starting size with the same finish; `epochs` of the points say whether it was trained for as long. */
  readonly baseline?: Point;
  /** Every size on the path, largest first; `chosen` indexes it. */
  readonly points: readonly Point[];
  readonly chosen: number;
  readonly timings: {
    readonly totalMs: number;
    readonly trunkMs: number;
    readonly finishMs: number;
    /** Median time of predicting one batch on this machine. */
    readonly inferenceMs: { readonly before: number; readonly after: number; readonly batchSize: number };
  };
  /** Largest output difference that collection and folding showed at run time. */
  readonly outputDifference: number;
  readonly engine: string;
}

export type RunEvent =
  | {
      readonly type: 'start';
      readonly version: number;
      readonly run: string;
      readonly file: string;
      readonly model: string;
      readonly mode: string;
      readonly resumedFrom?: string;
    }
  | {
      readonly type: 'engine';
      readonly name: string;
      readonly device: string;
      readonly why: string;
      /** How the others did, and why they were passed over. */
      readonly trials: readonly EngineTrialInfo[];
    }
  | {
      readonly type: 'data';
      readonly train: number;
      readonly validation: number;
      readonly test: number;
      readonly notes: readonly string[];
    }
  | {
      readonly type: 'model';
      readonly layers: readonly LayerInfo[];
      readonly params: number;
      readonly macs: number;
      readonly optimizer: string;
      readonly learningRate: number;
      readonly loss: string;
      /** What is measured besides loss and accuracy, since the source asks for it. */
      readonly metrics?: readonly string[];
      /** Layers that keep their width, and why. */
      readonly notes: readonly string[];
    }
  | {
      /** What layers take in a training step, measured once: with cost or costWeight latency. */
      readonly type: 'latency';
      readonly batchSize: number;
      /** What the measurement took. */
      readonly ms: number;
      readonly layers: LatencyTable;
    }
  | {
      readonly type: 'epoch';
      readonly phase: 'trunk' | 'finish';
      /** Requested size that is being finished; only in phase `finish`. */
      readonly budget?: number;
      /** 1-based, of `epochs` in this phase. */
      readonly epoch: number;
      readonly epochs: number;
      readonly widths: Widths;
      readonly params: number;
      readonly macs: number;
      readonly train: Metrics;
      readonly validation: Metrics;
      /** Median milliseconds of a training step in this epoch. */
      readonly stepMs: number;
      /** λ at which the penalty of an average channel would act as it does (budget mode), or λ itself. */
      readonly lambda: number;
    }
  | {
      readonly type: 'collection';
      readonly step: number;
      /** Channels removed by layer. */
      readonly removed: Widths;
      readonly widths: Widths;
      readonly params: number;
      readonly macs: number;
      readonly outputDifference: number;
      readonly ms: number;
    }
  | {
      readonly type: 'snapshot';
      readonly budget: number;
      readonly step: number;
      readonly widths: Widths;
      readonly params: number;
    }
  | ({ readonly type: 'point' } & Point)
  | { readonly type: 'checkpoint'; readonly file: string; readonly step: number }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | { readonly type: 'stopped'; readonly message: string }
  | { readonly type: 'failed'; readonly kind: string; readonly code: string; readonly message: string }
  | ResultEvent;

/** An event as the journal stores it. */
export type JournalEvent = RunEvent & {
  /** Position in the journal, from 0, without gaps. */
  readonly seq: number;
  /** Milliseconds since the epoch, when it was written. */
  readonly at: number;
};

/** Where training stands between events; sent to whoever is attached, never stored. */
export interface Progress {
  readonly phase: 'loading' | 'trunk' | 'finish' | 'measuring';
  readonly budget?: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done of all steps of the run, as far as they are known. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly params: number;
  readonly stepMs: number;
  readonly secondsLeft: number;
}
