import path from 'node:path';
import type { JournalEvent, LayerInfo, Progress, RunEvent } from '../../core/events';
import type { LatencyGrid } from '../../core/latency';
import type { Output } from '../output';
import { count, milliseconds, percent, seconds, tableRow, type Column } from './format';

type EpochEvent = Extract<RunEvent, { type: 'epoch' }>;

/** Prints a run as it goes: who computes, on what, then a row for every epoch. */
export class TrainReport {
  private layers: readonly LayerInfo[] = [];
  private startParams = 1;
  private columns: readonly Column[] = [];
  private finishing = false;

  constructor(private readonly output: Output) {}

  show(event: JournalEvent): void {
    const { output } = this;
    const { dim, bold, yellow } = output.colors;
    switch (event.type) {
      case 'start':
        output.line(
          `${bold('ShrinkNets')}  ${event.model}  ${dim(path.relative(process.cwd(), event.file))}`,
        );
        if (event.resumedFrom !== undefined) output.line(dim('  resumed from its last checkpoint'));
        break;
      case 'engine':
        output.line(dim(`  engine  ${event.name}, ${event.device}: ${event.why}`));
        break;
      case 'data':
        output.line(
          dim(
            `  data    ${count(event.train)} rows to train, ${count(event.validation)} to validate, ${count(event.test)} to test`,
          ),
        );
        break;
      case 'model':
        this.showModel(event);
        break;
      case 'latency':
        output.line(
          dim(
            `  latency ${event.layers.length} layers timed in ${seconds(event.ms / 1000)}: ${milliseconds(sumOf(event.layers))} of a step of ${event.batchSize} rows`,
          ),
        );
        break;
      case 'epoch':
        this.showEpoch(event);
        break;
      case 'warning':
        output.line(yellow(`  ${event.message}`));
        break;
      case 'stopped':
        output.line(yellow(event.message));
        break;
      case 'collection':
      case 'snapshot':
      case 'point':
      case 'checkpoint':
      case 'failed':
      case 'result':
        break;
    }
  }

  progress(at: Progress): void {
    if (at.phase === 'loading') {
      this.output.status(
        `  writing rows for reading from disk, ${at.step} % · ${seconds(at.secondsLeft)} left`,
      );
      return;
    }
    const what =
      at.phase === 'finish'
        ? `finishing ${percent((at.budget ?? 0) / this.startParams, 0)}, epoch ${at.epoch}/${at.epochs}`
        : `epoch ${at.epoch}/${at.epochs}, step ${at.step}/${at.steps}`;
    this.output.status(
      `  ${what} · loss ${at.loss.toFixed(4)} · ${count(at.params)} parameters · ${milliseconds(at.stepMs)} a step · ${seconds(at.secondsLeft)} left`,
    );
  }

  private showModel(event: Extract<RunEvent, { type: 'model' }>): void {
    const { output } = this;
    const { dim } = output.colors;
    this.layers = event.layers;
    this.startParams = event.params;
    output.line(
      dim(
        `  model   ${count(event.params)} parameters, ${count(event.macs)} MACs; ${event.optimizer} ${event.learningRate}, ${event.loss}`,
      ),
    );
    for (const note of event.notes) output.line(dim(`          ${note}`));
    output.line();
    const column = (title: string, width: number): Column => ({
      title,
      align: 'right',
      width: Math.max(width, title.length),
    });
    this.columns = [
      { title: '  epoch', align: 'left', width: 11 },
      ...event.layers.map((layer) => column(layer.name, 4)),
      column('parameters', 10),
      column('accuracy', 8),
      column('loss', 7),
      column('ms/step', 7),
    ];
    output.line(
      output.colors.bold(
        tableRow(
          this.columns,
          this.columns.map(({ title }) => title),
        ),
      ),
    );
  }

  private showEpoch(event: EpochEvent): void {
    if (event.phase === 'finish' && !this.finishing) {
      this.finishing = true;
      this.output.line(this.output.colors.dim('  finishing each size'));
    }
    const label =
      event.phase === 'trunk'
        ? `  ${event.epoch}/${event.epochs}`
        : `  ${percent((event.budget ?? 0) / this.startParams, 0).replace(' ', '')} ${event.epoch}/${event.epochs}`;
    const row = tableRow(this.columns, [
      label,
      ...this.layers.map((layer) => String(event.widths[layer.name] ?? '')),
      count(event.params),
      percent(event.validation.accuracy),
      event.validation.loss.toFixed(4),
      event.stepMs.toFixed(1),
    ]);
    this.output.line(row);
  }
}

/** Time of all layers at the widths that they begin with. */
function sumOf(layers: readonly LatencyGrid[]): number {
  return layers.reduce((sum, { ms }) => sum + (ms.at(-1) ?? 0), 0);
}
