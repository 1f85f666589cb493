// Draws what a command printed as an SVG picture: `FORCE_COLOR=1 COMMAND | node scripts/terminalPicture.mjs FILE "COMMAND"`.
import { readFileSync, writeFileSync } from 'node:fs';

const [file, command] = process.argv.slice(2);
if (file === undefined || command === undefined) {
  console.error('usage: … | node scripts/terminalPicture.mjs FILE.svg "the command"');
  process.exit(2);
}

const COLORS = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#76e3ea' };
const WIDTH = 7.83;
const HEIGHT = 18;
const MARGIN = 18;

const lines = readFileSync(0, 'utf8').trimEnd().split('\n');
// Spaces that do not collapse, or the columns would.
const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** One line as spans; the state of bold, dim and colour ends with the line, as the command line prints it. */
function draw(line, y) {
  let bold = false;
  let dim = false;
  let color;
  let column = 0;
  const spans = [];
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    const code = /^\u001b\[([0-9;]*)m$/.exec(part);
    if (code === null) {
      if (part.trim() !== '') {
        const style = [
          bold && 'font-weight="700"',
          dim && 'opacity="0.65"',
          color && `fill="${color}"`,
        ].filter(Boolean);
        const lead = part.length - part.trimStart().length;
        const x = (MARGIN + (column + lead) * WIDTH).toFixed(1);
        const text = part.trim();
        spans.push(
          `<text x="${x}" y="${y}" textLength="${(text.length * WIDTH).toFixed(1)}" ${style.join(' ')}>${escape(text).replace(/ /g, '\u00a0')}</text>`,
        );
      }
      column += part.length;
      continue;
    }
    for (const number of code[1].split(';').map(Number)) {
      if (number === 1) bold = true;
      else if (number === 2) dim = true;
      else if (number === 22) bold = dim = false;
      else if (number === 39 || number === 0) color = undefined;
      else color = COLORS[number] ?? color;
    }
  }
  return spans.join('');
}

const plain = (line) => line.replace(/\u001b\[[0-9;]*m/g, '');
const all = [`\u001b[32m$\u001b[39m \u001b[1m${command}\u001b[22m`, '', ...lines];
const columns = Math.max(...all.map((line) => plain(line).length));
const width = Math.ceil(columns * WIDTH + 2 * MARGIN);
const height = all.length * HEIGHT + 2 * MARGIN;
writeFileSync(
  file,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Output of ${escape(command)}">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g xml:space="preserve" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#e6edf3">
${all
  .map((line, i) => draw(line, MARGIN + (i + 0.75) * HEIGHT))
  .filter((text) => text !== '')
  .join('\n')}
</g>
</svg>
`,
);
