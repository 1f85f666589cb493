/** Colours and fonts of the editor's theme, read from its variables. */
export interface Theme {
  readonly text: string;
  readonly grid: string;
  readonly background: string;
  readonly font: string;
  readonly fontSize: number;
  readonly lineWidth: number;
  readonly colors: readonly string[];
  /** Of what is there to compare with, e.g. the start. */
  readonly quiet: string;
}

const CHART_COLORS = ['blue', 'yellow', 'green', 'purple', 'red', 'orange'];
/** Patterns that tell lines apart when the colours are used up, or cannot be told apart. */
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [9, 3, 2, 3]];

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const variable = (name: string, other: string): string => {
    const value = style.getPropertyValue(`--vscode-${name}`).trim();
    return value === '' ? other : value;
  };
  const isContrast = document.body.matches('.vscode-high-contrast, .vscode-high-contrast-light');
  const text = variable('foreground', '#888888');
  return {
    text,
    grid: fade(text, isContrast ? 0.4 : 0.16),
    background: variable('editor-background', '#ffffff'),
    font: variable('font-family', 'sans-serif'),
    fontSize: 12,
    lineWidth: isContrast ? 2.5 : 1.8,
    colors: CHART_COLORS.map((name) => variable(`charts-${name}`, text)),
    quiet: isContrast ? text : fade(text, 0.45),
  };
}

export function colorOf(theme: Theme, index: number): string {
  return theme.colors[index % theme.colors.length] ?? theme.text;
}

/** @param lines how many there are: few may lie on each other, and a broken one shows what is under it */
export function dashOf(theme: Theme, index: number, lines: number): readonly number[] {
  const pattern = lines <= DASHES.length ? index : Math.floor(index / theme.colors.length);
  return DASHES[pattern % DASHES.length] ?? [];
}

/** A colour made less opaque, in a form that canvases, SVG and chart.js all read. */
function fade(color: string, share: number): string {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (context === null) return color;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 255] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${((alpha / 255) * share).toFixed(3)})`;
}
