import type { Progress, ResultEvent } from '../src/core/events';
import type {
  ChannelRows,
  EpochRow,
  PanelChange,
  PanelHeader,
  PanelRunState,
  PointRow,
  SeriesDelta,
  TrialRow,
  WidthRow,
} from '../src/protocol/webview';

/** Rows that are there for good, and the newest one if it is not among them. */
export interface Rows<Row> {
  readonly kept: Row[];
  last: Row | null;
}

/** What the panel shows: the header and every change since, put together. */
export interface PanelState {
  readonly header: PanelHeader;
  readonly widths: Rows<WidthRow>;
  readonly epochs: Rows<EpochRow>;
  points: readonly PointRow[];
  chosen: number;
  progress: Progress | undefined;
  state: PanelRunState;
  message: string;
  warnings: readonly string[];
  result: ResultEvent | undefined;
  /** Of the sweep that the run is one of. */
  trials: readonly TrialRow[];
  channels: ChannelRows | undefined;
  channelsMessage: string;
  events: number;
}

export function newState(header: PanelHeader): PanelState {
  return {
    header,
    widths: { kept: [], last: null },
    epochs: { kept: [], last: null },
    points: [],
    chosen: -1,
    progress: undefined,
    state: 'running',
    message: '',
    warnings: [],
    result: undefined,
    trials: [],
    channels: undefined,
    channelsMessage: '',
    events: 0,
  };
}

export function applyChange(state: PanelState, change: PanelChange): void {
  if (change.widths !== undefined) applyDelta(state.widths, change.widths);
  if (change.epochs !== undefined) applyDelta(state.epochs, change.epochs);
  if (change.points !== undefined) state.points = change.points;
  if (change.chosen !== undefined) state.chosen = change.chosen;
  if (change.state !== undefined) state.state = change.state;
  if (change.message !== undefined) state.message = change.message;
  if (change.warnings !== undefined) state.warnings = change.warnings;
  if (change.result !== undefined) state.result = change.result;
  state.progress = state.state === 'running' ? (change.progress ?? state.progress) : undefined;
  state.events = change.events;
}

function applyDelta<Row>(rows: Rows<Row>, delta: SeriesDelta<Row>): void {
  rows.kept.length = delta.from;
  for (const row of delta.rows) rows.kept.push(row);
  rows.last = delta.last;
}

/** Every row, in order. */
export function allRows<Row>(rows: Rows<Row>): readonly Row[] {
  return rows.last === null ? rows.kept : [...rows.kept, rows.last];
}

/** Widths as far as they are learned: the emitted ones at the end, those of the trunk before. */
export function currentWidths(state: PanelState): readonly number[] {
  const { result, header } = state;
  if (result !== undefined) {
    const after = new Map(result.layers.map((layer) => [layer.name, layer.after]));
    return header.layers.map((layer) => after.get(layer.name) ?? layer.start);
  }
  const row = state.widths.last ?? state.widths.kept.at(-1);
  return row?.widths ?? header.layers.map((layer) => layer.start);
}
