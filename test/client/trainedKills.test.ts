import { afterAll, describe, expect, it } from 'vitest';
import { resumeRun, startRun } from '../../src/client/runs';
import type { RunHandle } from '../../src/client/runHandle';
import { collect, removeFolders, showFigure } from '../run/support/runs';
import { isBuilt, learned, trainingSettings, weightsOf } from './support/training';

afterAll(removeFolders);

/** Training itself, killed. More kills with e.g. SHRINKNETS_KILLS=100. */
const KILLS = Number(process.env['SHRINKNETS_KILLS'] ?? 4);
/** Of the moments: long runs can be split. */
const SEED = Number(process.env['SHRINKNETS_SEED'] ?? 1);
const KILLS_PER_RUN = 8;

function killNow(handle: RunHandle): void {
  try {
    if (handle.group !== undefined) process.kill(-handle.group, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}

describe.skipIf(!isBuilt)('training that is killed', () => {
  it.each([
    { what: 'cpu', engine: 'cpu', several: false },
    { what: 'wasm', engine: 'wasm', several: false },
    { what: 'wasm with several inputs and outputs', engine: 'wasm', several: true },
  ])(
    `ends with the same weights as if it had not been, on $what, after ${KILLS} kills`,
    async ({ what, engine, several }) => {
      const whole = await startRun(await trainingSettings(engine, { several }));
      const events = await collect(whole);
      const expected = learned(events);
      expect(await whole.closed).toMatchObject({ state: 'done' });
      const weights = weightsOf(whole.folder);
      expect(weights.size).toBeGreaterThan(0);
      const trainingMs = (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
      let kills = 0;
      let fromCheckpoint = 0;
      for (let seed = SEED; kills < KILLS;) {
        const settings = await trainingSettings(engine, { several });
        let handle = await startRun(settings);
        for (let killsHere = 0; ; killsHere += 1) {
          if (killsHere < KILLS_PER_RUN && kills < KILLS) {
            seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
            await new Promise((resolve) => setTimeout(resolve, (seed / 2 ** 32) * trainingMs));
            killNow(handle);
          }
          const end = await handle.closed;
          if (end.state === 'done') break;
          expect(end).toMatchObject({ state: 'interrupted', exit: { signal: 'SIGKILL' } });
          kills += 1;
          handle = await resumeRun(handle.folder, settings);
        }
        const told = await collect(handle);
        fromCheckpoint += told.filter((event) => event.type === 'start' && event.seq > 0).length;
        expect(learned(told)).toEqual(expected);
        expect(weightsOf(handle.folder)).toEqual(weights);
      }
      // A kill before the first checkpoint starts the run over; what is asked here is the others.
      if (KILLS >= 20) expect(fromCheckpoint).toBeGreaterThan(0);
      showFigure(`${what}: ${kills} kills, ${fromCheckpoint} checkpoints gone on from stand in the journals`);
    },
    120_000 + KILLS * 20_000,
  );
});
