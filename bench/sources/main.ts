import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';

/**
 * How long `shrinknets check` takes over a folder of model files: TensorFlow.js, Keras and PyTorch in turn, 300 lines
 * each. Build first; `SHRINKNETS_FILES` says how many there are.
 */

const FILES = Number(process.env['SHRINKNETS_FILES'] ?? 1000);
const LINES = 300;
const LIMIT_S = 10;

const root = path.resolve(import.meta.dirname, '../..');
const golden = path.join(root, 'test/golden');

/** Code of the kind that stands around models, one function after the other. */
const AROUND: Readonly<Record<string, (n: number) => string>> = {
  '.py': (n) => `

def evaluate_${n}(loader, threshold=0.${n % 9}):
    correct, total = 0, ${n}
    for index, (inputs, labels) in enumerate(loader):
        if index > 100 and threshold > 0.5:
            break
        total += len(labels)
        correct += sum(1 for a, b in zip(inputs, labels) if a == b)
    print(f"accuracy {correct / total:.3f} of {total}")
    return {"correct": correct, "total": total, "share": correct / max(1, total)}
`,
  '.ts': (n) => `
export async function showResults${n}(rows, { limit = ${n}, title = 'Results' } = {}) {
  const shown = rows.filter((row, index) => index < limit && row.value > 0.${n % 9});
  for (const { name, value } of shown) {
    const element = document.createElement('li');
    element.textContent = \`\${title}: \${name} \${(value * 100).toFixed(1)} %\`;
    document.getElementById('results').append(element);
  }
  return shown.map(({ value }) => value).reduce((sum, value) => sum + value, 0);
}
`,
};

function lengthen(text: string, ending: string): string {
  const around = AROUND[ending === '.py' ? '.py' : '.ts'];
  let out = text;
  for (let n = 0; out.split('\n').length < LINES; n += 1) out += around?.(n) ?? '\n';
  return out;
}

const models = readdirSync(golden, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:ts|js|py)$/.test(name))
  .sort()
  .map((name) => ({ ending: path.extname(name), text: readFileSync(path.join(golden, name), 'utf8') }));
const scripts = models.filter(({ ending }) => ending !== '.py');
const torch = models.filter(({ ending, text }) => ending === '.py' && text.includes('torch'));
const keras = models.filter(({ ending, text }) => ending === '.py' && text.includes('keras'));

const folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-sources-'));
try {
  for (let n = 0; n < FILES; n += 1) {
    const kind = [scripts, torch, keras][n % 3] ?? scripts;
    const { ending, text } = kind[Math.floor(n / 3) % kind.length] ?? { ending: '.py', text: '' };
    const inside = path.join(folder, `part${n % 20}`);
    mkdirSync(inside, { recursive: true });
    writeFileSync(path.join(inside, `model${n}${ending}`), lengthen(text, ending));
  }
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'dist/cli.cjs'), 'check', folder],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const seconds = (performance.now() - began) / 1000;
  const last = stdout.trim().split('\n').at(-1) ?? '';
  console.log(`${last}; exit code ${status ?? 'none'}${stderr === '' ? '' : `; ${stderr.slice(0, 300)}`}`);
  console.log(
    `${seconds.toFixed(1)} s for ${FILES} files of ${LINES} lines: ${((seconds * 1000) / FILES).toFixed(1)} ms a file, ` +
      `${(seconds / LIMIT_S).toFixed(2)} of the ${LIMIT_S} s that are wanted; load ${loadavg()[0]?.toFixed(1) ?? ''}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
