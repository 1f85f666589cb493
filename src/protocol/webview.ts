import type { Progress, ResultEvent } from '../core/events';

/**
 * Extension ⇄ panel. The panel shows a run as it is on disk and owns nothing: it says `ready` whenever it was
 * made anew, gets everything as `reset`, and `delta` after that, at most ten times a second.
 */

export const PANEL_VERSION = 1;

export type PanelRunState = 'running' | 'stopped' | 'done' | 'failed' | 'interrupted';

export interface PanelLayer {
  readonly name: string;
  readonly className: string;
  readonly start: number;
  /** Whether its width is learned; false where it stays as it was written. */
  readonly learned: boolean;
}

/** What does not change while a run goes on. */
export interface PanelHeader {
  readonly run: string;
  readonly model: string;
  readonly file: string;
  readonly layers: readonly PanelLayer[];
  readonly params: number;
  readonly macs: number;
  /** "wasm, 4 threads": what computes, on what, why. */
  readonly engine: string;
  /** Why it was chosen, and how the others did, one line each. */
  readonly engineChoice: readonly string[];
  /** "adam 0.001, categoricalCrossentropy". */
  readonly training: string;
  readonly data: string;
  readonly notes: readonly string[];
}

/** Widths at a moment of the trunk: after an epoch or a collection. */
export interface WidthRow {
  /** Epochs done, with fractions. */
  readonly x: number;
  /** In the order of `PanelHeader.layers`. */
  readonly widths: readonly number[];
  readonly params: number;
  readonly macs: number;
}

/** One trial of a sweep over λ: a run of its own. */
export interface TrialRow {
  /** The run's id; empty before it has begun. */
  readonly run: string;
  readonly lambda: number;
  readonly state: PanelRunState | 'waiting';
  /** What it learned; null before it is done. */
  readonly point: PointRow | null;
  /** Whether no other trial is as small and better. */
  readonly onFront: boolean;
  /** The smallest that is as accurate as the best, within `maxDrop`. */
  readonly chosen: boolean;
}

/** What an epoch ended with. */
export interface EpochRow {
  /** Epochs done in the whole run: those of the trunk, then those of every finish. */
  readonly x: number;
  readonly phase: 'trunk' | 'finish';
  readonly budget: number | null;
  readonly loss: number;
  readonly accuracy: number | null;
  readonly validationLoss: number;
  readonly validationAccuracy: number | null;
  readonly stepMs: number;
  readonly lambda: number;
  readonly params: number;
  readonly macs: number;
}

/** A size that was reached and finished. */
export interface PointRow {
  readonly budget: number;
  readonly params: number;
  readonly macs: number;
  /** In the order of `PanelHeader.layers`. */
  readonly widths: readonly number[];
  readonly loss: number;
  readonly accuracy: number | null;
  readonly testLoss: number;
  readonly testAccuracy: number | null;
  /** Passes over the training data that it had in all; null where an old journal does not say. */
  readonly epochs: number | null;
  readonly kind: 'start' | 'size';
}

/** Rows after the first `from` ones, which stay; `last` is the newest row where it is not kept for good. */
export interface SeriesDelta<Row> {
  readonly from: number;
  readonly rows: readonly Row[];
  readonly last: Row | null;
}

/** What changes while a run goes on; absent parts did not. */
export interface PanelChange {
  readonly widths?: SeriesDelta<WidthRow>;
  readonly epochs?: SeriesDelta<EpochRow>;
  readonly points?: readonly PointRow[];
  /** Index into `points`. */
  readonly chosen?: number;
  readonly progress?: Progress;
  readonly state?: PanelRunState;
  /** Why it stands where it stands, e.g. why it failed. */
  readonly message?: string;
  readonly warnings?: readonly string[];
  readonly result?: ResultEvent;
  /** Events of the journal that this view has replayed. */
  readonly events: number;
}

/** Switches of one layer's channels, from the last checkpoint. */
export interface ChannelRows {
  readonly layer: string;
  /** Trunk steps done at the checkpoint. */
  readonly step: number;
  readonly theta: readonly number[];
  readonly score: readonly number[];
}

export type ExportFormat = 'png' | 'svg' | 'csv' | 'json';

export type ToPanel =
  | {
      readonly type: 'reset';
      /** Of the run, for the editor to give back after a reload. */
      readonly folder: string;
      readonly header: PanelHeader;
      readonly change: PanelChange;
    }
  | { readonly type: 'delta'; readonly change: PanelChange }
  | { readonly type: 'channels'; readonly channels: ChannelRows | null; readonly message: string }
  /** The trials of the sweep that the run is one of; none if it is no sweep's. */
  | { readonly type: 'sweep'; readonly trials: readonly TrialRow[] }
  /** The run cannot be shown: its folder is gone, or was written by a newer version. */
  | { readonly type: 'gone'; readonly message: string };

export type PanelAction =
  'stop' | 'kill' | 'resume' | 'emit' | 'revert' | 'openSource' | 'exportRun' | 'showLog' | 'openFolder';

export type FromPanel =
  | { readonly type: 'ready'; readonly version: number }
  | { readonly type: 'action'; readonly action: PanelAction }
  | { readonly type: 'emitPoint'; readonly budget: number }
  /** Shows, or writes, another trial of the sweep. */
  | { readonly type: 'showTrial'; readonly run: string }
  | { readonly type: 'emitTrial'; readonly run: string }
  | { readonly type: 'channels'; readonly layer: string }
  | {
      readonly type: 'export';
      readonly format: ExportFormat;
      /** File name without its extension. */
      readonly name: string;
      /** Text, or base64 for `png`. */
      readonly content: string;
    }
  | { readonly type: 'problem'; readonly message: string };

/** Words of the panel, translated by the extension. */
export type PanelWords = Readonly<Record<PanelWord, string>>;

export type PanelWord =
  | 'loading'
  | 'stop'
  | 'stopTitle'
  | 'kill'
  | 'killTitle'
  | 'resume'
  | 'emit'
  | 'emitTitle'
  | 'emitThis'
  | 'openSource'
  | 'exportAll'
  | 'table'
  | 'chart'
  | 'export'
  | 'running'
  | 'stopped'
  | 'done'
  | 'failed'
  | 'interrupted'
  | 'parameters'
  | 'ofParameters'
  | 'macs'
  | 'accuracy'
  | 'validationAccuracy'
  | 'testAccuracy'
  | 'loss'
  | 'validationLoss'
  | 'testLoss'
  | 'training'
  | 'validation'
  | 'stepTime'
  | 'lambda'
  | 'channels'
  | 'widths'
  | 'widthsAbout'
  | 'nowStart'
  | 'nowStartAbout'
  | 'lossTitle'
  | 'lossAbout'
  | 'accuracyTitle'
  | 'accuracyAbout'
  | 'costTitle'
  | 'costAbout'
  | 'stepAbout'
  | 'lambdaAbout'
  | 'sizes'
  | 'sizesAbout'
  | 'thetaTitle'
  | 'thetaAbout'
  | 'thetaNone'
  | 'layer'
  | 'epoch'
  | 'epochs'
  | 'phase'
  | 'trunk'
  | 'finish'
  | 'start'
  | 'now'
  | 'change'
  | 'size'
  | 'kept'
  | 'channel'
  | 'timeLeft'
  | 'was'
  | 'notYet'
  | 'notes'
  | 'largest'
  | 'theta'
  | 'score'
  | 'learnedSizes'
  | 'chosenPoint'
  | 'step'
  | 'ofStart'
  | 'failedToDraw'
  | 'sweep'
  | 'sweepAbout'
  | 'trialsDone'
  | 'front'
  | 'beaten'
  | 'trial'
  | 'showTrial'
  | 'state'
  | 'waiting'
  | 'engineChoice';
