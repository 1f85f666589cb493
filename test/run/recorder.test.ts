import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Recorder } from '../../src/backend/server/recorder';
import type { JournalEvent, RunEvent } from '../../src/core/events';
import type { Checkpoint } from '../../src/core/job';
import { readCheckpoint } from '../../src/run/checkpointFormat';
import { readJournal } from '../../src/run/journal';
import { restoreRun } from '../../src/run/restore';
import { makeFolder, removeFolders } from './support/runs';

afterAll(removeFolders);

const warning = (message: string): RunEvent => ({ type: 'warning', code: 'w', message });
const checkpoint = (step: number): Checkpoint => ({
  step,
  state: { step },
  tensors: { w: { shape: [1000], data: new Float32Array(1000).fill(step) } },
});

async function open(
  folder = makeFolder(),
): Promise<{ folder: string; recorder: Recorder; heard: JournalEvent[] }> {
  mkdirSync(join(folder, 'checkpoints'), { recursive: true });
  const restored = await restoreRun(folder);
  const heard: JournalEvent[] = [];
  const recorder = new Recorder(folder, restored.journal, restored.history, (event) => heard.push(event));
  return { folder, recorder, heard };
}

const told = (event: JournalEvent): string =>
  event.type === 'warning'
    ? event.message
    : event.type === 'checkpoint'
      ? `checkpoint ${event.step}`
      : event.type;

describe('the recorder', () => {
  it('puts events that come while a checkpoint is written behind its event', async () => {
    const { folder, recorder, heard } = await open();
    recorder.emit(warning('before'));
    const saved = recorder.saveCheckpoint(checkpoint(1));
    await Promise.resolve();
    recorder.emit(warning('meanwhile'));
    await saved;
    recorder.emit(warning('after'));
    recorder.end();
    expect(heard.map(told)).toEqual(['before', 'checkpoint 1', 'meanwhile', 'after']);
    expect((await readJournal(folder)).events).toEqual(heard);
    const again = await open(folder);
    expect(again.recorder.recent.from(0).map(told)).toEqual(['before', 'checkpoint 1']);
    again.recorder.end();
  });

  it('writes checkpoints one at a time, each with its own file, though they are of one step', async () => {
    const { folder, recorder, heard } = await open();
    await Promise.all([1, 1, 2].map((step) => recorder.saveCheckpoint(checkpoint(step))));
    recorder.end();
    expect(heard.map(told)).toEqual(['checkpoint 1', 'checkpoint 1', 'checkpoint 2']);
    for (const event of heard)
      if (event.type === 'checkpoint')
        expect(await readCheckpoint(join(folder, event.file))).toMatchObject({
          run: basename(folder),
          seq: event.seq,
          step: event.step,
        });
  });

  it('writes files of the result inside the folder, and none of its own', async () => {
    const { folder, recorder } = await open();
    await recorder.writeFile('weights/a/b.bin', new Uint8Array([1, 2]));
    expect([...readFileSync(join(folder, 'weights/a/b.bin'))]).toEqual([1, 2]);
    for (const path of ['journal.jsonl', 'lock', 'plan.json', 'checkpoints/x'])
      await expect(recorder.writeFile(path, ''), path).rejects.toMatchObject({ code: 'path-reserved' });
    await expect(recorder.writeFile('../x', '')).rejects.toMatchObject({ code: 'path-outside' });
    recorder.end();
  });

  it('ends with one last event, and takes nothing after it', async () => {
    const { folder, recorder, heard } = await open();
    await recorder.reserve();
    expect(recorder.close({ type: 'stopped', message: 'asked' })).toMatchObject({ seq: 0, type: 'stopped' });
    expect(recorder.close({ type: 'stopped', message: 'again' })).toBeUndefined();
    expect(() => recorder.emit(warning('late'))).toThrow('has ended');
    await expect(recorder.saveCheckpoint(checkpoint(1))).rejects.toThrow('has ended');
    expect(heard).toHaveLength(1);
    await recorder.giveBackReserve();
    expect(readdirSync(folder).sort()).toEqual(['checkpoints', 'journal.jsonl']);
  });

  it('fails a checkpoint whose folder is gone, and goes on with events', async () => {
    const { folder, recorder, heard } = await open();
    rmSync(join(folder, 'checkpoints'), { recursive: true });
    await expect(recorder.saveCheckpoint(checkpoint(1))).rejects.toMatchObject({ code: 'folder-gone' });
    recorder.emit(warning('after'));
    recorder.end();
    expect(heard.map(told)).toEqual(['after']);
    expect(readdirSync(folder)).toEqual(['journal.jsonl']);
  });
});
