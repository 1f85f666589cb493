import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { JournalEvent } from '../../../src/core/events';
import { resolveOptions } from '../../../src/core/parseOptions';
import type { Plan } from '../../../src/core/plan';
import type { RunHandle } from '../../../src/client/runHandle';
import type { StartSettings } from '../../../src/client/runs';
import type { CountingSettings } from './countingJob';

/** Temporary folders, plans and the bundled test backend. */

const made: string[] = [];

/** A folder of its own, removed by {@link removeFolders}. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sn-test-')));
  made.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

const bundles = new Map<string, string>();

/** Bundles a program beside this file as the real ones are bundled. @returns path of the script */
export function bundle(name: 'countingBackend' | 'owner' | 'letsGo' | 'watcher'): string {
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const folder = makeFolder();
  const path = bundleInto(folder, name, fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
  if (name === 'countingBackend') addSupervisor(folder);
  bundles.set(name, path);
  return path;
}

/** Puts the real supervisor into the folder of a backend. */
export function addSupervisor(folder: string): void {
  bundleInto(
    folder,
    'supervisor',
    fileURLToPath(new URL('../../../src/backend/supervisor/main.ts', import.meta.url)),
  );
}

function bundleInto(folder: string, name: string, entry: string): string {
  const esm = !['countingBackend', 'supervisor'].includes(name);
  const outfile = join(folder, esm ? `${name}.mjs` : `${name}.cjs`);
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: esm ? 'esm' : 'cjs',
    target: 'node20',
    logLevel: 'silent',
    // vscode-jsonrpc is CommonJS and asks for Node.js's own modules with require.
    ...(esm
      ? {
          banner: {
            js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);',
          },
        }
      : {}),
  });
  return outfile;
}

/** Another process that owns or watches a run. */
export interface OwnerProcess {
  readonly folder: string;
  /** Of the backend. */
  readonly pid: number;
  /** Of its supervisor, who leads the group. */
  readonly group: number;
  readonly process: ChildProcess;
}

/** Starts {@link file://./owner.ts} and waits until it sees the run train. */
export async function startOwner(
  settings: StartSettings | { readonly watch: string },
): Promise<OwnerProcess> {
  const owner = spawn(process.execPath, [bundle('owner'), JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    owner.stdout.once('data', (data: Buffer) => resolve(data.toString()));
    owner.once('exit', (code) => reject(new Error(`the owner ended with ${String(code)}`)));
  });
  return { ...(JSON.parse(line) as { folder: string; pid: number; group: number }), process: owner };
}

/** Waits until `read` gives what is wanted; the test's own time limit is the only one. */
export async function until<T>(read: () => Promise<T> | T, wanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function countingPlan(settings: Partial<CountingSettings> = {}): Plan {
  const code: CountingSettings = { steps: 40, checkpointEvery: 5, stepMs: 2, size: 64, ...settings };
  return {
    version: 1,
    file: '/project/model.ts',
    fileHash: '0'.repeat(64),
    language: 'typescript',
    model: 'mnist',
    program: { kind: 'slice', code: JSON.stringify(code) },
    sites: [],
    modelHint: {},
    onlyHinted: false,
  };
}

export const OPTIONS = resolveOptions([]);

/** Settings for `startRun` with the counting backend. */
export function startSettings(
  job: Partial<CountingSettings> = {},
  more: Partial<StartSettings> = {},
): StartSettings {
  return {
    runsFolder: join(makeFolder(), 'runs'),
    plan: countingPlan(job),
    options: OPTIONS,
    backendScript: bundle('countingBackend'),
    owner: 'attached',
    ...more,
  };
}

/** Every event of a handle, to the end of its run. */
export async function collect(handle: RunHandle): Promise<JournalEvent[]> {
  const all: JournalEvent[] = [];
  for await (const event of handle.events) all.push(event);
  return all;
}

/** The events of a handle as they come. */
export function hear(handle: RunHandle): readonly JournalEvent[] {
  const heard: JournalEvent[] = [];
  handle.onEvent((event) => heard.push(event));
  return heard;
}

/** Waits for an event of a kind. */
export async function heardOf(handle: RunHandle, type: JournalEvent['type']): Promise<void> {
  for await (const event of handle.events) if (event.type === type) return;
  throw new Error(`the run ended without a ${type}`);
}

/** What a run learned, without what differs between a run and the same run resumed. */
export function learnedEvents(events: readonly JournalEvent[]): unknown[] {
  return events
    .filter((event) => ['epoch', 'result'].includes(event.type))
    .map((event) => ({ ...event, seq: 0, at: 0, run: '' }));
}

/** Prints what docs/reliability.md quotes, when asked with SHRINKNETS_FIGURES=1. */
export function showFigure(text: string): void {
  if (process.env['SHRINKNETS_FIGURES'] === '1') process.stdout.write(`figure: ${text}\n`);
}
