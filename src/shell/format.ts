/** Numbers as people read them, in the terminal and in the editor. */

let whole: Intl.NumberFormat | undefined;

export function count(value: number): string {
  // Made when it is first needed: the first of a process loads its locales, which a window that opens would wait for.
  whole ??= new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  return whole.format(Math.round(value));
}

export function percent(share: number | undefined, digits = 2): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(digits)} %`;
}

export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${ms.toFixed(1)} ms`;
}

export function seconds(value: number): string {
  if (value < 90) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  return minutes < 90 ? `${minutes} min ${Math.round(value % 60)} s` : `${(value / 3600).toFixed(1)} h`;
}

/** Disk space, as lists of runs show it. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** "−93 %" from before and after. */
export function change(before: number, after: number): string {
  if (before === 0 || before === after) return '';
  const share = Math.round((after / before - 1) * 100);
  return share > 0 ? `+${share} %` : `−${-share} %`;
}
