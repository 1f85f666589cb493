import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, it } from 'vitest';
import type * as Sources from '../../src/shell/sources';

/** What a window loads when it opens a model file: everything that the extension's first part requires at its top. */

const dist = path.resolve(import.meta.dirname, '../../dist');
/** Parsers and schemas are ten times as large as what is needed at the start. */
const MOST_BYTES = 200_000;

it('loads neither parsers nor schemas before they are needed', () => {
  const loaded = new Map<string, string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    const text = readFileSync(path.join(dist, name), 'utf8');
    loaded.set(name, text);
    // A part that is loaded later is required inside of a promise.
    for (const [, part = ''] of text
      .replaceAll(/Promise\.resolve\(\)\.then\([^;]*?require\("[^"]*"\)\)*/g, '')
      .matchAll(/require\("\.\/(extension-\w+\.cjs)"\)/g))
      load(part);
  };
  load('extension.cjs');
  const bytes = [...loaded.values()].reduce((sum, text) => sum + text.length, 0);
  expect(loaded.size).toBeGreaterThan(5);
  expect(bytes).toBeLessThan(MOST_BYTES);
});

it('reads models with the parts as they are packed', async () => {
  const name = readdirSync(dist).find((part) => {
    const text = readFileSync(path.join(dist, part.endsWith('.cjs') ? part : 'extension.cjs'), 'utf8');
    return part.startsWith('extension-') && /modelFollower:\s*\(\)/.test(text) && !text.includes('"vscode"');
  });
  const { modelFollower } = createRequire(import.meta.url)(path.join(dist, name ?? '')) as Pick<
    typeof Sources,
    'modelFollower'
  >;
  const follow = await modelFollower(() => undefined);
  const source = follow('/w/model.js');
  const text = "import * as tf from '@tensorflow/tfjs';\nexport const model = tf.sequential();\n";
  expect(source.read(text).models.map((model) => model.name)).toEqual(['model']);
  source.close();
});
