import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type * as vscode from 'vscode';
import { lensesOf } from '../../src/vscode/language/lenses';
import { Readings } from '../../src/vscode/language/readings';
import type { LearnedModel, LearnedStore } from '../../src/vscode/runs/learned';
import { StubDocument } from './vscodeStub';

/**
 * How long lenses take in a file of 5,000 lines: the answer after an edit, and the reading after a pause, which a thread
 * does; and how long this process was kept from anything else meanwhile.
 */

const LINES = 5_000;
const LAYERS_PER_MODEL = 20;
/** Lines of other code between two models. */
const OTHER_LINES = 60;

function makeSource(): string {
  const lines = ["import * as tf from '@tensorflow/tfjs';"];
  for (let model = 0; lines.length < LINES; model += 1) {
    for (let line = 0; line < OTHER_LINES; line += 1)
      lines.push(
        `export const value${model}x${line} = [${line}, 'text'].map((each) => String(each)).join('-');`,
      );
    lines.push(
      '',
      `/** Model number ${model}. */`,
      `export function makeModel${model}() {`,
      '  const model = tf.sequential();',
    );
    for (let layer = 0; layer < LAYERS_PER_MODEL; layer += 1)
      lines.push(
        ...(layer % 2 === 0 ? ['  // @shrink min=4'] : []),
        `  model.add(tf.layers.dense({ ${layer === 0 ? 'inputShape: [64], ' : ''}units: ${128 + layer}, activation: 'relu' }));`,
      );
    lines.push('  model.add(tf.layers.dense({ units: 10 }));', '  return model;', '}');
  }
  return `${lines.join('\n')}\n`;
}

/** Every layer has learned a width, so that every layer has its lenses. */
const learned: Pick<LearnedStore, 'peek'> = {
  peek: (): LearnedModel => ({
    run: 'run',
    folder: '/runs/run',
    state: 'done',
    siteCount: LAYERS_PER_MODEL + 1,
    networks: [],
    sites: new Map(
      Array.from({ length: LAYERS_PER_MODEL }, (_, i) => [
        i,
        { layerType: 'dense', before: 128 + i, after: 20 },
      ]),
    ),
  }),
};

const log = { error: (text: string) => console.error(text) } as vscode.LogOutputChannel;
const readings = new Readings(log);
const document = new StubDocument(makeSource());
const asDocument = document as unknown as vscode.TextDocument;

/** What somebody types into a model, key by key: half of it is broken code. */
const TYPED = [
  "\n  // @shrink min=8 multiple=4\n  model.add(tf.layers.dense({ units: 64, activation: 'relu' }));",
  '\n  // a note about the next layer',
];
/** What blocks the editor's extensions for longer than this is felt: the lenses after an edit, and everything else. */
const MOST_ANSWER_MS = 50;
const MOST_BLOCKED_MS = 100;

/** @returns how long the work took, and how long it kept everything else in this process waiting at a time */
async function watch(work: () => Promise<unknown>): Promise<{ ms: number; blockedMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await setTimeout(5);
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  await setTimeout(5);
  delay.disable();
  return { ms, blockedMs: delay.max / 1e6 };
}

/** Types into the model in the middle of the file. @param after done after every key */
async function type(after: () => Promise<void> | void): Promise<void> {
  const text = document.getText();
  let at = text.indexOf('tf.sequential();', text.length / 2) + 'tf.sequential();'.length;
  for (const key of TYPED.join('')) {
    document.insert(at, key);
    at += 1;
    await after();
  }
}

const lenses = (): number => lensesOf(readings.peek(asDocument), learned as LearnedStore, asDocument).length;

const opened = await watch(() => readings.look(asDocument));
const answers: number[] = [];
await type(() => {
  const began = performance.now();
  lenses();
  answers.push(performance.now() - began);
});
const reads: { ms: number; blockedMs: number }[] = [];
await type(async () => {
  reads.push(
    await watch(async () => {
      await readings.look(asDocument);
      lenses();
    }),
  );
});
const count = lenses();
readings.dispose();

const sum = (times: readonly number[]) => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  return { median: at(0.5), p95: at(0.95), most: at(1) };
};
const blocked = reads.map(({ blockedMs }) => blockedMs);
const report = {
  lines: document.getText().split('\n').length,
  lenses: count,
  openMs: sum([opened.ms]).most,
  openBlockedMs: sum([opened.blockedMs]).most,
  answerAfterEditMs: sum(answers),
  readAgainMs: sum(reads.map(({ ms }) => ms)),
  readAgainBlockedMs: sum(blocked),
};
console.log(JSON.stringify(report, null, 1));
if (sum(answers).most > MOST_ANSWER_MS || Math.max(opened.blockedMs, ...blocked) > MOST_BLOCKED_MS)
  process.exitCode = 1;
