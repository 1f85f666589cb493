import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { resumeRun, startRun, type StartSettings } from '../../src/client/runs';
import type { RunHandle } from '../../src/client/runHandle';
import type { JournalEvent } from '../../src/core/events';
import { readJournal } from '../../src/run/journal';
import { readLock } from '../../src/run/lock';
import { collect, learnedEvents, removeFolders, startSettings } from '../run/support/runs';

afterAll(removeFolders);

/** Kills in all; more are made with e.g. SHRINKNETS_KILLS=100. */
const KILLS = Number(process.env['SHRINKNETS_KILLS'] ?? 24);
const JOB = { steps: 60, checkpointEvery: 5, stepMs: 2, size: 20_000 };
/** A run that is killed more often than this is left to end. */
const KILLS_PER_RUN = 6;

function signalNow(handle: RunHandle): void {
  if (handle.group === undefined) return;
  try {
    process.kill(-handle.group, 'SIGKILL');
  } catch {
    // It was quicker: this kill does not count.
  }
}

const lastStep = (events: readonly JournalEvent[]): number =>
  events.findLast((event) => event.type === 'checkpoint')?.step ?? 0;

/** A repeatable sequence of moments. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a run that is killed at random moments', () => {
  it(`ends as one never interrupted, after ${KILLS} kills`, async () => {
    const whole = await startRun(startSettings(JOB));
    const expected = learnedEvents(await collect(whole));
    const weights = readFileSync(join(whole.folder, 'weights/final.bin'));
    const random = makeRandom(20261122);
    let kills = 0;
    while (kills < KILLS) {
      const settings: StartSettings = startSettings(JOB);
      let handle = await startRun(settings);
      for (let killsHere = 0; ;) {
        if (killsHere < KILLS_PER_RUN && kills < KILLS) {
          await new Promise((resolve) => setTimeout(resolve, random() * 120));
          signalNow(handle);
        }
        const end = await handle.closed;
        if (end.state === 'done') break;
        expect(end).toMatchObject({ state: 'interrupted', exit: { signal: 'SIGKILL' } });
        kills += 1;
        killsHere += 1;
        const before = (await readJournal(handle.folder)).events;
        handle = await resumeRun(handle.folder, settings);
        // Nothing before the last checkpoint is lost.
        const firstEvents: JournalEvent[] = [];
        for await (const event of handle.events) {
          firstEvents.push(event);
          if (event.type === 'start' && event.seq >= lastCheckpointEnd(before)) break;
        }
        expect(lastStep(firstEvents)).toBe(lastStep(before));
      }
      expect(learnedEvents(await collect(handle))).toEqual(expected);
      expect(readFileSync(join(handle.folder, 'weights/final.bin')).equals(weights)).toBe(true);
      // A kill may also come between the result and the end of the process.
      if ((await handle.closed).exit?.signal === null) expect(leftovers(handle.folder)).toEqual([]);
      expect(await readLock(handle.folder)).toBeUndefined();
    }
  }, 600_000);
});

function lastCheckpointEnd(events: readonly JournalEvent[]): number {
  return (events.findLast((event) => event.type === 'checkpoint')?.seq ?? -1) + 1;
}

/** Names in a run's folder that an ended run has no use for. */
function leftovers(folder: string): string[] {
  return [...readdirSync(folder), ...readdirSync(join(folder, 'checkpoints'))].filter(
    (name) => name.startsWith('.') || name.startsWith('lock'),
  );
}
