import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Recorder } from '../../src/backend/server/recorder';
import { ShrinkError } from '../../src/core/errors';
import type { RunEvent } from '../../src/core/events';
import { parseJournal } from '../../src/run/journal';
import { describeRun } from '../../src/run/listRuns';
import { restoreRun } from '../../src/run/restore';
import { createRun } from '../../src/run/runFolder';
import type { CrashingDisk, Luck } from './support/crashingDisk';
import { countingPlan, makeFolder, OPTIONS, removeFolders } from './support/runs';

/**
 * Power loss at every moment between two calls of the file system, with every unsynced part kept or lost. The disk is
 * simulated, since a real power loss cannot be had in a test; the calls and their order are those of the real code.
 */

const disk = await vi.hoisted(async () => {
  const { CrashingDisk: Disk } = await import('./support/crashingDisk');
  return new Disk();
});
vi.mock('node:fs', async (original) => disk.watchSync(await original()));
vi.mock('node:fs/promises', async (original) => disk.watch(await original()));

const checkpoint = (step: number) => ({
  step,
  state: { step },
  tensors: { w: { shape: [64], data: new Float32Array(64).fill(step) } },
});
const metrics = { loss: 0.5, accuracy: 0.9 };
const result = (run: string): RunEvent => ({
  type: 'result',
  run,
  model: 'mnist',
  layers: [],
  params: { before: 2, after: 1 },
  macs: { before: 2, after: 1 },
  metrics: { test: metrics, validation: metrics },
  points: [],
  chosen: 0,
  timings: { totalMs: 1, trunkMs: 1, finishMs: 1, inferenceMs: { before: 1, after: 1, batchSize: 1 } },
  outputDifference: 0,
  engine: 'cpu',
});
const WEIGHTS = Buffer.alloc(300, 7);

let folder: string;

async function resume(target: CrashingDisk): Promise<Recorder> {
  const restored = await restoreRun(folder);
  const recorder = new Recorder(folder, restored.journal, restored.history, (event) => {
    if (event.type === 'checkpoint') target.tell(`step ${event.step}`);
    if (event.type === 'result') target.tell('result');
  });
  recorder.emit({ type: 'start', version: 1, run: 'r', file: '/m.ts', model: 'm', mode: 'budget' });
  return recorder;
}

/** A run of two lives, from the making of its folder to its result. */
beforeAll(async () => {
  const root = makeFolder();
  disk.begin(root);
  folder = await createRun(join(root, 'runs'), { plan: countingPlan(), options: OPTIONS });
  disk.tell('made');
  const first = await resume(disk);
  for (let step = 1; step <= 5; step += 1) {
    first.emit({ type: 'warning', code: 'w', message: `before ${step}` });
    await first.saveCheckpoint(checkpoint(step));
  }
  first.emit({ type: 'warning', code: 'w', message: 'is learned again' });
  first.end();
  const second = await resume(disk);
  await second.saveCheckpoint(checkpoint(6));
  await second.writeFile('weights/model.bin', WEIGHTS);
  await second.writeFile('weights/points/1.bin', WEIGHTS);
  second.emit(result('r'));
  second.end();
  disk.end();
});
afterAll(removeFolders);

/** What is there of what nothing made durable. */
const LUCKS: Readonly<Record<string, Luck>> = {
  'nothing else': () => false,
  'everything else': () => true,
  'names without content': (operation) => operation.kind === 'name',
  'content without names': (operation) => operation.kind === 'write' || operation.kind === 'truncate',
  'one half of it': (_operation, index) => Math.imul(index + 1, 0x9e3779b1) >>> 31 === 0,
  'the other half': (_operation, index) => Math.imul(index + 1, 0x9e3779b1) >>> 31 === 1,
};

/** What must hold of a run's folder after a power loss. @param told what had been promised until then */
async function check(parent: string, told: readonly string[]): Promise<void> {
  const run = join(parent, folder.split('/').slice(-2).join('/'));
  if (!told.includes('made')) return;
  const { state } = await describeRun(run);
  if (told.includes('result')) {
    expect(state).toBe('done');
    expect(JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'))).toMatchObject({ type: 'result' });
    for (const file of ['model.bin', 'points/1.bin'])
      expect(readFileSync(join(run, 'weights', file)).equals(WEIGHTS)).toBe(true);
    return;
  }
  const promised = Math.max(0, ...told.map((what) => Number(/^step (\d+)$/.exec(what)?.[1] ?? 0)));
  try {
    const restored = await restoreRun(run);
    expect(restored.checkpoint?.step ?? 0).toBeGreaterThanOrEqual(promised);
    restored.journal.append({ type: 'warning', code: 'w', message: 'went on' });
    restored.journal.close();
    expect(parseJournal(readFileSync(join(run, 'journal.jsonl'))).lostBytes).toBe(0);
  } catch (error) {
    // The result may be there before anybody was told.
    if (!(error instanceof ShrinkError) || error.code !== 'run-done') throw error;
    expect(JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'))).toMatchObject({ type: 'result' });
  }
}

describe('after a power loss at any moment, when of what was not synced there is', () => {
  it.each(Object.keys(LUCKS))('%s, a run goes on from what was promised', async (name) => {
    const luck = LUCKS[name] ?? (() => false);
    const { length } = disk.operations;
    expect(length).toBeGreaterThan(80);
    const parent = makeFolder();
    for (let moment = 0; moment <= length; moment += 1) {
      const into = mkdtempSync(join(parent, 'm-'));
      mkdirSync(into, { recursive: true });
      disk.materialize(moment, luck, into);
      await check(into, disk.toldBefore(moment)).catch((error: unknown) => {
        const last = disk.operations[moment - 1];
        throw new Error(
          `after operation ${moment} (${JSON.stringify(last).slice(0, 200)}): ${String(error)}`,
        );
      });
      rmSync(into, { recursive: true });
    }
  });
});
