import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { followRun } from '../../src/client/followRun';
import type { RunEnd, RunHandle } from '../../src/client/runHandle';
import { startRun } from '../../src/client/runs';
import type { JournalEvent } from '../../src/core/events';
import { collect, hear, makeFolder, removeFolders } from '../run/support/runs';
import { isBuilt, learned, trainingSettings, weightsOf } from './support/training';

afterAll(removeFolders);

/** Training whose process really dies: of a native engine's crash, of its heap, of the system's limit on memory. */

interface Told {
  readonly end: RunEnd;
  /** Of the last life. */
  readonly events: readonly JournalEvent[];
  /** What who watched was told of every death. */
  readonly deaths: readonly string[];
}

/** @param onLife given every handle */
async function follow(
  first: RunHandle,
  onLife: (handle: RunHandle) => void = () => undefined,
): Promise<Told> {
  let events = hear(first);
  const deaths: string[] = [];
  onLife(first);
  const end = await followRun(first, (next, why) => {
    deaths.push(why);
    events = hear(next);
    onLife(next);
  });
  return { end, events, deaths };
}

const messages = (events: readonly JournalEvent[], wanted: string): string[] =>
  events.flatMap((event) => (event.type === 'warning' && event.code === wanted ? [event.message] : []));
const engines = (events: readonly JournalEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'engine' ? [event.name] : []));

/** Takes memory without end in as many lives as the file `lives` says, from its second on. */
const leaking = (file: string, what: string): string => `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const lives = existsSync(${JSON.stringify(file)}) ? Number(readFileSync(${JSON.stringify(file)}, 'utf8')) : 0;
if (lives > 0) {
  writeFileSync(${JSON.stringify(file)}, String(lives - 1));
  const held = [];
  setTimeout(() => setInterval(() => { for (let i = 0; i < 20; i += 1) held.push(${what}); }, 5), 1000);
}
`;

async function undisturbed(): Promise<{ learned: unknown; weights: Map<string, Buffer> }> {
  const whole = await startRun(await trainingSettings('wasm', { epochs: 40 }));
  return { learned: learned(await collect(whole)), weights: weightsOf(whole.folder) };
}

function hasOnnxRuntime(): boolean {
  try {
    createRequire(import.meta.url)('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!isBuilt)('training that runs out of memory', () => {
  it('in its heap is started again once, and ends with the same weights', async () => {
    const file = join(makeFolder(), 'lives');
    writeFileSync(file, '1');
    const settings = await trainingSettings('wasm', {
      epochs: 40,
      dataCode: leaking(file, 'Array.from({ length: 50_000 }, (_v, i) => ({ i }))'),
      more: { execArgv: ['--max-old-space-size=192'] },
    });
    const { end, events, deaths } = await follow(await startRun(settings));
    expect(deaths).toEqual(['The training process was ended by SIGABRT and was started again.']);
    expect(end.state).toBe('done');
    expect(messages(events, 'restarted-after-crash')).toEqual([
      'The process that trained this run was ended by SIGABRT; the run was resumed.',
    ]);
    const whole = await undisturbed();
    expect(learned(events)).toEqual(whole.learned);
    expect(engines(events)).toEqual(['wasm']);
  });

  const group = '/sys/fs/cgroup/memory/shrinknets-test';
  const limits = canLimit(group);
  it.skipIf(!limits)(
    'of the system, twice, goes on with the next engine (left out without a cgroup of memory)',
    async () => {
      const lives = join(makeFolder(), 'lives');
      writeFileSync(lives, '2');
      const limited = join(makeFolder(), 'node');
      writeFileSync(limited, `#!/bin/sh\necho $$ > ${group}/cgroup.procs\nexec "${process.execPath}" "$@"\n`);
      chmodSync(limited, 0o755);
      mkdirSync(group);
      try {
        writeFileSync(join(group, 'memory.limit_in_bytes'), String(400 * 1024 * 1024));
        const settings = await trainingSettings('wasm', {
          epochs: 40,
          dataCode: leaking(lives, 'Buffer.alloc(2 ** 20, 1)'),
          more: { nodePath: limited },
        });
        const { end, events, deaths } = await follow(await startRun(settings));
        const death = 'The training process was ended by SIGKILL and was started again.';
        expect(deaths).toEqual([death, death]);
        expect(end.state).toBe('done');
        expect(messages(events, 'restarted-after-crash').at(-1)).toMatch(
          /was ended by SIGKILL; the run was resumed\. It goes on without wasm, which died twice\.$/,
        );
        expect(engines(events)[0]).toBe('wasm');
        expect(engines(events).at(-1)).not.toBe('wasm');
      } finally {
        rmdirSync(group);
      }
    },
  );
});

describe.skipIf(!isBuilt || !hasOnnxRuntime())('a native engine that crashes', () => {
  it('is started again from the checkpoint, and the second time another one takes over, which is said', async () => {
    const handle = await startRun(await trainingSettings('onnxruntime', { epochs: 60 }));
    let crashes = 0;
    const { end, events, deaths } = await follow(handle, (life) => {
      if (crashes === 2) return;
      crashes += 1;
      const before = crashes;
      void crashAfterProgress(life, before);
    });
    const death = 'The training process was ended by SIGSEGV and was started again.';
    expect(deaths).toEqual([death, death]);
    expect(end.state).toBe('done');
    expect(messages(events, 'restarted-after-crash').at(-1)).toMatch(
      /was ended by SIGSEGV; the run was resumed\. It goes on without onnxruntime, which died twice\.$/,
    );
    expect(engines(events)[0]).toBe('onnxruntime');
    expect(engines(events).at(-1)).not.toBe('onnxruntime');
    expect(events.at(-1)).toMatchObject({ type: 'result', engine: engines(events).at(-1) });
  });
});

/** As a bug in native code would: the process gets SIGSEGV when it has written a checkpoint more than at its start. */
async function crashAfterProgress(life: RunHandle, lives: number): Promise<void> {
  let starts = 0;
  for await (const event of life.events) {
    if (event.type === 'start') starts += 1;
    if (event.type === 'checkpoint' && starts >= lives) {
      process.kill(life.pid ?? 0, 'SIGSEGV');
      return;
    }
  }
}

/** Whether groups of processes can be given a limit on memory here: as root, with cgroups of version 1. */
function canLimit(group: string): boolean {
  const made = spawnSync('mkdir', [group]).status === 0;
  const can = made && spawnSync('test', ['-w', join(group, 'memory.limit_in_bytes')]).status === 0;
  if (made) rmdirSync(group);
  return can;
}
