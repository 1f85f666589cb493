import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
  type ChartConfiguration,
  type ChartDataset,
  type ChartOptions,
} from 'chart.js';
import { count, percent, plain } from '../words';
import type { ChartSpec, Dot, Line } from './spec';
import { colorOf, dashOf, type Theme } from './theme';

/** Drawing a chart on a canvas. Nothing else imports chart.js. */

Chart.register(
  ...[BarController, LineController, ScatterController, BarElement, LineElement, PointElement],
  ...[CategoryScale, LinearScale, LogarithmicScale, Legend, Tooltip],
);

/** More lines than these have no legend: hovering names them, the table lists them. */
const MOST_IN_LEGEND = 12;
/** Fewer points than these are marked. */
const FEW_POINTS = 40;

type Any = Chart<'line' | 'bar' | 'scatter', unknown[]>;

/** A chart that is drawn again and again. */
export class CanvasChart {
  private readonly chart: Any;
  private shape = '';

  /** @param onPick told what was clicked: the `ref` of a dot */
  constructor(canvas: HTMLCanvasElement, onPick?: (ref: string) => void) {
    const configuration: ChartConfiguration<'line' | 'bar' | 'scatter', unknown[]> = {
      type: 'line',
      data: { datasets: [] },
      options: {
        // From the start: the first observation of its size may come before there is anything to draw, and none follows.
        maintainAspectRatio: false,
        onClick: (_event, found) => {
          const [first] = found;
          const dot = first && this.chart.data.datasets[first.datasetIndex]?.data[first.index];
          const ref = (dot as Dot | undefined)?.ref;
          if (ref !== undefined) onPick?.(ref);
        },
      },
    };
    this.chart = new Chart(canvas, configuration);
  }

  draw(spec: ChartSpec, theme: Theme): void {
    const { chart } = this;
    // Options are resolved anew only when they may differ: that costs more than drawing.
    const shape = JSON.stringify([
      spec.kind,
      spec.xTitle,
      spec.yTitle,
      spec.logX,
      spec.percentY,
      theme,
      many(spec),
    ]);
    if (shape !== this.shape) {
      this.shape = shape;
      chart.options = { ...optionsOf(spec, theme), onClick: chart.options.onClick } as typeof chart.options;
    }
    if (spec.labels !== undefined) chart.data.labels = [...spec.labels];
    chart.data.datasets = spec.lines.map((line, i) =>
      Object.assign(chart.data.datasets[i] ?? { data: [] }, datasetOf(spec, line, i, theme)),
    );
    chart.update('none');
  }

  /** The picture as PNG, base64. */
  get png(): string {
    return this.chart.toBase64Image('image/png').replace(/^data:image\/png;base64,/, '');
  }

  dispose(): void {
    this.chart.destroy();
  }
}

/** Marks between whole numbers, as an axis without any dots has them, say nothing. */
function wholeCount(mark: number): string {
  const rounded = Number(mark.toPrecision(6));
  return Number.isInteger(rounded) ? count(rounded) : '';
}

function many(spec: ChartSpec): boolean {
  return spec.lines.length > MOST_IN_LEGEND;
}

function datasetOf(
  spec: ChartSpec,
  line: Line,
  index: number,
  theme: Theme,
): ChartDataset<'line' | 'bar' | 'scatter', unknown[]> {
  const color = colorOf(theme, index);
  const shared = { label: line.name, borderColor: color };
  switch (spec.kind) {
    case 'bars':
      return {
        ...shared,
        type: 'bar',
        data: line.points.map((point) => point.y),
        backgroundColor: line.strong === true ? color : 'transparent',
        borderColor: line.strong === true ? color : theme.quiet,
        borderWidth: 1,
        grouped: false,
        barPercentage: 0.75,
      };
    case 'scatter':
      return {
        ...shared,
        type: 'scatter',
        data: [...line.points],
        backgroundColor: color,
        showLine: line.joined === true,
        borderWidth: theme.lineWidth,
        pointRadius: line.strong === true ? 8 : 5,
        pointStyle: line.strong === true ? 'rectRot' : 'circle',
        pointHoverRadius: line.strong === true ? 10 : 7,
      };
    case 'line':
      return {
        ...shared,
        type: 'line',
        // The last on top: it is a broken one if there are few, and what lies under it is seen.
        order: -index,
        data: [...line.points],
        backgroundColor: color,
        borderWidth: many(spec) ? 1 : theme.lineWidth,
        borderDash: [...dashOf(theme, index, spec.lines.length)],
        pointRadius: !many(spec) && line.points.length <= FEW_POINTS ? 2 : 0,
        pointHitRadius: 6,
      };
  }
}

function optionsOf(spec: ChartSpec, theme: Theme): ChartOptions<'line' | 'bar' | 'scatter'> {
  const font = { family: theme.font, size: theme.fontSize };
  const ticks = { color: theme.text, font, maxTicksLimit: 8 };
  const grid = { color: theme.grid };
  const title = (text: string) => ({ display: text !== '', text, color: theme.text, font });
  const value = (y: number): string => (spec.percentY === true ? percent(y, 1) : plain(y));
  // No more digits than the step between two marks needs.
  const axisValue = (y: number): string =>
    spec.percentY === true ? `${Number((y * 100).toFixed(2))} %` : plain(Number(y.toPrecision(6)));
  const isBars = spec.kind === 'bars';
  const crowded = many(spec);
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    parsing: isBars ? undefined : false,
    normalized: true,
    indexAxis: isBars ? 'y' : 'x',
    interaction:
      spec.kind === 'line' && !crowded
        ? { mode: 'index', intersect: false }
        : { mode: 'nearest', intersect: !crowded && !isBars },
    plugins: {
      legend: {
        display: !crowded && (spec.lines.length > 1 || spec.kind === 'scatter'),
        position: 'bottom',
        reverse: spec.kind === 'line',
        labels: {
          color: theme.text,
          font,
          boxWidth: 18,
          boxHeight: spec.kind === 'scatter' ? 8 : 2,
          usePointStyle: spec.kind === 'scatter',
        },
      },
      tooltip: {
        itemSort: (a, b) => a.datasetIndex - b.datasetIndex,
        callbacks: {
          label: (item) => {
            const parsed = item.parsed as { x: number; y: number };
            return ` ${item.dataset.label ?? ''}: ${isBars ? count(parsed.x) : value(parsed.y)}`;
          },
        },
      },
    },
    scales: {
      x: {
        type: isBars ? 'linear' : spec.logX === true ? 'logarithmic' : 'linear',
        title: title(spec.xTitle),
        ticks: {
          ...ticks,
          callback: (tick) => (spec.logX === true ? wholeCount(Number(tick)) : plain(Number(tick))),
        },
        grid,
        beginAtZero: isBars,
      },
      y: isBars
        ? { type: 'category', ticks: { color: theme.text, font, autoSkip: false }, grid: { display: false } }
        : {
            type: 'linear',
            title: title(spec.yTitle),
            afterDataLimits: (scale) => {
              // Nothing is above all of it.
              if (spec.percentY === true && scale.max > 1) scale.max = 1;
            },
            ticks: { ...ticks, callback: (tick) => axisValue(Number(tick)) },
            grid,
            beginAtZero: spec.kind === 'line' && spec.percentY !== true,
          },
    },
  };
}
