import type * as vscode from 'vscode';
import { lensesOf } from '../../src/vscode/language/lenses';
import { Readings } from '../../src/vscode/language/readings';
import type { LearnedModel, LearnedStore } from '../../src/vscode/runs/learned';
import { documentChanges, Position } from './vscodeStub';

/** How long lenses take in a file of 5,000 lines: the answer after an edit, and the reading after a pause. */

const LINES = 5_000;
const LAYERS_PER_MODEL = 20;
/** Lines of other code between two models. */
const OTHER_LINES = 60;
const EDITS = 200;

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
  return `${lines.slice(0, LINES).join('\n')}\n`;
}

class Document {
  version = 1;
  readonly uri = { scheme: 'file', toString: () => 'file:///w/model.ts' };
  readonly fileName = '/w/model.ts';
  readonly languageId = 'typescript';
  readonly isClosed = false;
  private starts: number[] = [];

  constructor(private text: string) {
    this.index();
  }

  getText(): string {
    return this.text;
  }

  positionAt(offset: number): Position {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return new Position(low, offset - (this.starts[low] ?? 0));
  }

  insert(offset: number, text: string): void {
    this.text = this.text.slice(0, offset) + text + this.text.slice(offset);
    this.version += 1;
    this.index();
    documentChanges.fire({ document: this, contentChanges: [{ rangeOffset: offset, rangeLength: 0, text }] });
  }

  private index(): void {
    this.starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1))
      this.starts.push(at + 1);
  }
}

/** Every layer has learned a width, so that every layer has its lenses. */
const learned: Pick<LearnedStore, 'peek'> = {
  peek: (): LearnedModel => ({
    run: 'run',
    folder: '/runs/run',
    state: 'done',
    siteCount: LAYERS_PER_MODEL + 1,
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
const document = new Document(makeSource());
const asDocument = document as unknown as vscode.TextDocument;
await readings.read(asDocument);

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;

const answers: number[] = [];
let count = 0;
for (let i = 0; i < EDITS; i += 1) {
  document.insert(Math.floor((document.getText().length * i) / EDITS), i % 7 === 0 ? '\n' : ' ');
  const began = performance.now();
  count = lensesOf(readings.peek(asDocument), learned as LearnedStore, asDocument).length;
  answers.push(performance.now() - began);
}
const most = Math.max(...answers);

const readTimes: number[] = [];
for (let i = 0; i < 9; i += 1) {
  document.insert(0, ' ');
  const began = performance.now();
  await readings.read(asDocument);
  lensesOf(readings.peek(asDocument), learned as LearnedStore, asDocument);
  readTimes.push(performance.now() - began);
}
readings.dispose();

const report = {
  lines: LINES,
  lenses: count,
  answerAfterEditMs: { median: median(answers), most },
  readAgainMs: { median: median(readTimes), most: Math.max(...readTimes) },
};
console.log(JSON.stringify(report, null, 1));
if (most > 50) process.exitCode = 1;
