import { cpSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, makeProject, mnistModule, runCli, startCli } from '../support/cli';

/** Stopping, killing and going on, with real processes and real signals. */

const SOURCE = `import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./data.mjs epochs=6 finish=2 batchSize=32 budget=40%,20% engine=wasm seed=5
export function classifier() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [784], units: 48, useBias: false }));
  model.add(tf.layers.batchNormalization());
  model.add(tf.layers.activation({ activation: 'relu' }));
  model.add(tf.layers.dropout({ rate: 0.2 }));
  model.add(tf.layers.dense({ units: 32, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}
`;

/** The same, its channels weighed by what they cost on this machine. */
const LATENCY = SOURCE.replace('budget=40%,20%', 'budget=40%,20% cost=latency');

let project: ReturnType<typeof makeProject>;
let undisturbed: { folder: string; journal: Record<string, unknown>[] };

beforeAll(async () => {
  project = makeProject({ 'data.mjs': mnistModule(1610, 400), 'model.ts': SOURCE, 'latency.ts': LATENCY });
  const result = await runCli(['train', 'model.ts', '--json', '--out', 'whole'], project.folder);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  undisturbed = { folder: runFolder('whole'), journal: eventsOf(result) };
}, 180_000);
afterAll(() => project.remove());

function runFolder(out: string): string {
  const runs = path.join(project.folder, out, 'runs');
  return path.join(runs, readdirSync(runs)[0] ?? '');
}

function weights(folder: string): Buffer {
  return readFileSync(path.join(folder, 'weights', 'weights.bin'));
}

/** What must not depend on where a run was interrupted: everything but times. */
function learned(events: readonly Record<string, unknown>[]): unknown {
  return events
    .filter((event) => ['epoch', 'snapshot', 'point', 'collection'].includes(String(event['type'])))
    .map(({ seq: _seq, at: _at, stepMs: _stepMs, ms: _ms, ...rest }) => rest);
}

async function aliveBackends(folder: string): Promise<number> {
  const { stdout } = await runCli(['runs', '--json', '--out', folder], project.folder);
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '' && 'pid' in (JSON.parse(line) as object)).length;
}

describe('a run that is interrupted', () => {
  it('stops after a checkpoint on Ctrl-C, and goes on to the same weights', async () => {
    const run = startCli(['train', 'model.ts', '--json', '--out', 'stopped'], project.folder);
    await run.until('"phase":"trunk","epoch":3');
    run.child.kill('SIGINT');
    const stopped = await run.done;
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toContain('"type":"stopped"');
    expect(stopped.stdout).not.toContain('"type":"result"');
    expect(await aliveBackends('stopped')).toBe(0);

    const resumed = await runCli(['resume', 'last', '--json', '--out', 'stopped'], project.folder);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(learned(eventsOf(resumed))).toEqual(learned(undisturbed.journal));
    expect(weights(runFolder('stopped')).equals(weights(undisturbed.folder))).toBe(true);
  }, 180_000);

  it('ends at once on a second Ctrl-C and can still be resumed', async () => {
    const run = startCli(['train', 'model.ts', '--json', '--out', 'twice'], project.folder);
    await run.until('"phase":"trunk","epoch":2');
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    await run.done;
    expect(await aliveBackends('twice')).toBe(0);
    const resumed = await runCli(['resume', 'last', '--json', '--out', 'twice'], project.folder);
    expect(resumed.code).toBe(0);
    expect(weights(runFolder('twice')).equals(weights(undisturbed.folder))).toBe(true);
  }, 180_000);

  it('is stopped by another command line', async () => {
    const run = startCli(['train', 'model.ts', '--json', '--out', 'other'], project.folder);
    await run.until('"phase":"trunk","epoch":1');
    const stop = await runCli(['stop', 'last', '--out', 'other'], project.folder);
    expect(stop).toMatchObject({ code: 0, stderr: '' });
    expect((await run.done).code).toBe(0);
    expect(await aliveBackends('other')).toBe(0);
  }, 60_000);

  it('leaves no orphan when the command line is killed', async () => {
    const run = startCli(['train', 'model.ts', '--json', '--out', 'orphan'], project.folder);
    await run.until('"phase":"trunk","epoch":2');
    run.child.kill('SIGKILL');
    await run.done;
    await waitUntil(async () => (await aliveBackends('orphan')) === 0);
    const resumed = await runCli(['resume', 'last', '--json', '--out', 'orphan'], project.folder);
    expect(resumed.code).toBe(0);
    expect(weights(runFolder('orphan')).equals(weights(undisturbed.folder))).toBe(true);
  }, 180_000);

  it('is started again when the training process dies, and says so', async () => {
    const run = startCli(['train', 'model.ts', '--json', '--out', 'died'], project.folder);
    await run.until('"phase":"trunk","epoch":3');
    const { stdout } = await runCli(['runs', '--json', '--out', 'died'], project.folder);
    const { pid } = JSON.parse(stdout) as { pid: number };
    process.kill(pid, 'SIGKILL');
    const ended = await run.done;
    expect(ended.stderr).toMatch(/training process was ended by SIGKILL .*last checkpoint/);
    expect(ended.code).toBe(0);
    expect(weights(runFolder('died')).equals(weights(undisturbed.folder))).toBe(true);
  }, 180_000);

  it('that measured latencies goes on from its table after a kill, to the same weights', async () => {
    const run = startCli(['train', 'latency.ts', '--json', '--out', 'measured'], project.folder);
    await run.until('"phase":"trunk","epoch":2');
    run.child.kill('SIGINT');
    expect((await run.done).code).toBe(0);
    // Another run would measure another table: both ways to the end begin here.
    cpSync(path.join(project.folder, 'measured'), path.join(project.folder, 'killed'), { recursive: true });
    const calm = await runCli(['resume', 'last', '--json', '--out', 'measured'], project.folder);
    expect(calm).toMatchObject({ code: 0, stderr: '' });

    const killed = startCli(['resume', 'last', '--json', '--out', 'killed'], project.folder);
    await killed.until('"phase":"trunk","epoch":4');
    const { stdout } = await runCli(['runs', '--json', '--out', 'killed'], project.folder);
    process.kill((JSON.parse(stdout) as { pid: number }).pid, 'SIGKILL');
    const ended = await killed.done;
    expect(ended.stderr).toMatch(/training process was ended by SIGKILL/);
    expect(ended.code).toBe(0);
    const journal = readFileSync(path.join(runFolder('killed'), 'journal.jsonl'), 'utf8');
    expect(journal.match(/"type":"latency"/g)).toHaveLength(1);
    expect(weights(runFolder('killed')).equals(weights(runFolder('measured')))).toBe(true);
  }, 180_000);
});

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('it never came to hold');
}
