import type * as vscode from 'vscode';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { documentChanges, StubDocument } from '../../bench/editor/vscodeStub';
import { Readings } from '../../src/vscode/language/readings';
import { DEADLY, mortalReader } from './support/mortalReader';

/**
 * What is held of documents while somebody types. The editor is a stub: in a real one nobody can say that an edit comes
 * between a question to the thread and its answer. The thread is the real one, as it is packed.
 */
vi.mock('vscode', () => import('../../bench/editor/vscodeStub'));

const LAYER = '  model.add(tf.layers.dense({ inputShape: [4], units: 8 }));\n';
const SOURCE = `import * as tf from '@tensorflow/tfjs';
export function makeModel() {
  const model = tf.sequential();
${LAYER}  // @shrink
  model.add(tf.layers.dense({ units: 2 }));
  return model;
}
`;

const logged: string[] = [];
const log = {
  warn: (text: string) => logged.push(text),
  error: (text: string) => logged.push(text),
} as unknown as vscode.LogOutputChannel;

const mortal = mortalReader();
let readings: Readings;
let document: StubDocument;
let asDocument: vscode.TextDocument;

beforeEach(() => {
  logged.length = 0;
  readings = new Readings(log, mortal.program);
  document = new StubDocument(SOURCE);
  asDocument = document as unknown as vscode.TextDocument;
});

afterAll(() => mortal.remove());

afterEach(() => {
  readings.dispose();
  expect(documentChanges.size).toBe(0);
});

/** What stands in the document where the reading has its layers. */
function layersHere(): string[] {
  const held = readings.peek(asDocument);
  return (held?.reading.models ?? []).flatMap(({ sites }) =>
    sites.map(({ range }) => {
      const here = held?.here(range);
      return document.getText().slice(here?.start, (here?.start ?? 0) + 'tf.layers'.length);
    }),
  );
}

test('an edit while the text is read moves what was read', async () => {
  const first = readings.look(asDocument);
  document.insert(0, '// a line above\n');
  await first;
  expect(readings.peek(asDocument)?.current).toBe(true);
  const again = new Promise<void>((resolve) => readings.onDidRead(() => resolve()));
  document.insert(0, '// one more\n');
  const asked = readings.look(asDocument);
  document.insert(0, '// and one while the thread reads\n');
  await again;
  expect(readings.peek(asDocument)?.current).toBe(false);
  expect(layersHere()).toEqual(['tf.layers', 'tf.layers']);
  await asked;
  expect(readings.peek(asDocument)?.current).toBe(true);
  expect(layersHere()).toEqual(['tf.layers', 'tf.layers']);
});

test('what is looked at is the text as it is now, whatever was typed meanwhile', async () => {
  const looks: Promise<unknown>[] = [];
  const at = SOURCE.indexOf(LAYER);
  for (let turn = 0; turn < 5; turn += 1) {
    document.insert(at, LAYER);
    looks.push(
      readings.look(asDocument).then((held) => [held?.current, held?.reading.models[0]?.sites.length]),
    );
  }
  expect(await Promise.all(looks)).toEqual(Array.from({ length: 5 }, () => [true, 7]));
});

test('a pause in typing is enough to be read again', async () => {
  await readings.look(asDocument);
  const again = new Promise<void>((resolve) => readings.onDidRead(() => resolve()));
  document.insert(SOURCE.indexOf(LAYER), LAYER);
  expect(readings.peek(asDocument)?.reading.models[0]?.sites).toHaveLength(2);
  await again;
  expect(readings.peek(asDocument)?.reading.models[0]?.sites).toHaveLength(3);
});

test('a document that is closed while it is read is not held', async () => {
  const look = readings.look(asDocument);
  document.close();
  expect(await look).toBeUndefined();
  expect(readings.peek(asDocument)).toBeUndefined();
});

test('after the thread ended, what is asked about a text is answered as before', async () => {
  const held = await readings.look(asDocument);
  const offset = SOURCE.indexOf('@shrink') + 2;
  if (held === undefined) throw new Error('not read');
  const before = await readings.hover(held, offset);
  expect(before?.lines.join()).toContain('width is to be learned');
  const deadly = new StubDocument(DEADLY, '/w/other.ts') as unknown as vscode.TextDocument;
  await expect(readings.look(deadly)).rejects.toMatchObject({ code: 'reader-ended' });
  expect(logged.join()).toContain('is started again');
  const heldAgain = await readings.look(asDocument);
  if (heldAgain === undefined) throw new Error('not read again');
  expect(await readings.hover(heldAgain, offset)).toEqual(before);
});
