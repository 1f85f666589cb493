import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { ToRead } from '../../src/vscode/reader/messages';
import { Reader } from '../../src/vscode/reader/reader';
import { DEADLY, mortalReader, READER_PROGRAM } from './support/mortalReader';

/** The thread that reads sources, as it is packed. */

const SOURCE = `import * as tf from '@tensorflow/tfjs';
export function makeModel() {
  const model = tf.sequential();
  // @shrink mi
  model.add(tf.layers.dense({ inputShape: [4], units: 8 }));
  model.add(tf.layers.dense({ units: 2 }));
  return model;
}
`;

const mortal = mortalReader();
const { folder } = mortal;

let reader: Reader;
let said: string[] = [];

function open(script: string): Reader {
  said = [];
  reader = new Reader((why) => said.push(why), script);
  return reader;
}

function toRead(text: string): ToRead {
  return { file: path.join(folder, 'model.js'), text, held: {} };
}

function following(text: string, version: string): ToRead & { key: string; version: string } {
  return { key: 'model', version, ...toRead(text) };
}

afterAll(() => mortal.remove());

afterEach(() => reader.dispose());

test('reads a source, and answers about the version that was read last', async () => {
  open(READER_PROGRAM);
  const reading = await reader.ask('follow', following(SOURCE, '1'));
  expect(reading.models.map(({ name, sites }) => [name, sites.length])).toEqual([['makeModel', 2]]);
  const place = { key: 'model', offset: SOURCE.indexOf('@shrink mi') + '@shrink mi'.length };
  const found = await reader.ask('complete', { ...place, version: '1' });
  expect(found.map(({ label }) => label)).toContain('min');
  const about = await reader.ask('hover', { ...place, version: '1', offset: SOURCE.indexOf('@shrink') + 2 });
  expect(about?.lines.join('\n')).toContain('width is to be learned');
  expect(await reader.ask('complete', { ...place, version: '2' })).toEqual([]);
  await reader.ask('close', { key: 'model' });
  expect(await reader.ask('complete', { ...place, version: '1' })).toEqual([]);
});

test('answers in order, whatever is asked at once', async () => {
  open(READER_PROGRAM);
  const offset = SOURCE.indexOf('@shrink mi') + '@shrink mi'.length;
  const asked = ['1', '2', '3'].flatMap((version) => [
    reader.ask('follow', following(SOURCE + '\n'.repeat(Number(version)), version)),
    reader.ask('complete', { key: 'model', version, offset }).then((found) => found.length > 0),
  ]);
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => typeof answer === 'boolean')).toEqual([true, true, true]);
});

test('plans from texts that are held and not saved', async () => {
  open(READER_PROGRAM);
  const text = SOURCE.replace('@shrink mi', '@shrink')
    .replace('units: 8', 'units: WIDTH')
    .replace('\n', "\nimport { WIDTH } from './width.js';\n");
  const held = { [path.join(folder, 'width.js')]: 'export const WIDTH = 24;\n' };
  const plan = await reader.ask('plan', { ...toRead(text), held });
  expect(plan.sites.map(({ width }) => width)).toEqual([24, 2]);
});

test('an error for the user stays one', async () => {
  open(READER_PROGRAM);
  const asked = reader.ask('plan', { ...toRead(SOURCE), model: 'other' });
  await expect(asked).rejects.toMatchObject({
    name: 'ShrinkError',
    kind: 'bad-input',
    code: 'unknown-model',
    message: expect.stringContaining('it has makeModel') as string,
  });
});

test('a thread that ends is said and started again; what else was asked is answered', async () => {
  open(mortal.program);
  await reader.ask('follow', following(SOURCE, '1'));
  const deadly = reader.ask('follow', following(DEADLY, '2'));
  const other = reader.ask('read', toRead(SOURCE));
  await expect(deadly).rejects.toMatchObject({ code: 'reader-ended' });
  expect((await other).models).toHaveLength(1);
  expect(said).toEqual(['it ended with code 3']);
  expect((await reader.ask('follow', following(SOURCE, '3'))).models).toHaveLength(1);
});

test('a program that cannot be loaded is said each time, and nobody waits', async () => {
  open(path.join(folder, 'missing.cjs'));
  const asked = [reader.ask('read', toRead(SOURCE)), reader.ask('read', toRead(SOURCE))];
  const answers = await Promise.allSettled(asked);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(said).toHaveLength(2);
  expect(said[0]).toContain('missing.cjs');
});
