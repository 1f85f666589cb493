import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, makeProject, runCli } from '../support/cli';
import { DIGITS } from './files';

/** A table named in a hint, trained through the command line. */

const model = (data: string): string => `
import * as tf from '@tensorflow/tfjs';
// @shrink-model data=${data} epochs=6 finish=1 budget=50% engine=wasm
export function build() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [64], units: 24, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}
`;

let project: { folder: string; remove: () => void };
beforeAll(() => {
  project = makeProject({
    'model.ts': model('./digits.csv.gz'),
    'gap.ts': model('./gap.csv'),
    'gap.csv': `${'1,'.repeat(64)}0\n${'2,'.repeat(63)},1\n`,
  });
  copyFileSync(DIGITS, path.join(project.folder, 'digits.csv.gz'));
});
afterAll(() => project.remove());

describe('train on a table', () => {
  it('learns the digits of a CSV file, and says what it did to them', async () => {
    const result = await runCli(['train', 'model.ts', '--json'], project.folder);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.code).toBe(0);
    const events = eventsOf(result);
    const data = events.find((event) => event['type'] === 'data');
    expect(Number(data?.['train']) + Number(data?.['validation']) + Number(data?.['test'])).toBe(1797);
    expect(String(data?.['notes'])).toMatch(/column 65, is predicted/);
    expect(String(data?.['notes'])).toMatch(/64 input columns are standardised/);
  });

  it('refuses a table with a gap in one line', async () => {
    const { code, stderr } = await runCli(['train', 'gap.ts'], project.folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/gap\.csv: line 2 has no value in "?column 64/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
