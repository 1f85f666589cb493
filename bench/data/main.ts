import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { RunEvent } from '../../src/core/events';
import { seededRandom } from '../../src/core/random';

/**
 * A CSV file larger than the memory that rows may take: how long it takes to convert it and to train from it, and how
 * much memory that needs. Build first; `SHRINKNETS_MB` says how large the file is. It is deleted afterwards.
 */

const MB = Number(process.env['SHRINKNETS_MB'] ?? 512);
const COLUMNS = 40;
const CLASSES = 4;
const DATA_MEMORY_MB = 64;

const root = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-data-'));

async function writeCsv(file: string): Promise<number> {
  const out = createWriteStream(file);
  const random = seededRandom(1);
  const names = Array.from({ length: COLUMNS }, (_, i) => `f${i}`);
  out.write(`${names.join(',')},label\n`);
  let rows = 0;
  for (let bytes = 0; bytes < MB * 1e6;) {
    let text = '';
    for (let i = 0; i < 2000; i += 1, rows += 1) {
      const values = names.map(() => random() * 2 - 1);
      // The class depends on two sums, so that there is something to learn.
      const sum = (from: number): number => values.slice(from, from + 5).reduce((a, b) => a + b, 0);
      const label = (sum(0) > 0 ? 2 : 0) + (sum(5) > 0 ? 1 : 0);
      text += `${values.map((value) => value.toFixed(6)).join(',')},class${label}\n`;
    }
    bytes += text.length;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  return rows;
}

/** Bytes that the process that trains had in memory at most. */
function peakOfBackend(): number {
  try {
    const runs = path.join(folder, '.shrinknets', 'runs');
    const [run = ''] = readdirSync(runs).filter((name) => /^\d/.test(name));
    const lock = readdirSync(path.join(runs, run)).find((name) => name.includes('lock')) ?? '';
    const { pid } = JSON.parse(readFileSync(path.join(runs, run, lock), 'utf8')) as { pid: number };
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

try {
  const csv = path.join(folder, 'rows.csv');
  const rows = await writeCsv(csv);
  const bytes = statSync(csv).size;
  writeFileSync(
    path.join(folder, 'model.py'),
    `from torch import nn
# @shrink-model data=rows.csv input=[${COLUMNS}] epochs=1 finish=1 budget=50% batchSize=1024
model = nn.Sequential(nn.Linear(${COLUMNS}, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, ${CLASSES}))
loss_fn = nn.CrossEntropyLoss()
`,
  );
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...[path.join(root, 'dist/cli.cjs'), 'train', 'model.py', '--json'],
      ...['--data-memory', String(DATA_MEMORY_MB), ...process.argv.slice(2)],
    ],
    {
      cwd: folder,
      env: { ...process.env, SHRINKNETS_CACHE: path.join(folder, 'cache') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  let peak = 0;
  let convertedMs = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (convertedMs === 0 && output.includes('"type":"data"')) convertedMs = performance.now() - began;
  });
  const timer = setInterval(() => (peak = Math.max(peak, peakOfBackend())), 200);
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(timer);
  const events = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
  const result = events.find((event) => event.type === 'result');
  if (code !== 0 || result === undefined) throw new Error(`exit code ${code}: ${output.slice(-500)}`);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${(bytes / 1e6).toFixed(0)} MB of CSV, ${rows} rows of ${COLUMNS} numbers: ${((rows * COLUMNS * 4) / 1e6).toFixed(0)} MB as floats, of which ${DATA_MEMORY_MB} MB may lie in memory`,
  );
  console.log(
    `read and converted after ${(convertedMs / 1000).toFixed(0)} s, ${seconds.toFixed(0)} s in all with ${result.engine}; ` +
      `test accuracy ${((result.metrics.test.accuracy ?? 0) * 100).toFixed(1)} %; peak memory of the backend ${(peak / 1e6).toFixed(0)} MB; load ${loadavg()[0]?.toFixed(1) ?? ''}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
