// Draws what a command printed as a picture for the documentation:
//   FORCE_COLOR=1 npm start --silent | node scripts/terminalImage.mjs "npm start" > docs/images/mnist.svg
import { text } from 'node:stream/consumers';

const CELL = 7.83;
const LINE = 18;
const MARGIN = 18;
const COLORS = { 31: '#ff7b72', 32: '#7ee787', 33: '#d29922', 36: '#79c0ff' };
const DIM = '#8b949e';

const escape = (value) => value.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

/** Pieces of a line that look alike, with the column that each begins in. */
function* pieces(line) {
  let style = {};
  let column = 0;
  // eslint-disable-next-line no-control-regex -- the escape character begins a change of style
  for (const part of line.split(/(\u001b\[\d+m)/)) {
    // eslint-disable-next-line no-control-regex -- as above
    const code = Number(/^\u001b\[(\d+)m$/.exec(part)?.[1] ?? Number.NaN);
    if (Number.isNaN(code)) {
      // Gaps are left out, so that every piece stands in its column whatever the font.
      for (const { 0: word, index } of part.matchAll(/\S+(?: \S+)*/g))
        yield { word, column: column + index, style };
      column += part.length;
    } else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, color: DIM };
    else if (code === 22) style = style.color === DIM ? {} : { color: style.color };
    else if (code === 39) style = { bold: style.bold };
    else if (code in COLORS) style = { ...style, color: COLORS[code] };
    else style = {};
  }
}

const [command = ''] = process.argv.slice(2);
const printed = `\u001b[32m$\u001b[39m \u001b[1m${command}\u001b[22m\n\n${(await text(process.stdin)).trimEnd()}`;
const lines = printed.split('\n');
// eslint-disable-next-line no-control-regex -- styles take no room
const width = Math.max(...lines.map((line) => line.replace(/\u001b\[\d+m/g, '').length));
const size = [Math.ceil(2 * MARGIN + width * CELL), 2 * MARGIN + lines.length * LINE];
const drawn = lines.flatMap((line, row) =>
  [...pieces(line)].map(({ word, column, style }) => {
    const place = `x="${(MARGIN + column * CELL).toFixed(1)}" y="${MARGIN + LINE * (row + 0.75)}" textLength="${(word.length * CELL).toFixed(1)}"`;
    const look = `${style.color === undefined ? '' : ` fill="${style.color}"`}${style.bold ? ' font-weight="700"' : ''}`;
    return `<text ${place}${look}>${escape(word)}</text>`;
  }),
);
process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(' ')}" width="${size[0]}" height="${size[1]}" role="img" aria-label="Output of ${escape(command)}">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g xml:space="preserve" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#e6edf3">
${drawn.join('\n')}
</g>
</svg>
`);
