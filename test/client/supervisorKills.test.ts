import { afterAll, describe, expect, it } from 'vitest';
import { followRun } from '../../src/client/followRun';
import type { RunHandle } from '../../src/client/runHandle';
import { resumeRun, startRun } from '../../src/client/runs';
import { readCrashes } from '../../src/run/crashes';
import { readJournal } from '../../src/run/journal';
import { listRuns } from '../../src/run/listRuns';
import { readLiveLock, readLock } from '../../src/run/lock';
import { runningMembers } from '../../src/run/processGroup';
import { readStartTime } from '../../src/run/processIdentity';
import { collect, removeFolders, showFigure, until } from '../run/support/runs';
import { isBuilt, learned, trainingSettings, weightsOf } from './support/training';

afterAll(removeFolders);

/** Training whose supervisor is killed, alone or with its backend, in either order. More with e.g. SHRINKNETS_KILLS=100. */
const KILLS = Number(process.env['SHRINKNETS_KILLS'] ?? 6);
/** Of the moments: long runs can be split. */
const SEED = Number(process.env['SHRINKNETS_SEED'] ?? 1);
const KILLS_PER_RUN = 6;

type Way = 'supervisor' | 'supervisor, backend' | 'backend, supervisor';
const WAYS: readonly Way[] = ['supervisor', 'supervisor, backend', 'backend, supervisor'];

/** @returns whether there was such a process */
function kill(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

const isGone = async (pid: number): Promise<boolean> => (await readStartTime(pid)) === undefined;

describe.skipIf(!isBuilt)('training whose supervisor is killed', () => {
  it(
    `${KILLS} times loses nothing, leaves nobody behind, and ends with the same weights`,
    async () => {
      const whole = await startRun(await trainingSettings('wasm'));
      const events = await collect(whole);
      const expected = { learned: learned(events), weights: weightsOf(whole.folder) };
      const trainingMs = (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
      let seed = SEED;
      const random = (): number => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return seed / 2 ** 32;
      };
      const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      const counts: Record<Way, number> = {
        supervisor: 0,
        'supervisor, backend': 0,
        'backend, supervisor': 0,
      };
      let kills = 0;
      let resumes = 0;
      while (kills < KILLS) {
        const settings = await trainingSettings('wasm');
        let handle: RunHandle = await startRun(settings);
        const { folder } = handle;
        for (let killsHere = 0; ;) {
          const group = handle.group ?? 0;
          let way: Way | undefined;
          if (killsHere < KILLS_PER_RUN && kills < KILLS) {
            await wait(random() * trainingMs);
            const lock = await readLiveLock(folder);
            // A second death that its supervisor sees would be one of its engine, which another one then takes over from.
            const ways = (await readCrashes(folder)).length === 0 ? WAYS : WAYS.slice(0, 2);
            way = ways[Math.floor(random() * ways.length)] ?? 'supervisor';
            const [first, second] = way === 'backend, supervisor' ? [lock?.pid, group] : [group, lock?.pid];
            if (!kill(first)) way = undefined;
            else if (way !== 'supervisor') {
              await wait(random() * 200);
              kill(second);
              // A backend that the supervisor had started again meanwhile.
              kill((await readLiveLock(folder))?.pid);
            }
          }
          if (way !== undefined) {
            counts[way] += 1;
            kills += 1;
            killsHere += 1;
          }
          const end = await followRun(handle);
          if (end.state !== 'done')
            // A backend that was about to begin ends when it sees that its supervisor is gone.
            await until(
              () => runningMembers(group),
              (members) => members.length === 0,
            );
          if (end.state === 'done') break;
          expect(end.state).toBe('interrupted');
          expect(await readLiveLock(folder)).toBeUndefined();
          const before = (await readJournal(folder)).events.findLast(({ type }) => type === 'checkpoint');
          handle = await resumeRun(folder, settings);
          resumes += 1;
          // The work up to the last checkpoint is there.
          for await (const event of handle.events)
            if (event.seq === (before?.seq ?? 0)) {
              expect(event).toEqual(before ?? event);
              break;
            }
        }
        expect(learned((await readJournal(folder)).events)).toEqual(expected.learned);
        expect(weightsOf(folder)).toEqual(expected.weights);
        expect((await listRuns(settings.runsFolder)).map(({ state }) => state)).toEqual(['done']);
        expect(await readLock(folder)).toBeUndefined();
        expect(await isGone(handle.pid ?? 0)).toBe(true);
      }
      showFigure(`${kills} kills (${JSON.stringify(counts)}), ${resumes} resumed`);
    },
    120_000 + KILLS * 30_000,
  );
});
