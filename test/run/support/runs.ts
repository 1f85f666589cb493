import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { JournalEvent } from '../../../src/core/events';
import { resolveOptions } from '../../../src/core/options';
import type { Plan } from '../../../src/core/plan';
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

let bundle: string | undefined;

/** Bundles the test backend as the real one is bundled. */
export function bundleBackend(): string {
  if (bundle !== undefined) return bundle;
  const outfile = join(makeFolder(), 'backend.cjs');
  buildSync({
    entryPoints: [fileURLToPath(new URL('countingBackend.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'silent',
  });
  bundle = outfile;
  return outfile;
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
    backendScript: bundleBackend(),
    owner: 'attached',
    ...more,
  };
}

/** What a run learned, without what differs between a run and the same run resumed. */
export function learnedEvents(events: readonly JournalEvent[]): unknown[] {
  return events
    .filter((event) => ['epoch', 'result'].includes(event.type))
    .map((event) => ({ ...event, seq: 0, at: 0, run: '' }));
}
