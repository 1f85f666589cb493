import type { EngineTrialInfo, JournalEvent, Point, Progress, ResultEvent, Widths } from '../core/events';
import type {
  EpochRow,
  PanelChange,
  PanelHeader,
  PanelLayer,
  PanelRunState,
  PointRow,
  WidthRow,
} from '../protocol/webview';
import { milliseconds } from './format';
import { Series } from './series';

/** Rows of widths are thinned out so that a chart of all layers stays below this many dots. */
const MOST_DOTS = 24_000;
const MOST_ROWS = 512;
const FEWEST_ROWS = 64;
/** Warnings that a view keeps: the newest. */
const MOST_WARNINGS = 50;

/** A run as a view shows it: the journal, replayed one event at a time. */
export class RunView {
  readonly layers: PanelLayer[] = [];
  readonly epochs = new Series<EpochRow>(MOST_ROWS);
  widths = new Series<WidthRow>(MOST_ROWS);
  readonly points: PointRow[] = [];
  readonly warnings: string[] = [];
  result: ResultEvent | undefined;
  state: PanelRunState = 'running';
  message = '';
  progress: Progress | undefined;
  /** Events replayed. */
  events = 0;
  /** Sites of the layers that have one, by layer name. */
  readonly siteOf = new Map<string, number>();
  /** Widths by layer name of the network that is being trained: in a finish, of one of the sizes. */
  now: Widths = {};
  /** Widths by layer name as far as they are learned: the trunk's, at the end the emitted ones. */
  learnedWidths: Widths = {};
  /** The newest epoch, kept or not. */
  lastEpoch: EpochRow | undefined;
  private start = { run: '', model: '', file: '' };
  private size = { params: 0, macs: 0 };
  private engine = '';
  private engineChoice: readonly string[] = [];
  private data = '';
  private training = '';
  private notes: readonly string[] = [];
  private trainRows = 0;
  private epochsDone = 0;

  /** @param batchSize of the run, to place collections between epochs; 0 if it is not known */
  constructor(private readonly batchSize: number) {}

  get header(): PanelHeader {
    const { start, size, layers, engine, engineChoice, training, data, notes } = this;
    return { ...start, ...size, layers, engine, engineChoice, training, data, notes };
  }

  /** Replays one event. */
  take(event: JournalEvent): void {
    this.events += 1;
    switch (event.type) {
      case 'start':
        this.start = { run: event.run, model: event.model, file: event.file };
        this.state = 'running';
        this.message = '';
        break;
      case 'engine':
        this.engine = `${event.name}, ${event.device}`;
        this.engineChoice = [event.why, ...event.trials.map(describeTrial)];
        break;
      case 'data':
        this.trainRows = event.train;
        this.data = `${event.train} / ${event.validation} / ${event.test}`;
        break;
      case 'model':
        this.takeModel(event);
        break;
      case 'epoch':
        this.takeEpoch(event);
        break;
      case 'collection':
        this.addWidths(event.widths, event.params, event.macs, this.epochAt(event.step));
        break;
      case 'point':
        this.addPoint(event, this.isStart(event) ? 'start' : 'size');
        break;
      case 'warning':
        this.warnings.push(event.message);
        if (this.warnings.length > MOST_WARNINGS) this.warnings.shift();
        break;
      case 'stopped':
        this.end('stopped', event.message);
        break;
      case 'failed':
        this.end('failed', event.message);
        break;
      case 'result':
        this.takeResult(event);
        break;
      case 'latency':
      case 'snapshot':
      case 'checkpoint':
        break;
    }
  }

  /** How a run without a last word stands. */
  end(state: PanelRunState, message: string): void {
    this.state = state;
    this.message = message;
    this.progress = undefined;
  }

  /** Everything, for a view that was just opened. */
  get whole(): PanelChange {
    return {
      widths: this.widths.from(0),
      epochs: this.epochs.from(0),
      points: this.points,
      ...(this.result === undefined ? {} : { result: this.result, chosen: this.chosen }),
      ...(this.progress === undefined ? {} : { progress: this.progress }),
      state: this.state,
      message: this.message,
      warnings: this.warnings,
      events: this.events,
    };
  }

  /** Index of the emitted size in `points`; -1 before there is a result. */
  get chosen(): number {
    const budget = this.result?.points[this.result.chosen]?.budget;
    return this.points.findIndex((point) => point.kind === 'size' && point.budget === budget);
  }

  private takeModel(event: Extract<JournalEvent, { type: 'model' }>): void {
    this.layers.length = 0;
    this.siteOf.clear();
    for (const { name, className, width, site } of event.layers) {
      if (site !== undefined) this.siteOf.set(name, site);
      const learned = !event.notes.some((note) => note.startsWith(`${name}: width kept`));
      this.layers.push({ name, className, start: width, learned });
    }
    this.size = { params: event.params, macs: event.macs };
    this.training = `${event.optimizer} ${event.learningRate}, ${event.loss}`;
    this.notes = event.notes;
    const rows = Math.floor(MOST_DOTS / Math.max(1, this.layers.length));
    this.widths = new Series<WidthRow>(Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, rows)));
    const widths = Object.fromEntries(event.layers.map(({ name, width }) => [name, width]));
    this.addWidths(widths, event.params, event.macs, 0);
  }

  private takeEpoch(event: Extract<JournalEvent, { type: 'epoch' }>): void {
    const { phase, widths, params, macs, train, validation, stepMs, lambda } = event;
    this.epochsDone += 1;
    const row: EpochRow = {
      x: this.epochsDone,
      phase,
      budget: event.budget ?? null,
      loss: train.loss,
      accuracy: train.accuracy ?? null,
      validationLoss: validation.loss,
      validationAccuracy: validation.accuracy ?? null,
      ...{ stepMs, lambda, params, macs },
    };
    this.epochs.push(row);
    this.lastEpoch = row;
    // A finish trains one of the sizes on the way: the widths that are being learned are those of the trunk.
    if (phase === 'trunk') this.addWidths(widths, params, macs, event.epoch);
    else this.now = widths;
  }

  private epochAt(step: number): number {
    const stepsPerEpoch = this.batchSize > 0 ? Math.ceil(this.trainRows / this.batchSize) : 0;
    return stepsPerEpoch > 0 ? step / stepsPerEpoch : this.epochsDone;
  }

  private addWidths(widths: Widths, params: number, macs: number, x: number): void {
    this.now = widths;
    this.learnedWidths = widths;
    this.widths.push({ x, widths: this.inOrder(widths), params, macs });
  }

  private inOrder(widths: Widths): number[] {
    return this.layers.map((layer) => widths[layer.name] ?? layer.start);
  }

  private isStart(point: Point): boolean {
    return point.budget === this.size.params || point.budget === this.size.macs;
  }

  private addPoint(point: Point, kind: PointRow['kind']): void {
    const { budget, params, macs, widths, validation, test, epochs } = point;
    const isSame = (other: PointRow): boolean => other.kind === kind && other.budget === budget;
    const row: PointRow = {
      ...{ budget, params, macs, kind },
      widths: this.inOrder(widths),
      loss: validation.loss,
      accuracy: validation.accuracy ?? null,
      testLoss: test.loss,
      testAccuracy: test.accuracy ?? null,
      epochs: epochs ?? null,
    };
    const known = this.points.findIndex(isSame);
    if (known >= 0) this.points[known] = row;
    else this.points.push(row);
  }

  private takeResult(result: JournalEvent & ResultEvent): void {
    this.result = result;
    this.points.length = 0;
    if (result.baseline !== undefined) this.addPoint(result.baseline, 'start');
    for (const point of result.points) this.addPoint(point, 'size');
    this.now = Object.fromEntries(result.layers.map((layer) => [layer.name, layer.after]));
    this.learnedWidths = this.now;
    this.end('done', '');
  }
}

/** "wasm: 1.52 ms a step", "webgpu: the package is not installed. npm install webgpu" */
function describeTrial({ engine, stepMs, problem, install }: EngineTrialInfo): string {
  const parts = [
    ...(stepMs === undefined ? [] : [`${milliseconds(stepMs)} a step`]),
    ...(problem === undefined ? [] : [problem]),
    ...(typeof install === 'string' && install !== '' ? [install] : []),
  ];
  return `${engine}: ${parts.join(' ')}`;
}
