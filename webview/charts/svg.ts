import { count, plain } from '../words';
import type { ChartSpec, Dot, Line } from './spec';
import { colorOf, dashOf, type Theme } from './theme';

/** The chart as a picture of lines and text that scales: for papers and slides. */

const WIDTH = 720;
const HEIGHT = 420;
const BOX = { left: 78, right: 20, top: 44, bottom: 76 };
const TICKS = 5;

export function toSvg(title: string, spec: ChartSpec, theme: Theme): string {
  const color = escape;
  const inner = spec.kind === 'bars' ? drawBars(spec, theme, color) : drawDots(spec, theme, color);
  const legend = spec.lines
    .slice(0, 12)
    .map(
      (line, i) =>
        `<rect x="${BOX.left + (i % 4) * 155}" y="${HEIGHT - 40 + Math.floor(i / 4) * 14}" width="14" height="3" fill="${color(colorOf(theme, i))}"/>` +
        `<text x="${BOX.left + (i % 4) * 155 + 19}" y="${HEIGHT - 35 + Math.floor(i / 4) * 14}">${escape(line.name)}</text>`,
    );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="${escape(theme.font)}" font-size="11" fill="${color(theme.text)}">`,
    `<title>${escape(title)}</title><desc>${escape(spec.summary)}</desc>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${color(theme.background)}"/>`,
    `<text x="${BOX.left}" y="24" font-size="15">${escape(title)}</text>`,
    inner,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function scale(values: readonly number[], from: number, to: number, log: boolean, zero: boolean): Scale {
  const finite = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const read = (value: number): number => (log ? Math.log10(value) : value);
  let low = Math.min(...finite.map(read), ...(zero && !log ? [0] : []));
  let high = Math.max(...finite.map(read));
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  if (high === low) [low, high] = [low - 0.5, high + 0.5];
  const ticks = log ? logTicks(low, high) : evenTicks(low, high);
  if (!log) [low, high] = [Math.min(low, ticks[0] ?? low), Math.max(high, ticks.at(-1) ?? high)];
  return { at: (value) => from + ((read(value) - low) / (high - low)) * (to - from), ticks };
}

/** Round numbers from the one below `low` to the one above `high`. */
function evenTicks(low: number, high: number): number[] {
  const rough = (high - low) / TICKS;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 of every decade. @param low and @param high logarithms to base 10 */
function logTicks(low: number, high: number): number[] {
  const decades = Array.from(
    { length: Math.ceil(high) - Math.floor(low) + 1 },
    (_, i) => Math.floor(low) + i,
  );
  return decades
    .flatMap((decade) => [1, 2, 5].map((factor) => Number((factor * 10 ** decade).toPrecision(12))))
    .filter((tick) => Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9);
}

function drawDots(spec: ChartSpec, theme: Theme, color: (name: string) => string): string {
  const all = spec.lines.flatMap((line) => line.points);
  const isLog = spec.logX === true;
  const x = scale(all.map(readX), BOX.left, WIDTH - BOX.right, isLog, false);
  const startsAtZero = spec.kind === 'line' && spec.percentY !== true;
  const y = scale(all.map(readY), HEIGHT - BOX.bottom, BOX.top, false, startsAtZero);
  const show = (value: number): string =>
    spec.percentY === true ? `${Number((value * 100).toFixed(2))} %` : plain(Number(value.toPrecision(3)));
  const grid = [
    ...y.ticks.map(
      (tick) =>
        `<path d="M${BOX.left} ${y.at(tick).toFixed(1)}H${WIDTH - BOX.right}" stroke="${color(theme.grid)}"/>` +
        `<text x="${BOX.left - 6}" y="${(y.at(tick) + 4).toFixed(1)}" text-anchor="end">${show(tick)}</text>`,
    ),
    ...x.ticks.map(
      (tick) =>
        `<text x="${x.at(tick).toFixed(1)}" y="${HEIGHT - BOX.bottom + 15}" text-anchor="middle">${isLog ? count(tick) : plain(Number(tick.toPrecision(3)))}</text>`,
    ),
    `<text x="${WIDTH - BOX.right}" y="${HEIGHT - BOX.bottom + 29}" text-anchor="end">${escape(spec.xTitle)}</text>`,
    `<text x="${BOX.left}" y="${BOX.top - 8}">${escape(spec.yTitle)}</text>`,
  ];
  const place = (dot: Dot): string => `${x.at(dot.x).toFixed(1)} ${y.at(dot.y).toFixed(1)}`;
  const drawn = spec.lines.map((line, i) => {
    const paint = color(colorOf(theme, i));
    if (spec.kind === 'scatter')
      return line.points
        .map(
          (dot) =>
            `<circle cx="${x.at(dot.x).toFixed(1)}" cy="${y.at(dot.y).toFixed(1)}" r="${line.strong === true ? 7 : 4.5}" fill="${paint}"/>`,
        )
        .concat(
          line.joined === true
            ? `<path d="${pathOf(line, place)}" fill="none" stroke="${paint}" stroke-width="1.8"/>`
            : '',
        )
        .join('');
    const dash = dashOf(theme, i, spec.lines.length).join(' ');
    return `<path d="${pathOf(line, place)}" fill="none" stroke="${paint}" stroke-width="1.8"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`;
  });
  return [...grid, ...drawn].join('\n');
}

function pathOf(line: Line, place: (dot: Dot) => string): string {
  let isFirst = true;
  return line.points
    .map((dot) => {
      const text = Number.isFinite(dot.y) ? `${isFirst ? 'M' : 'L'}${place(dot)}` : '';
      isFirst = text === '';
      return text;
    })
    .join('');
}

function drawBars(spec: ChartSpec, theme: Theme, color: (name: string) => string): string {
  const labels = spec.labels ?? [];
  const x = scale(
    spec.lines.flatMap((line) => line.points.map(readY)),
    180,
    WIDTH - BOX.right,
    false,
    true,
  );
  const height = (HEIGHT - BOX.top - BOX.bottom) / Math.max(1, labels.length);
  return labels
    .map((label, i) => {
      const top = BOX.top + i * height;
      const bars = spec.lines.map((line, index) => {
        const width = Math.max(0, x.at(line.points[i]?.y ?? 0) - 180);
        const paint = line.strong === true ? color(colorOf(theme, index)) : 'none';
        return `<rect x="180" y="${(top + height * 0.15).toFixed(1)}" width="${width.toFixed(1)}" height="${(height * 0.7).toFixed(1)}" fill="${paint}" stroke="${color(theme.quiet)}"/>`;
      });
      const values = spec.lines.map((line) => plain(line.points[i]?.y ?? null)).join(' / ');
      return `<text x="172" y="${(top + height / 2 + 4).toFixed(1)}" text-anchor="end">${escape(label)} ${values}</text>${bars.join('')}`;
    })
    .join('\n');
}

function readX(dot: Dot): number {
  return dot.x;
}

function readY(dot: Dot): number {
  return dot.y;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
