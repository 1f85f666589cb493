import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from 'vscode-jsonrpc/node.js';
import { Clients } from '../../src/backend/server/clients';
import type { JournalEvent } from '../../src/core/events';
import { RecentEvents } from '../../src/core/recentEvents';
import { MAX_REQUEST_BYTES, PROTOCOL_VERSION } from '../../src/protocol/backend';
import { BoundedReader, parseHeader } from '../../src/protocol/boundedReader';
import { joinConnection, type ClientPeer } from '../../src/protocol/connection';
import { makeFolder, removeFolders, until } from '../run/support/runs';

afterAll(removeFolders);

const TOKEN = 'f'.repeat(64);
let recent = new RecentEvents(1_000);
const asked: string[] = [];
let attached = 0;
let path: string;
let server: Clients;
const closers: (() => void)[] = [];

beforeEach(async () => {
  recent = new RecentEvents(1_000);
  asked.length = 0;
  attached = 0;
  path = join(makeFolder(), 's');
  server = new Clients({
    run: 'r',
    token: TOKEN,
    recent,
    ready: Promise.resolve(),
    state: () => 'running',
    stop: () => void asked.push('stop'),
    kill: () => void asked.push('kill'),
    detach: () => void asked.push('detach'),
    onCount: (count) => (attached = count),
  });
  await server.listen(path);
});

afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await server.close(0);
});

async function connect(): Promise<Socket> {
  const socket = createConnection(path);
  closers.push(() => socket.destroy());
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

interface Heard {
  readonly events: unknown[];
  readonly progress: unknown[];
}

async function joinBackend(): Promise<{ peer: ClientPeer; heard: Heard }> {
  const heard: Heard = { events: [], progress: [] };
  const peer = joinConnection(await connect(), 1_000_000, {
    events: ({ events }) => void heard.events.push(...events),
    progress: ({ progress }) => void heard.progress.push(progress),
  });
  return { peer, heard };
}

const frame = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const request = (method: string, params: unknown, id: unknown = 1): string =>
  frame(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
const greeting = request('initialize', { version: PROTOCOL_VERSION, token: TOKEN }, 0);

/** Sends bytes and gives what came back until the backend closed or answered `replies` times. */
async function send(
  text: string | Buffer,
  replies: number,
): Promise<{ answers: unknown[]; closed: boolean }> {
  const socket = await connect();
  const answers: unknown[] = [];
  let closed = false;
  const reader = new BoundedReader(socket, 1_000_000, (value) => value as Message);
  reader.listen((message) => answers.push(message));
  socket.once('close', () => (closed = true));
  socket.write(text);
  await until(
    () => closed || answers.length >= replies,
    (done) => done,
  );
  return { answers, closed };
}

const event = (seq: number, message = 'm'): JournalEvent => ({
  type: 'warning',
  code: 'test',
  message,
  seq,
  at: seq,
});

describe('the protocol', () => {
  it('greets, tells the journal from a seq on, then what is new', async () => {
    for (const seq of [0, 1]) recent.push(event(seq));
    const { peer, heard } = await joinBackend();
    expect(await peer.ask('initialize', { version: PROTOCOL_VERSION, token: TOKEN })).toEqual({
      version: PROTOCOL_VERSION,
      run: 'r',
      pid: process.pid,
      state: 'running',
      nextSeq: 2,
    });
    expect(await peer.ask('subscribe', { fromSeq: 1 })).toEqual({ nextSeq: 2 });
    recent.push(event(2));
    server.publish(event(2));
    await until(
      () => heard.events.length,
      (length) => length === 2,
    );
    expect(heard.events).toEqual([event(1), event(2)]);
    for (const name of ['stop', 'detach', 'kill'] as const) expect(await peer.ask(name, {})).toEqual({});
    expect(asked).toEqual(['stop', 'detach', 'kill']);
  });

  it('sends a long journal in parts that stay under the longest message', async () => {
    for (let seq = 0; seq < 50; seq += 1) recent.push(event(seq, 'x'.repeat(100_000)));
    const heard: number[] = [];
    const peer = joinConnection(await connect(), 1_500_000, {
      events: ({ events }) => void heard.push(events.length),
      progress: () => undefined,
    });
    await peer.ask('initialize', { version: PROTOCOL_VERSION, token: TOKEN });
    await peer.ask('subscribe', { fromSeq: 0 });
    await until(
      () => heard.reduce((sum, length) => sum + length, 0),
      (sum) => sum === 50,
    );
    expect(heard.length).toBeGreaterThan(3);
  });

  it('sends only the newest events of a long journal', async () => {
    for (let seq = 0; seq < 5_000; seq += 1) recent.push(event(seq));
    const { peer, heard } = await joinBackend();
    await peer.ask('initialize', { version: PROTOCOL_VERSION, token: TOKEN });
    expect(await peer.ask('subscribe', { fromSeq: 0 })).toEqual({ nextSeq: 5_000 });
    expect(heard.events.at(-1)).toEqual(event(4_999));
    expect(heard.events.length).toBeLessThanOrEqual(2_000);
  });

  it('tells progress at a bounded rate, the newest last', async () => {
    const { peer, heard } = await joinBackend();
    await peer.ask('initialize', { version: PROTOCOL_VERSION, token: TOKEN });
    await peer.ask('subscribe', { fromSeq: 0 });
    const progress = (step: number) =>
      ({
        phase: 'trunk',
        epoch: 1,
        epochs: 1,
        step,
        steps: 1000,
        loss: 0,
        params: 0,
        stepMs: 0,
        secondsLeft: 0,
      }) as const;
    for (let step = 1; step <= 1000; step += 1) server.report(progress(step));
    await until(
      () => heard.progress.at(-1),
      (last) => (last as { step?: number } | undefined)?.step === 1000,
    );
    expect(heard.progress.length).toBe(2);
  });

  it('lets nobody in without the token, and closes', async () => {
    for (const token of ['', 'x', 'f'.repeat(63), 'f'.repeat(63) + 'e', 'é'.repeat(32)]) {
      const { peer } = await joinBackend();
      await expect(peer.ask('initialize', { version: PROTOCOL_VERSION, token })).rejects.toThrow('token');
      await peer.closed;
    }
    expect(attached).toBe(0);
  });

  it('refuses everything before the greeting, another version, unknown methods and wrong parameters', async () => {
    const refused = async (...texts: string[]): Promise<unknown> => {
      const { answers } = await send(texts.join(''), texts.length);
      return (answers.at(-1) as { error?: { code: number } }).error?.code;
    };
    expect(await refused(request('stop', {}))).toBe(-32003);
    expect(await refused(request('subscribe', { fromSeq: 0 }))).toBe(-32003);
    expect(await refused(request('initialize', { version: 99, token: TOKEN }))).toBe(-32001);
    expect(await refused(greeting, request('dance', {}))).toBe(-32601);
    expect(await refused(greeting, request('subscribe', { fromSeq: -1 }))).toBe(-32602);
    expect(await refused(greeting, request('subscribe', {}))).toBe(-32602);
    expect(await refused(greeting, request('stop', { now: true }))).toBe(-32602);
    expect(await refused(greeting, request('subscribe', { fromSeq: '0' }))).toBe(-32602);
    expect(asked).toEqual([]);
  });

  it('closes on whatever is no message, and goes on with the others', async () => {
    const { peer } = await joinBackend();
    await peer.ask('initialize', { version: PROTOCOL_VERSION, token: TOKEN });
    for (const bad of [
      'GET / HTTP/1.1\r\n\r\n',
      'Content-Length: -5\r\n\r\n',
      'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}',
      `Content-Length: ${MAX_REQUEST_BYTES + 1}\r\n\r\n`,
      'Content-Length: 999999999999\r\n\r\n',
      'x'.repeat(5_000),
      frame('{'),
      frame('[]'),
      frame('null'),
      frame('{"jsonrpc":"2.0","method":"$/cancelRequest"}'),
      frame('{"jsonrpc":"2.0","id":{},"method":"stop","params":{}}'),
      frame('{"jsonrpc":"1.0","id":1,"method":"stop","params":{}}'),
      frame('{"jsonrpc":"2.0","id":1,"method":"stop","params":[1]}'),
      frame('{"jsonrpc":"2.0","id":1,"result":{}}'),
      frame('['.repeat(30_000)),
    ]) {
      const { closed, answers } = await send(greeting + bad, 99);
      expect(closed, bad.slice(0, 80)).toBe(true);
      expect(answers.length).toBeLessThanOrEqual(1);
    }
    expect(await peer.ask('stop', {})).toEqual({});
  });

  it('reads messages in whatever pieces they come', async () => {
    const bytes = Buffer.from(greeting + request('stop', {}) + request('detach', {}, 'ü'));
    const socket = await connect();
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await until(
      () => asked.length,
      (length) => length === 2,
    );
    expect(asked).toEqual(['stop', 'detach']);
  });

  it('counts who is attached, and takes no more than it can serve', async () => {
    const { peer } = await joinBackend();
    await peer.ask('initialize', { version: PROTOCOL_VERSION, token: TOKEN });
    expect(attached).toBe(1);
    peer.end();
    await until(
      () => attached,
      (count) => count === 0,
    );
    const many = await Promise.all(Array.from({ length: 40 }, () => connect()));
    const gone = await until(
      () => many.filter((socket) => socket.readableEnded || socket.destroyed).length,
      (count) => count >= 8,
    );
    expect(gone).toBe(8);
  });
});

describe('a client', () => {
  let fake: Server;
  afterEach(() => {
    fake.close();
  });
  const serve = async (onSocket: (socket: Socket) => void): Promise<ClientPeer> => {
    fake = createServer((socket) => {
      closers.push(() => socket.destroy());
      onSocket(socket);
    });
    const at = join(makeFolder(), 's');
    await new Promise<void>((resolve) => fake.listen(at, resolve));
    const socket = createConnection(at);
    closers.push(() => socket.destroy());
    return joinConnection(socket, 10_000, { events: () => undefined, progress: () => undefined });
  };

  it('fails every pending call when the backend goes', async () => {
    const peer = await serve((socket) => socket.once('data', () => socket.destroy()));
    const calls = [peer.ask('stop', {}), peer.ask('detach', {}), peer.ask('subscribe', { fromSeq: 0 })];
    expect((await Promise.allSettled(calls)).map((call) => call.status)).toEqual(Array(3).fill('rejected'));
    await peer.closed;
  });

  it('fails a call to a backend that is gone already, and nothing else', async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('unhandledRejection', note);
    for (let round = 0; round < 50; round += 1) {
      let other: Socket | undefined;
      const peer = await serve((socket) => (other = socket));
      await until(
        () => other,
        (socket) => socket !== undefined,
      );
      other?.destroy();
      // At another moment of the other side's end each time.
      for (let turn = 0; turn < round % 5; turn += 1) await new Promise(setImmediate);
      await expect(peer.ask('stop', {})).rejects.toThrow();
      fake.close();
    }
    process.off('unhandledRejection', note);
    expect(uncaught).toEqual([]);
  });

  it('fails a call that is answered with another shape', async () => {
    const peer = await serve((socket) =>
      socket.once('data', () => socket.write(frame('{"jsonrpc":"2.0","id":0,"result":{"nextSeq":"1"}}'))),
    );
    await expect(peer.ask('subscribe', { fromSeq: 0 })).rejects.toThrow('another shape');
  });

  it('closes on notifications of another shape and on messages that are too long', async () => {
    for (const text of [
      frame('{"jsonrpc":"2.0","method":"events","params":{"events":5}}'),
      'Content-Length: 10001\r\n\r\n',
    ]) {
      const peer = await serve((socket) => socket.write(text));
      expect(await peer.closed).toBeInstanceOf(Error);
    }
  });

  it('reads headers strictly', () => {
    expect(parseHeader('Content-Length: 5')).toBe(5);
    expect(parseHeader('Content-Type: x\r\ncontent-length:5')).toBe(5);
    for (const bad of ['', 'Content-Length: 5x', 'Content-Length: 0x5', 'Content-Length: ', 'nonsense'])
      expect(parseHeader(bad)).toBeUndefined();
  });
});
