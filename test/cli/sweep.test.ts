import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSweep } from '../../src/client/sweeps';
import { listRuns } from '../../src/run/listRuns';
import { runsFolderFor } from '../../src/run/paths';
import { resolveRunOptions } from '../../src/shell/runOptions';
import { planOf } from '../language/support/parsers';
import { eventsOf, makeProject, mnistModule, root, runCli, startCli } from '../support/cli';

/** Sweeps over λ: real processes that start each other. */

const SOURCE = `import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./data.mjs epochs=3 finish=1 batchSize=32 engine=wasm seed=5
export function classifier() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [784], units: 32, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}
`;

let project: ReturnType<typeof makeProject>;
beforeAll(() => {
  project = makeProject({ 'data.mjs': mnistModule(640, 200), 'model.ts': SOURCE });
});
afterAll(() => project.remove());

function runNames(out: string): string[] {
  return readdirSync(path.join(project.folder, out, 'runs')).sort();
}

function optionsOf(out: string, run: string): Record<string, unknown> {
  const file = path.join(project.folder, out, 'runs', run, 'options.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

describe('a sweep', () => {
  it('trains once with each λ, one after the other, and says which sizes are worth having', async () => {
    const result = await runCli(
      ['sweep', 'model.ts', '--lambdas', '0.02,0.001', '--json', '--out', 'whole'],
      project.folder,
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const names = runNames('whole');
    expect(names.map((name) => name.replace(/^\d{8}-\d{6}/, ''))).toEqual([
      '-classifier-sweep-1',
      '-classifier-sweep-2',
    ]);
    expect(names.map((name) => optionsOf('whole', name)['lambda'])).toEqual([0.001, 0.02]);
    expect(names.map((name) => optionsOf('whole', name)['mode'])).toEqual(['lambda', 'lambda']);
    const events = eventsOf(result);
    const results = events.filter((event) => event['type'] === 'result');
    expect(results).toHaveLength(2);
    const last = events.at(-1) as {
      type: string;
      trials: { run: string; lambda: number; state: string; point: { params: number }; chosen: boolean }[];
    };
    expect(last.type).toBe('sweep');
    expect(last.trials.map(({ run, state }) => [run, state])).toEqual(names.map((name) => [name, 'done']));
    expect(last.trials.map(({ point }) => point.params)).toEqual(
      results.map((each) => (each['params'] as { after: number }).after),
    );
    // The stronger penalty leaves less.
    expect(last.trials[1]?.point.params).toBeLessThan(last.trials[0]?.point.params ?? 0);
    expect(last.trials.filter(({ chosen }) => chosen)).toHaveLength(1);

    const emitted = await runCli(['emit', names[1] ?? '', '--diff', '--out', 'whole'], project.folder);
    expect(emitted).toMatchObject({ code: 0 });
    expect(emitted.stdout).toContain('-  model.add(tf.layers.dense({ inputShape: [784], units: 32');

    const again = await runCli(['resume', names[1] ?? '', '--out', 'whole'], project.folder);
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('nothing to resume');
  });

  it('is shown as a table', async () => {
    const result = await runCli(
      ['sweep', 'model.ts', '--lambdas', '0.001,0.02', '--epochs', '1', '--out', 'shown'],
      project.folder,
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('Trial 2 of 2: λ 0.02');
    expect(result.stdout).toMatch(/→ +0\.0\d+ +[\d,]+ +[\d,]+ +\d+\.\d\d % +\d+\.\d\d % +on the front/);
  });

  it('that is stopped makes no further trial, and goes on when its run is resumed', async () => {
    const run = startCli(
      ['sweep', 'model.ts', '--lambdas', '0.001,0.02', '--epochs', '8', '--json', '--out', 'stopped'],
      project.folder,
    );
    await run.until('"phase":"trunk","epoch":2');
    run.child.kill('SIGINT');
    const stopped = await run.done;
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toContain('"type":"stopped"');
    expect(runNames('stopped')).toHaveLength(1);
    expect(eventsOf(stopped).at(-1)).toMatchObject({
      type: 'sweep',
      trials: [{ state: 'stopped' }, { state: 'waiting', run: '' }],
    });

    const resumed = await runCli(['resume', 'last', '--json', '--out', 'stopped'], project.folder);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(eventsOf(resumed).at(-1)).toMatchObject({
      type: 'sweep',
      trials: [{ state: 'done' }, { state: 'done' }],
    });

    // As if the power had gone between two trials: the one that is done goes on with the next.
    const [first = '', second = ''] = runNames('stopped');
    rmSync(path.join(project.folder, 'stopped', 'runs', second), { recursive: true });
    const between = await runCli(['resume', first, '--json', '--out', 'stopped'], project.folder);
    expect(between).toMatchObject({ code: 0, stderr: '' });
    expect(runNames('stopped')).toEqual([first, second]);
  });

  it('goes on when nobody watches', async () => {
    const file = path.join(project.folder, 'model.ts');
    const plan = planOf(SOURCE, undefined, file);
    const runsFolder = runsFolderFor(plan.file, path.join(project.folder, 'alone'));
    const options = resolveRunOptions(plan, [
      { name: (key) => key, values: { ...plan.modelHint, mode: 'lambda', epochs: '1' } },
    ]);
    const handle = await startSweep({
      ...{ plan, options, runsFolder, lambdas: [0.001, 0.002, 0.02] },
      backendScript: path.join(root, 'dist', 'backend.cjs'),
      owner: 'detached',
    });
    await handle.detach();
    const states = async (): Promise<string[]> => (await listRuns(runsFolder)).map(({ state }) => state);
    await expect.poll(states, { timeout: 60_000 }).toEqual(['done', 'done', 'done']);
    const ids = (await listRuns(runsFolder)).map(({ sweep }) => sweep?.id);
    expect(new Set(ids).size).toBe(1);
  });

  it.each([
    [['--lambdas', '0.1'], 'a sweep takes 2 to 100'],
    [['--lambdas', 'a,b'], '--lambdas has "a"'],
    [['--data', 'nowhere.mjs'], 'nowhere.mjs'],
  ])('%s: is refused, and leaves nothing behind', async (flags, message) => {
    const result = await runCli(['sweep', 'model.ts', '--out', 'refused', ...flags], project.folder);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
    expect(await listRuns(path.join(project.folder, 'refused', 'runs'))).toEqual([]);
  });
});
