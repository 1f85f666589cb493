import type { PanelWords } from '../src/protocol/webview';

/** What the extension writes into the page. */
export interface Boot {
  readonly folder: string;
  readonly words: PanelWords;
}

export function readBoot(): Boot {
  const text = document.getElementById('boot')?.textContent ?? '';
  return JSON.parse(text) as Boot;
}

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

export function count(value: number): string {
  return whole.format(Math.round(value));
}

export function percent(share: number | null | undefined, digits = 2): string {
  return share === null || share === undefined ? '–' : `${(share * 100).toFixed(digits)} %`;
}

/** "−93 %" */
export function change(before: number, after: number): string {
  if (before === 0 || before === after) return '0 %';
  const share = Math.round((after / before - 1) * 100);
  return share > 0 ? `+${share} %` : `−${-share} %`;
}

export function seconds(value: number): string {
  if (value < 90) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  return minutes < 90 ? `${minutes} min ${Math.round(value % 60)} s` : `${(value / 3600).toFixed(1)} h`;
}

/** A number as a table shows it: few digits, none lost that matter. */
export function plain(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return String(value);
  const isSmall = Math.abs(value) < 0.0001;
  return isSmall ? Number(value.toPrecision(4)).toExponential() : String(Number(value.toPrecision(6)));
}
