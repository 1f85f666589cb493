import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { followRun } from '../../src/client/followRun';
import type { RunHandle } from '../../src/client/runHandle';
import { startRun } from '../../src/client/runs';
import type { JournalEvent } from '../../src/core/events';
import { findEngine } from '../../src/engine/registry';
import { hear, makeFolder, removeFolders } from '../run/support/runs';
import { useSoftwareGpu } from '../support/softwareGpu';
import { isBuilt, trainingSettings } from './support/training';

afterAll(removeFolders);

/**
 * Takes the device away as soon as the file is there, as a driver that is reset does. The engine keeps its device to
 * itself: it is met where it makes a buffer.
 */
const losing = (file: string): string => `
import { existsSync } from 'node:fs';
const looking = setInterval(() => {
  const device = globalThis.GPUDevice?.prototype;
  if (device === undefined) return;
  clearInterval(looking);
  const make = device.createBuffer;
  let lost = false;
  device.createBuffer = function (...given) {
    if (!lost && existsSync(${JSON.stringify(file)})) {
      lost = true;
      this.destroy();
    }
    return make.apply(this, given);
  };
}, 1);
`;

/** Writes the file when the run has a checkpoint. */
async function loseAfterCheckpoint(life: RunHandle, file: string): Promise<void> {
  for await (const { type } of life.events) if (type === 'checkpoint') return writeFileSync(file, '');
}

useSoftwareGpu();
// As foreign.test.ts: where SHRINKNETS_ENGINES names a folder with webgpu, on a graphics device in software.
const here = isBuilt && (await findEngine('webgpu').probe()).available;

it.skipIf(!here)(
  'a GPU that is lost is named, and the run goes on from its checkpoint with the next engine',
  async () => {
    const file = join(makeFolder(), 'lose');
    const first = await startRun(await trainingSettings('webgpu', { dataCode: losing(file) }));
    const before = hear(first);
    void loseAfterCheckpoint(first, file);
    const deaths: string[] = [];
    let after: readonly JournalEvent[] = [];
    const end = await followRun(first, (next, why) => {
      deaths.push(why);
      after = hear(next);
    });
    const how = 'ended (The engine webgpu failed in a step: its device was lost (';
    expect(deaths).toHaveLength(1);
    expect(deaths[0]).toContain(how);
    expect(end.state).toBe('done');
    const epochs = before.filter(({ type }) => type === 'epoch').length;
    expect(epochs).toBeGreaterThan(0);
    expect(after.findLast(({ type }) => type === 'start')).toHaveProperty('resumedFrom');
    const said = after.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
    expect(said.find((message) => message.includes(how))).toMatch(/It goes on without webgpu\.$/u);
    const engines = after.flatMap((event) => (event.type === 'engine' ? [event.name] : []));
    expect(engines.at(-1)).not.toBe('webgpu');
    expect(after.at(-1)).toMatchObject({ type: 'result', engine: engines.at(-1) });
  },
  120_000,
);
