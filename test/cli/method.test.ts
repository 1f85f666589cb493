import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { eventsOf, makeProject, mnistModule, runCli } from '../support/cli';

/** What the method says and does in whole runs: its warnings, how it ends when training goes wrong, groups, a teacher. */

const source = (hint: string): string => `
import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./data.mjs engine=wasm batchSize=32 ${hint}
export function build() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [784], units: 24, activation: 'relu', name: 'hidden' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax', name: 'out' }));
  return model;
}
`;

const FILES = {
  'data.mjs': mnistModule(960, 200),
  'noLambda2.ts': source('mode=lambda lambda2=0 epochs=1 finish=0'),
  'withLambda2.ts': source('mode=lambda epochs=1 finish=0'),
  'explodes.ts': source('mode=original optimizer=sgd learningRate=0.05 epochs=9 finish=1'),
  'overflows.ts': source('mode=original optimizer=sgd learningRate=0.05 epochs=1 finish=0'),
  'dies.ts': source('mode=original form=relu strategy=relu lambda=5 learningRate=0.05 epochs=5 finish=0'),
  'group.ts': source('mode=original regularizer=group lambda=0.005 learningRate=0.001 epochs=14 finish=1'),
  'taught.ts': source('budget=40% epochs=4 finish=2 distill=0.5'),
  'untaught.ts': source('budget=40% epochs=4 finish=2'),
  'full.ts': source('budget=40% epochs=4 finish=2 baseline=full'),
  'plateau.ts': source(
    'mode=original lambda=0 optimizer=sgd learningRate=0.000001 rateSchedule=plateau epochs=9 finish=1',
  ),
  'off.ts': source('budget=40% epochs=4 finish=2 baseline=off'),
} as const;

type Event = Record<string, unknown>;

let project: { folder: string; remove: () => void };

beforeAll(() => {
  project = makeProject(FILES);
});
afterAll(() => project.remove());

const run = async (
  file: string,
  ...args: string[]
): Promise<{ code: number | null; stderr: string; events: Event[] }> => {
  const result = await runCli(
    ['train', file, '--json', '--out', file.replace('.ts', ''), ...args],
    project.folder,
  );
  return { code: result.code, stderr: result.stderr, events: eventsOf(result) };
};
const ofType = (events: readonly Event[], type: string): Event[] =>
  events.filter((event) => event['type'] === type);
const warnings = (events: readonly Event[]): Event[] => ofType(events, 'warning');

describe('warnings', () => {
  it('say why λ2 = 0 has no minimum, once, and only then', async () => {
    const without = await run('noLambda2.ts');
    expect(without.code).toBe(0);
    const said = warnings(without.events).filter((event) => event['code'] === 'lambda2-zero');
    expect(said).toHaveLength(1);
    expect(said[0]?.['message']).toMatch(/no minimum \(Proposition A\.3\)/);
    const withIt = await run('withLambda2.ts');
    expect(warnings(withIt.events).filter((event) => event['code'] === 'lambda2-zero')).toEqual([]);
  });

  it('say that a layer whose channels all want to die keeps its strongest', async () => {
    const { code, events } = await run('dies.ts');
    expect(code).toBe(0);
    expect(warnings(events)).toContainEqual(
      expect.objectContaining({
        code: 'kept-hidden',
        message: 'All channels of hidden wanted to die; the strongest (1 of them) were kept.',
      }),
    );
    const [result] = ofType(events, 'result');
    expect(result?.['layers']).toContainEqual(
      expect.objectContaining({ name: 'hidden', before: 24, after: 1 }),
    );
  });
});

describe('a loss that is lost', () => {
  it('stops the run, names step and λ, and leaves the last good checkpoint', async () => {
    // rate · 2 λ2 = 2.04: every step overshoots 0 and leaves weights 4 % larger, which takes some epochs to show.
    const { code, events } = await run('explodes.ts', '--lambda2', '20.4', '--lambda', '0.002');
    const [failed] = ofType(events, 'failed');
    expect(failed).toMatchObject({ kind: 'training' });
    expect(failed).toMatchObject({ code: 'loss-exploded' });
    const message = String(failed?.['message']);
    expect(message).toMatch(/loss became \S+ at step \d+ \(λ 0\.0020\)/);
    expect(message).toMatch(/Lower the learning rate \(0\.05\)/);
    expect(code).not.toBe(0);
    expect(ofType(events, 'result')).toEqual([]);
    const step = Number(/at step (\d+)/.exec(message)?.[1]);
    const checkpoints = ofType(events, 'checkpoint');
    expect(checkpoints.length).toBeGreaterThan(0);
    const good = Number(checkpoints.at(-1)?.['step']);
    expect(good).toBeLessThan(step);
    expect(message).toContain(`its last good checkpoint is that of step ${good}.`);
    for (const epoch of ofType(events, 'epoch'))
      expect((epoch['validation'] as { loss: number }).loss).toEqual(expect.any(Number));
    const runs = path.join(project.folder, 'explodes', 'runs');
    const [name = ''] = readdirSync(runs);
    const kept = readdirSync(path.join(runs, name, 'checkpoints'));
    expect(kept).toEqual([path.basename(String(checkpoints.at(-1)?.['file']))]);
  });

  it('does so at once where it is no number, and before there is a checkpoint', async () => {
    const { code, events } = await run('overflows.ts', '--lambda2', '1e30');
    expect(code).not.toBe(0);
    expect(ofType(events, 'failed')).toEqual([
      expect.objectContaining({
        code: 'loss-not-finite',
        message: expect.stringMatching(
          /^The loss became NaN at step 2 \(λ 0\.0030\); the run was stopped\. Lower/,
        ) as string,
      }),
    ]);
    expect(ofType(events, 'checkpoint')).toEqual([]);
  });
});

describe('group sparsity', () => {
  it('removes channels by the same collector and ends with a network that works', async () => {
    const { code, events, stderr } = await run('group.ts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const collections = ofType(events, 'collection');
    expect(collections.length).toBeGreaterThan(0);
    for (const collection of collections) expect(collection['outputDifference']).toBeLessThan(1e-5);
    const [result] = ofType(events, 'result');
    const [hidden] = result?.['layers'] as { before: number; after: number }[];
    expect(hidden?.after).toBeLessThan(24);
    expect(hidden?.after).toBeGreaterThan(0);
    expect((result?.['metrics'] as { test: { accuracy: number } }).test.accuracy).toBeGreaterThan(0.5);
  });
});

describe('rows that do not fill batches', () => {
  it('are trained all the same, be they fewer than one batch', async () => {
    const few = await run('untaught.ts', '--batch-size', '5000', '--epochs', '3');
    expect({ code: few.code, stderr: few.stderr }).toEqual({ code: 0, stderr: '' });
    const steps = ofType(few.events, 'checkpoint').map((event) => event['step']);
    expect(Math.max(...steps.map(Number))).toBe(3);
    const [result] = ofType(few.events, 'result');
    expect(result?.['metrics']).toBeDefined();
  });
});

describe('distillation', () => {
  it('finishes the starting network as ever and the smaller ones beside it', async () => {
    const [taught, untaught] = [await run('taught.ts'), await run('untaught.ts')];
    expect([taught.code, untaught.code]).toEqual([0, 0]);
    const finishes = (events: readonly Event[]): unknown[] =>
      ofType(events, 'epoch')
        .filter((event) => event['phase'] === 'finish')
        .map((event) => [event['budget'], event['train'], event['validation']]);
    const [a, b] = [finishes(taught.events), finishes(untaught.events)];
    expect(a).toHaveLength(4);
    expect(a.slice(0, 2)).toEqual(b.slice(0, 2));
    expect(a.slice(2)).not.toEqual(b.slice(2));
    expect(warnings(taught.events)).toEqual(warnings(untaught.events));
  });
});

describe('a learning rate that falls on a plateau', () => {
  it('ends the trunk when it has fallen to nothing, and the run goes on to its finish', async () => {
    // At this rate nothing gets better: five epochs after the first the rate falls to 1e-7, at which training is over.
    const { code, events } = await run('plateau.ts');
    expect(code).toBe(0);
    const phases = ofType(events, 'epoch').map((event) => event['phase']);
    expect(phases.filter((phase) => phase === 'trunk')).toHaveLength(6);
    expect(phases.filter((phase) => phase === 'finish').length).toBeGreaterThan(0);
    expect(ofType(events, 'result')).toHaveLength(1);
  });
});

describe('the row of the starting size', () => {
  const finishes = (events: readonly Event[], params: unknown): Event[] =>
    ofType(events, 'epoch').filter((event) => event['phase'] === 'finish' && event['params'] === params);

  it('says for how many epochs it was trained: short, as many as the sizes, or not at all', async () => {
    const [short, full, off] = [await run('untaught.ts'), await run('full.ts'), await run('off.ts')];
    for (const { code, stderr } of [short, full, off])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const resultOf = ({ events }: typeof short): ResultEvent => events.at(-1) as unknown as ResultEvent;
    const [brief, whole, none] = [resultOf(short), resultOf(full), resultOf(off)];
    const start = brief.params.before;
    // 25 steps an epoch; the starting size is kept at the first removal, after 23.
    const before = 23 / 25;
    expect(brief.baseline?.epochs).toBeCloseTo(before + 2, 9);
    expect(finishes(short.events, start)).toHaveLength(2);
    expect(whole.baseline?.epochs).toBeCloseTo(before + 3 + 2, 9);
    expect(finishes(full.events, start)).toHaveLength(5);
    expect(none.baseline).toBeUndefined();
    expect(finishes(off.events, start)).toEqual([]);
    // What a size is trained for does not depend on it, nor does what it learns.
    for (const { points } of [brief, whole, none]) {
      expect(points).toEqual(brief.points);
      expect(points[0]?.epochs).toBeGreaterThan(5.5);
      expect(points[0]?.epochs).toBeLessThan(6.5);
    }
  });

  it('is told in the table, with what to do where it was trained for less', async () => {
    const shown = async (file: string): Promise<string> =>
      (await runCli(['train', file, '--out', `${file}-shown`], project.folder)).stdout;
    const [short, full] = [await shown('untaught.ts'), await shown('full.ts')];
    expect(short).toMatch(/parameters +MACs +epochs/);
    expect(short).toContain(
      'The starting size was trained for 3 epochs, the sizes for 6; baseline=full gives it as many.',
    );
    expect(full).not.toContain('The starting size was trained for');
  });
});
