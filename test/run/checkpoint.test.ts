import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../src/core/events';
import type { Checkpoint } from '../../src/core/job';
import { readCheckpoint, writeCheckpoint } from '../../src/run/checkpointFormat';
import {
  checkpointFile,
  chooseKept,
  deleteOtherCheckpoints,
  findLatestCheckpoint,
} from '../../src/run/checkpoints';
import { makeFolder, removeFolders, showFigure } from './support/runs';

afterAll(removeFolders);

const CHECKPOINT: Checkpoint = {
  step: 120,
  state: { λ: 0.5, order: [3, 1, 2], text: '"sha256":"' },
  tensors: {
    'dense/kernel': { shape: [2, 3], data: new Float32Array([1, -0, Number.NaN, 1e-45, Infinity, 6]) },
    10: { shape: [], data: new Float32Array([7]) },
    __proto__x: { shape: [0, 4], data: new Float32Array(0) },
    ['__proto__']: { shape: [1], data: new Float32Array([8]) },
  },
};

const bits = (data: Float32Array | undefined): number[] => [
  ...new Uint32Array(data?.slice().buffer ?? new ArrayBuffer(0)),
];

describe('a checkpoint', () => {
  it('comes back bit for bit', async () => {
    const path = join(makeFolder(), 'c');
    await writeCheckpoint(path, CHECKPOINT, { run: 'r', seq: 4 });
    const read = await readCheckpoint(path);
    expect(read).toMatchObject({ run: 'r', seq: 4, step: 120, state: CHECKPOINT.state });
    expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(CHECKPOINT.tensors).sort());
    for (const [name, tensor] of Object.entries(CHECKPOINT.tensors)) {
      expect(read.tensors[name]?.shape).toEqual(tensor.shape);
      expect(bits(read.tensors[name]?.data)).toEqual(bits(tensor.data));
    }
  });

  it('is laid out as safetensors', async () => {
    const path = join(makeFolder(), 'c');
    await writeCheckpoint(path, CHECKPOINT, { run: 'r', seq: 4 });
    const bytes = readFileSync(path);
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    expect(headerBytes % 8).toBe(0);
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, unknown>;
    expect(header['dense/kernel']).toEqual({ dtype: 'F32', shape: [2, 3], data_offsets: [4, 28] });
    expect(bytes.readFloatLE(8 + headerBytes + 4)).toBe(1);
    expect(bytes.byteLength).toBe(8 + headerBytes + 32);
  });

  it('is refused wherever it was cut off, and whichever byte is another', async () => {
    const path = join(makeFolder(), 'c');
    await writeCheckpoint(path, CHECKPOINT, { run: 'r', seq: 4 });
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.byteLength; length += 7) {
      writeFileSync(path, bytes.subarray(0, length));
      await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'checkpoint-damaged' });
    }
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      writeFileSync(path, changed);
      await expect(readCheckpoint(path), `byte ${at}`).rejects.toMatchObject({ code: 'checkpoint-damaged' });
    }
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('x')]));
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'checkpoint-damaged' });
  });

  it('is not written if a tensor does not fit its shape', async () => {
    const folder = makeFolder();
    const tensors = { a: { shape: [3], data: new Float32Array(2) } };
    await expect(
      writeCheckpoint(join(folder, 'c'), { step: 1, state: 0, tensors }, { run: 'r', seq: 0 }),
    ).rejects.toThrow('2 values for shape [3]');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not written into a folder that is gone', async () => {
    const path = join(makeFolder(), 'gone', 'c');
    await expect(writeCheckpoint(path, CHECKPOINT, { run: 'r', seq: 0 })).rejects.toMatchObject({
      kind: 'environment',
      code: 'folder-gone',
    });
  });
});

/** A run's folder with checkpoints at the given places of a journal. */
async function makeRun(seqs: readonly number[]): Promise<{ folder: string; events: JournalEvent[] }> {
  const folder = makeFolder();
  await mkdir(join(folder, 'checkpoints'));
  const events: JournalEvent[] = [];
  for (const seq of seqs) {
    const step = seq * 10;
    const file = checkpointFile(seq);
    await writeCheckpoint(
      join(folder, file),
      { step, state: seq, tensors: {} },
      { run: basename(folder), seq },
    );
    events.push({ type: 'checkpoint', seq, at: 0, file, step });
  }
  return { folder, events };
}

describe('the checkpoint a run goes on from', () => {
  it('is the newest; a half-written one is passed over with its reason', async () => {
    const { folder, events } = await makeRun([1, 2, 3]);
    expect((await findLatestCheckpoint(folder, events))?.checkpoint.state).toBe(3);
    truncateSync(join(folder, checkpointFile(3)), 60);
    const skipped: string[] = [];
    const found = await findLatestCheckpoint(folder, events, (event) => skipped.push(event.file));
    expect(found?.event.seq).toBe(2);
    expect(skipped).toEqual([checkpointFile(3)]);
  });

  it('is one that the journal names, of this run, at that step, inside the folder', async () => {
    const { folder, events } = await makeRun([1, 2]);
    const other = await makeRun([2]);
    const [one, two] = events;
    if (one?.type !== 'checkpoint' || two?.type !== 'checkpoint') throw new Error('two checkpoints');
    const latest = async (event: JournalEvent): Promise<number | undefined> =>
      (await findLatestCheckpoint(folder, [one, event]))?.event.seq;
    expect(await latest(two)).toBe(2);
    expect(await latest({ ...two, step: 21 })).toBe(1);
    expect(await latest({ ...two, file: one.file })).toBe(1);
    expect(await latest({ ...two, file: `../${basename(other.folder)}/${two.file}` })).toBe(1);
    expect(await latest({ ...two, file: join(folder, two.file) })).toBe(1);
    writeFileSync(join(folder, two.file), readFileSync(join(other.folder, two.file)));
    expect(await latest(two)).toBe(1);
    expect(await findLatestCheckpoint(folder, [])).toBeUndefined();
  });
});

describe('the checkpoints that are kept', () => {
  const checkpoint = (seq: number): JournalEvent => ({
    type: 'checkpoint',
    seq,
    at: 0,
    step: seq,
    file: checkpointFile(seq),
  });
  const epoch = (seq: number, accuracy: number): JournalEvent => ({
    type: 'epoch',
    seq,
    at: 0,
    phase: 'trunk',
    epoch: 1,
    epochs: 9,
    widths: {},
    params: 1,
    macs: 1,
    train: { loss: 1 },
    validation: { loss: 1, accuracy },
    stepMs: 1,
    lambda: 0,
  });

  it('are the last three and the best', () => {
    const events = [0.5, 0.9, 0.7, 0.6, 0.8].flatMap((accuracy, i) => [
      epoch(2 * i, accuracy),
      checkpoint(2 * i + 1),
    ]);
    expect([...chooseKept(events)].sort()).toEqual([3, 5, 7, 9].map(checkpointFile));
    expect([...chooseKept([checkpoint(1), checkpoint(2)])]).toHaveLength(2);
  });

  it('are all that is left, with no part of a write that was cut off', async () => {
    const { folder } = await makeRun([1, 2]);
    writeFileSync(join(folder, 'checkpoints', '.00000003.safetensors.abc.tmp'), 'half');
    writeFileSync(join(folder, 'checkpoints', 'notes.txt'), 'not ours');
    await deleteOtherCheckpoints(folder, new Set([checkpointFile(2)]));
    expect(readdirSync(join(folder, 'checkpoints')).sort()).toEqual(['00000002.safetensors', 'notes.txt']);
  });
});

describe('a checkpoint of a large model', () => {
  it('is written and read as a whole', async () => {
    const path = join(makeFolder(), 'c');
    const data = Float32Array.from({ length: 8_000_000 }, (_value, i) => i * 0.5);
    const start = performance.now();
    await writeCheckpoint(
      path,
      { step: 1, state: 0, tensors: { w: { shape: [8_000, 1_000], data } } },
      { run: 'r', seq: 0 },
    );
    const written = performance.now();
    const read = await readCheckpoint(path);
    const mebibytes = data.byteLength / 2 ** 20;
    const speed = (ms: number): number => Math.round((mebibytes / ms) * 1000);
    showFigure(
      `checkpoint of ${Math.round(mebibytes)} MiB: written durably at ${speed(written - start)} MiB/s`,
    );
    showFigure(`the same read and verified at ${speed(performance.now() - written)} MiB/s`);
    expect(
      Buffer.from(read.tensors['w']?.data.buffer ?? new ArrayBuffer(0)).equals(Buffer.from(data.buffer)),
    ).toBe(true);
  });
});
