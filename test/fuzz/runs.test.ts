import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { PassThrough } from 'node:stream';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Clients } from '../../src/backend/server/clients';
import { ShrinkError } from '../../src/core/errors';
import type { JournalEvent } from '../../src/core/events';
import { RecentEvents } from '../../src/core/recentEvents';
import { PROTOCOL_VERSION } from '../../src/protocol/backend';
import { BoundedReader } from '../../src/protocol/boundedReader';
import { joinConnection } from '../../src/protocol/connection';
import { readCheckpoint, writeCheckpoint } from '../../src/run/checkpointFormat';
import { checkpointFile } from '../../src/run/checkpoints';
import { parseJournalEvent, parseProgress } from '../../src/run/eventSchema';
import { parseJournal } from '../../src/run/journal';
import { restoreRun } from '../../src/run/restore';
import { makeFolder, removeFolders } from '../run/support/runs';

afterAll(removeFolders);

/** Inputs per property; `SHRINKNETS_FUZZ=10000` runs them longer. */
const RUNS = Number(process.env['SHRINKNETS_FUZZ'] ?? 300);

/** A change of some bytes: replaced, cut out, doubled, put in. */
const mutation = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 40 }),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 24 }),
    fc
      .constantFrom(
        '\n',
        '{',
        '}',
        '"',
        '\\u0000',
        '-1',
        '1e999',
        'null',
        '../',
        '__proto__',
        '9007199254740993',
      )
      .map((text) => new Uint8Array(Buffer.from(text))),
  ),
});
const mutations = fc.array(mutation, { minLength: 1, maxLength: 6 });

function mutate(
  bytes: Uint8Array,
  changes: readonly { at: number; length: number; bytes: Uint8Array }[],
): Buffer {
  let result = Buffer.from(bytes);
  for (const change of changes) {
    const at = result.byteLength === 0 ? 0 : change.at % result.byteLength;
    result = Buffer.concat([result.subarray(0, at), change.bytes, result.subarray(at + change.length)]);
  }
  return result;
}

const metrics = { loss: 0.5, accuracy: 0.9 };
const JOURNAL: readonly JournalEvent[] = [
  { seq: 0, at: 1, type: 'start', version: 1, run: 'r', file: '/m.ts', model: 'm', mode: 'budget' },
  { seq: 1, at: 2, type: 'engine', name: 'cpu', device: 'cpu', why: 'asked for', trials: [] },
  {
    seq: 2,
    at: 3,
    type: 'epoch',
    phase: 'trunk',
    epoch: 1,
    epochs: 4,
    widths: { dense: 12 },
    params: 100,
    macs: 100,
    train: metrics,
    validation: metrics,
    stepMs: 1.5,
    lambda: 0.001,
  },
  { seq: 3, at: 4, type: 'checkpoint', file: checkpointFile(3), step: 10 },
  { seq: 4, at: 5, type: 'warning', code: 'w', message: 'ü' },
  { seq: 5, at: 6, type: 'checkpoint', file: checkpointFile(5), step: 20 },
  { seq: 6, at: 7, type: 'stopped', message: 'asked' },
];
const JOURNAL_BYTES = Buffer.from(JOURNAL.map((event) => `${JSON.stringify(event)}\n`).join(''));

async function writeRun(folder: string, journal: Uint8Array): Promise<void> {
  mkdirSync(join(folder, 'checkpoints'), { recursive: true });
  mkdirSync(join(folder, 'weights'), { recursive: true });
  writeFileSync(join(folder, 'journal.jsonl'), journal);
  for (const event of JOURNAL)
    if (event.type === 'checkpoint')
      await writeCheckpoint(
        join(folder, event.file),
        {
          step: event.step,
          state: { rate: 0.1, order: [1, 2, 3] },
          tensors: { w: { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) } },
        },
        { run: basename(folder), seq: event.seq },
      );
}

/** Names, sizes and times of everything in a folder. */
function picture(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => `${name} ${statSync(join(folder, name)).size}`);
}

describe('fuzzed', { timeout: 60_000 + RUNS * 100 }, () => {
  it('journals give a prefix of good events or are refused with a reason', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const bytes = mutate(JOURNAL_BYTES, changes);
        try {
          const { events, ends, lostBytes } = parseJournal(bytes);
          expect(events.map((event) => event.seq)).toEqual(events.map((_event, i) => i));
          expect((ends.at(-1) ?? 0) + lostBytes).toBe(bytes.byteLength);
        } catch (error) {
          if (!(error instanceof ShrinkError)) throw error;
          expect(error.code).toBe('journal-version');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('runs are restored to a consistent journal, and nothing outside their folder changes', async () => {
    const parent = makeFolder();
    const outside = join(parent, 'outside');
    mkdirSync(join(outside, 'checkpoints'), { recursive: true });
    writeFileSync(join(outside, 'checkpoints', '00000001.safetensors'), 'precious');
    const before = picture(outside);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(mutations, fc.boolean(), mutations, async (changes, both, more) => {
        const folder = join(parent, `run-${(count += 1)}`);
        await writeRun(folder, mutate(JOURNAL_BYTES, changes));
        if (both) {
          const path = join(folder, checkpointFile(5));
          writeFileSync(path, mutate(readFileSync(path), more));
        }
        try {
          const restored = await restoreRun(folder);
          restored.journal.append({ type: 'warning', code: 'w', message: 'went on' });
          restored.journal.close();
          const { events, lostBytes } = parseJournal(readFileSync(join(folder, 'journal.jsonl')));
          expect(lostBytes).toBe(0);
          expect(events.slice(0, -1)).toEqual(restored.history);
          expect(restored.history.at(-1)?.type).toBe(
            restored.checkpoint === undefined ? undefined : 'checkpoint',
          );
        } catch (error) {
          if (!(error instanceof ShrinkError)) throw error;
          expect(['journal-version', 'run-done']).toContain(error.code);
        }
        rmSync(folder, { recursive: true });
      }),
      { numRuns: RUNS },
    );
    expect(picture(outside)).toEqual(before);
    expect(readdirSync(parent).filter((name) => !name.startsWith('run-'))).toEqual(['outside']);
  });

  it('checkpoints are refused as damaged, or hold exactly what was written', async () => {
    const folder = makeFolder();
    await writeRun(folder, JOURNAL_BYTES);
    const whole = readFileSync(join(folder, checkpointFile(3)));
    const good = await readCheckpoint(join(folder, checkpointFile(3)));
    const path = join(folder, 'fuzzed');
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        writeFileSync(path, mutate(whole, changes));
        try {
          expect(await readCheckpoint(path)).toEqual(good);
        } catch (error) {
          if (!(error instanceof ShrinkError)) throw error;
          expect(error.code).toBe('checkpoint-damaged');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('checkpoints that announce anything are refused before memory is taken for it', async () => {
    const path = join(makeFolder(), 'c');
    const entry = fc.record({
      dtype: fc.constantFrom('F32', 'F64', 'U8'),
      shape: fc.array(fc.oneof(fc.nat(), fc.maxSafeInteger()), { maxLength: 4 }),
      data_offsets: fc.tuple(fc.nat(), fc.oneof(fc.nat(), fc.maxSafeInteger())),
    });
    const metadata = {
      sha256: '0'.repeat(64),
      format: 'shrinknets-checkpoint-1',
      run: 'r',
      seq: '1',
      step: '1',
      state: '0',
    };
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), entry, { maxKeys: 3 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        async (entries, length) => {
          const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...entries }));
          const prefix = Buffer.alloc(8);
          prefix.writeBigUInt64LE(length % 2n === 0n ? BigInt(header.byteLength) : length);
          writeFileSync(path, Buffer.concat([prefix, header, Buffer.alloc(64)]));
          await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'checkpoint-damaged' });
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('events and progress are events and progress, or nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...JOURNAL), fc.string(), (value, event, key) => {
        for (const given of [value, { ...event, [key]: value }]) {
          const parsed = parseJournalEvent(given);
          if (parsed !== undefined) expect(Number.isInteger(parsed.seq)).toBe(true);
          expect(parseProgress(value)).toBeUndefined();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('protocol messages in whatever pieces are read whole, or end the reading', () => {
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { fromSeq: 0 } });
    const whole = Buffer.from(`Content-Length: ${message.length}\r\n\r\n${message}`.repeat(3));
    const LIMIT = 200;
    fc.assert(
      fc.property(fc.option(mutations), fc.array(fc.integer({ min: 1, max: 40 })), (changes, pieces) => {
        const bytes = changes === null ? whole : mutate(whole, changes);
        const stream = new PassThrough();
        const reader = new BoundedReader(
          stream,
          LIMIT,
          (value) => ({ jsonrpc: '2.0', ...Object(value) }) as never,
        );
        let read = 0;
        let failures = 0;
        reader.onError(() => (failures += 1));
        const listening = reader.listen(() => {
          expect(failures).toBe(0);
          read += 1;
        });
        let at = 0;
        for (const piece of [...pieces, bytes.byteLength]) {
          stream.emit('data', bytes.subarray(at, at + piece));
          at += piece;
        }
        listening.dispose();
        expect(failures).toBeLessThanOrEqual(1);
        if (changes === null) expect(read).toBe(3);
      }),
      { numRuns: RUNS },
    );
  });

  it('messages to a backend never end it, whatever they are', async () => {
    const path = join(makeFolder(), 's');
    const token = 'f'.repeat(64);
    const recent = new RecentEvents(100);
    for (const event of JOURNAL) recent.push(event);
    const server = new Clients({
      run: 'r',
      token,
      recent,
      ready: Promise.resolve(),
      state: () => 'running',
      stop: () => undefined,
      kill: () => undefined,
      detach: () => undefined,
      onCount: () => undefined,
    });
    await server.listen(path);
    const frame = (value: unknown): string => {
      const body = JSON.stringify(value);
      return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    };
    const greeting = frame({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: { version: PROTOCOL_VERSION, token },
    });
    const wellFramed = fc.record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
      method: fc.oneof(
        fc.constantFrom('initialize', 'subscribe', 'stop', 'detach', '$/cancelRequest', '$/setTrace'),
        fc.string(),
      ),
      params: fc.oneof(fc.constant({}), fc.record({ fromSeq: fc.integer() }), fc.jsonValue()),
    });
    const torn = mutations.map((changes) => mutate(Buffer.from(greeting), changes));
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.boolean(),
          fc.array(fc.oneof(wellFramed.map(frame), torn), { maxLength: 5 }),
          async (greets, messages) => {
            const socket = createConnection(path);
            socket.on('error', () => undefined);
            socket.resume();
            if (greets) socket.write(greeting);
            for (const message of messages) socket.write(message);
            socket.end();
            await new Promise((resolve) => socket.once('close', resolve));
          },
        ),
        { numRuns: RUNS },
      );
      const peer = joinConnection(createConnection(path), 1_000_000, {
        events: () => undefined,
        progress: () => undefined,
      });
      expect(await peer.ask('initialize', { version: PROTOCOL_VERSION, token })).toMatchObject({ run: 'r' });
      peer.end();
    } finally {
      await server.close(0);
    }
  });
});
