import { execFile } from 'node:child_process';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { attachRun, startRun } from '../../src/client/runs';
import { EventFeed } from '../../src/client/eventFeed';
import type { JournalEvent } from '../../src/core/events';
import { readJournal } from '../../src/run/journal';
import { streamJournal } from '../../src/run/journalStream';
import { bundle, hear, makeFolder, removeFolders, showFigure, startSettings } from '../run/support/runs';

afterAll(removeFolders);

/** Events of the run; `SHRINKNETS_EVENTS=1000000` is a long one. */
const EVENTS = Number(process.env['SHRINKNETS_EVENTS'] ?? 150_000);
/** Too little for them all, at about 300 bytes each, beside the program itself. */
const HEAP_MB = 40;
const run = promisify(execFile);

describe('a run of very many events', () => {
  it(
    `(${EVENTS}) is trained and watched in ${HEAP_MB} MB of heap`,
    { timeout: 60_000 + EVENTS },
    async () => {
      const limit = `--max-old-space-size=${HEAP_MB}`;
      const settings = startSettings(
        { steps: 1_000, stepMs: 0, checkpointEvery: 200, chatter: Math.ceil(EVENTS / 1_000) },
        { execArgv: [limit] },
      );
      const handle = await startRun(settings);
      const watch = () => run(process.execPath, [limit, bundle('watcher'), handle.folder]);
      const live = await watch();
      expect(await handle.closed).toMatchObject({ state: 'done' });
      const { events } = await readJournal(handle.folder);
      expect(events.length).toBeGreaterThan(EVENTS);
      const all = { state: 'done', shown: 'done', events: events.length, late: events.length, inOrder: true };
      expect(JSON.parse(live.stdout)).toEqual(all);
      // And again from the disk alone.
      expect(JSON.parse((await watch()).stdout)).toEqual(all);
      const bytes = statSync(join(handle.folder, 'journal.jsonl')).size;
      showFigure(`${events.length} events (${Math.round(bytes / 1e6)} MB) in ${HEAP_MB} MB of heap`);
    },
  );
});

describe('a feed', () => {
  const event = (seq: number): JournalEvent => ({ seq, at: seq, type: 'warning', code: 'c', message: 'ü' });
  const line = (seq: number): string => `${JSON.stringify(event(seq))}\n`;
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => line(from + i)).join('');
  const write = (folder: string, text: string): void => appendFileSync(join(folder, 'journal.jsonl'), text);
  const seqs = (events: readonly JournalEvent[]): number[] => events.map(({ seq }) => seq);
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('reads from the disk what was not sent, and hears what was sent but could not be written', async () => {
    const folder = makeFolder();
    write(folder, lines(0, 3_000));
    const feed = new EventFeed(folder);
    const heard: JournalEvent[] = [];
    feed.onEvent((each) => heard.push(each));
    feed.skipTo(2_000);
    // Some come twice after a lost connection, some were left out.
    for (const seq of [1_990, 2_000, 2_001, 2_999]) feed.take(event(seq));
    feed.take(event(3_000));
    await feed.end();
    expect(seqs(heard)).toEqual(upTo(3_001));
  });

  it('goes on with what is sent when the disk has not any more what was', async () => {
    const feed = new EventFeed(join(makeFolder(), 'gone'));
    const heard: JournalEvent[] = [];
    feed.onEvent((each) => heard.push(each));
    feed.skipTo(10);
    feed.take(event(10));
    await feed.end();
    expect(seqs(heard)).toEqual([10]);
  });

  it('can be listened to and iterated late, and often', async () => {
    const handle = await startRun(startSettings({ steps: 40, chatter: 100 }));
    const first = hear(handle);
    await handle.closed;
    const later = hear(handle);
    const iterated: JournalEvent[] = [];
    for await (const each of handle.events) iterated.push(each);
    expect(iterated).toEqual((await readJournal(handle.folder)).events);
    expect(first).toEqual(iterated);
    expect(later).toEqual(iterated);
    const again = await attachRun(handle.folder);
    const fromDisk = hear(again);
    await again.closed;
    expect(fromDisk).toEqual(iterated);
  });

  it('of a journal in pieces is that of the whole, whatever is torn', async () => {
    const folder = makeFolder();
    const text = lines(0, 4_000);
    write(folder, `${text}{"seq":4000,"at":1,"type":"warn`);
    const streamed: number[] = [];
    for await (const { event: each, end } of streamJournal(folder)) {
      streamed.push(each.seq);
      if (each.seq === 1_999) expect(end).toBe(Buffer.byteLength(lines(0, 2_000)));
    }
    expect(streamed).toEqual(upTo(4_000));
    const offset = Buffer.byteLength(lines(0, 3_990));
    const rest: number[] = [];
    for await (const { event: each } of streamJournal(folder, { seq: 3_990, offset })) rest.push(each.seq);
    expect(rest).toEqual(upTo(4_000).slice(3_990));
  });
});
