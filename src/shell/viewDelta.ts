import type { PanelChange, PanelHeader, SeriesDelta } from '../protocol/webview';
import type { RunView } from './runView';
import type { Series } from './series';

/** What of a series a reader has. */
interface Sent {
  length: number;
  step: number;
}

/** Follows a view for one reader: everything first, then only what changed. */
export class ViewDelta {
  private view: RunView | undefined;
  private series: unknown;
  private widths: Sent = { length: 0, step: 1 };
  private epochs: Sent = { length: 0, step: 1 };
  private points = '';
  private warnings = 0;

  /** Whether the reader must be given everything again: another view, or the model came or changed. */
  isNew(view: RunView): boolean {
    return view !== this.view || view.widths !== this.series;
  }

  whole(view: RunView): { readonly header: PanelHeader; readonly change: PanelChange } {
    this.view = view;
    this.series = view.widths;
    this.widths = sentOf(view.widths);
    this.epochs = sentOf(view.epochs);
    this.points = pointsOf(view);
    this.warnings = view.warnings.length;
    return { header: view.header, change: view.whole };
  }

  change(view: RunView): PanelChange {
    const points = pointsOf(view);
    const isSame = points === this.points;
    this.points = points;
    const warned = view.warnings.length !== this.warnings;
    this.warnings = view.warnings.length;
    return {
      widths: deltaOf(view.widths, this.widths),
      epochs: deltaOf(view.epochs, this.epochs),
      ...(isSame ? {} : { points: view.points, chosen: view.chosen }),
      ...(isSame || view.result === undefined ? {} : { result: view.result }),
      ...(warned ? { warnings: view.warnings } : {}),
      ...(view.progress === undefined ? {} : { progress: view.progress }),
      state: view.state,
      message: view.message,
      events: view.events,
    };
  }
}

function sentOf(series: Series<unknown>): Sent {
  return { length: series.length, step: series.step };
}

/** New rows; all of them if the series was thinned out since. */
function deltaOf<Row>(series: Series<Row>, sent: Sent): SeriesDelta<Row> {
  const from = series.step === sent.step ? sent.length : 0;
  sent.length = series.length;
  sent.step = series.step;
  return series.from(from);
}

function pointsOf(view: RunView): string {
  const names = view.points.map(({ kind, budget }) => `${kind}${budget}`);
  return `${names.join()} ${view.chosen} ${view.result !== undefined}`;
}
