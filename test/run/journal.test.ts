import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/core/events';
import { JournalWriter, parseJournal, readJournal } from '../../src/run/journal';
import { makeFolder, removeFolders } from './support/runs';

afterAll(removeFolders);
afterEach(() => {
  vi.useRealTimers();
});

const START: RunEvent = {
  type: 'start',
  version: 1,
  run: 'r',
  file: '/m.ts',
  model: 'm',
  mode: 'budget',
};
const warning = (message: string): RunEvent => ({ type: 'warning', code: 'test', message });

async function write(folder: string, events: readonly RunEvent[]): Promise<void> {
  const content = await readJournal(folder);
  const journal = JournalWriter.open(folder, content, content.events.length);
  for (const event of events) journal.append(event);
  journal.close();
}

const messages = async (folder: string): Promise<string[]> =>
  (await readJournal(folder)).events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));

describe('the journal', () => {
  it('numbers events from 0 without gaps, over several writers', async () => {
    const folder = makeFolder();
    await write(folder, [START, warning('ü – 漢')]);
    await write(folder, [warning('b')]);
    expect((await readJournal(folder)).events.map((event) => event.seq)).toEqual([0, 1, 2]);
    expect(await messages(folder)).toEqual(['ü – 漢', 'b']);
  });

  it('drops a last line that is torn, at every place it can be torn', async () => {
    const folder = makeFolder();
    await write(folder, [START, warning('kept'), warning('torn')]);
    const bytes = readFileSync(join(folder, 'journal.jsonl'));
    const { ends } = parseJournal(bytes);
    for (let length = ends[1] ?? 0; length < bytes.byteLength; length += 1) {
      const torn = parseJournal(bytes.subarray(0, length));
      expect(torn.events).toHaveLength(2);
      expect(torn.lostBytes).toBe(length - (ends[1] ?? 0));
    }
  });

  it('writes over a torn line', async () => {
    const folder = makeFolder();
    await write(folder, [START, warning('a')]);
    appendFileSync(join(folder, 'journal.jsonl'), '{"seq":2,"at":1,"type":"warn');
    await write(folder, [warning('b')]);
    expect(await messages(folder)).toEqual(['a', 'b']);
    expect((await readJournal(folder)).lostBytes).toBe(0);
  });

  it('ends where a line is damaged or out of order', async () => {
    const folder = makeFolder();
    await write(folder, [START, warning('a'), warning('b'), warning('c')]);
    const lines = readFileSync(join(folder, 'journal.jsonl'), 'utf8').split('\n');
    const withLine = (line: string): number =>
      parseJournal(Buffer.from(lines.with(2, line).join('\n'))).events.length;
    expect(withLine(lines[2] ?? '')).toBe(4);
    expect(withLine('')).toBe(2);
    expect(withLine('null')).toBe(2);
    expect(withLine((lines[2] ?? '').replace('"seq":2', '"seq":7'))).toBe(2);
    expect(withLine((lines[2] ?? '').replace('"warning"', '"unheard-of"'))).toBe(2);
  });

  it('keeps its time from going back when the clock does', async () => {
    const folder = makeFolder();
    vi.useFakeTimers({ toFake: ['Date'], now: 2_000 });
    await write(folder, [START]);
    vi.setSystemTime(1_000);
    await write(folder, [warning('later')]);
    expect((await readJournal(folder)).events.map((event) => event.at)).toEqual([2_000, 2_000]);
  });

  it('keeps numbers that are none', async () => {
    const folder = makeFolder();
    const metrics = { loss: Number.NaN };
    await write(folder, [
      START,
      {
        type: 'epoch',
        phase: 'trunk',
        epoch: 1,
        epochs: 1,
        widths: {},
        params: 1,
        macs: 1,
        train: metrics,
        validation: { loss: Number.POSITIVE_INFINITY },
        stepMs: 1,
        lambda: 0,
      },
    ]);
    const event = (await readJournal(folder)).events[1];
    expect(event).toMatchObject({ train: metrics, validation: { loss: Number.NaN } });
  });

  it('does not take what no reader would', async () => {
    const folder = makeFolder();
    const broken = { type: 'engine', name: 'cpu' } as unknown as RunEvent;
    await expect(write(folder, [START, broken])).rejects.toThrow('The event engine has not the shape');
    expect((await readJournal(folder)).events).toHaveLength(1);
  });

  it('refuses what a newer version wrote, whatever its events look like', () => {
    const text = '{"seq":0,"at":1,"type":"begin","version":2}\n';
    expect(() => parseJournal(Buffer.from(text))).toThrow(/newer ShrinkNets \(journal version 2/);
  });

  it('says that a folder is gone or cannot be written', async () => {
    const content = { events: [], ends: [], lostBytes: 0 };
    expect(() => JournalWriter.open(join(makeFolder(), 'gone'), content, 0)).toThrow(/not there/);
    const folder = makeFolder();
    mkdirSync(join(folder, 'journal.jsonl'));
    await expect(readJournal(folder)).rejects.toMatchObject({ code: 'file-error' });
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    expect(() => JournalWriter.open(file, content, 0)).toThrow(/not there/);
  });
});
