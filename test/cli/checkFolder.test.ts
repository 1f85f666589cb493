import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mixSeed, seededRandom } from '../../src/core/random';
import { goldenFiles } from '../language/support/golden';
import { makeProject, runCli } from '../support/cli';

/** `shrinknets check` over a folder as folders are: whatever lies in it, each thing is named and nothing is thrown. */

describe('check over a folder', () => {
  let project: ReturnType<typeof makeProject>;

  beforeAll(() => {
    project = makeProject({
      'good.py': 'from torch import nn\nmodel = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))\n',
      'refused.py':
        'from torch import nn\n# @shrink-model input=[3, 8, 8]\nmodel = nn.Sequential(nn.Conv2d(3, 8, 3, groups=1), nn.Conv2d(8, 8, 3, groups=2))\n',
      'half.ts': "import * as tf from '@tensorflow/tfjs';\nexport function make() {\n  const model = tf.seq",
      'empty.js': '',
      'broken.ipynb': '{"cells": [',
      'other.ipynb': '{"no": "notebook"}',
      'inside/plain.ts': 'export const x: number = 1;\n',
    });
    const at = (name: string): string => path.join(project.folder, name);
    const random = seededRandom(3);
    writeFileSync(
      at('binary.py'),
      Buffer.from(Array.from({ length: 5000 }, () => Math.floor(random() * 256))),
    );
    writeFileSync(at('zeros.js'), Buffer.alloc(4096));
    writeFileSync(at('line.js'), `const x = [${'1,'.repeat(300_000)}];\n`);
    writeFileSync(at('deep.ts'), `const x = ${'['.repeat(20_000)}${']'.repeat(20_000)};\n`);
    writeFileSync(at('bundle.js'), `const x = "${'x'.repeat(2_000_000)}";\n`);
    writeFileSync(at('bom.py'), '\uFEFFimport keras\n');
    mkdirSync(at('folder.py'));
    symlinkSync('..', at('inside/loop'));
    symlinkSync('loop', at('inside/self'));
    symlinkSync('nowhere.ts', at('dangling.ts'));
    execFileSync('mkfifo', [at('pipe.py')]);
  });
  afterAll(() => project.remove());

  it('names what it cannot read or size, and why', async () => {
    const { code, stdout, stderr } = await runCli(['check', '.'], project.folder);
    expect(code).toBe(1);
    expect(stdout + stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).toContain('good.py:2:1: model, 3 layers');
    expect(stdout).toMatch(/refused\.py:3:.*A convolution in 2 groups is not supported/);
    expect(stdout).toContain('bundle.js: not read: 2.0 MB');
    expect(stderr).toContain('broken.ipynb');
    expect(stderr).toContain('other.ipynb');
    expect(stdout).not.toContain('dangling');
    expect(stdout.trim().split('\n').at(-1)).toMatch(/^12 files, \d+ models, \d+ errors$/);
  }, 120_000);

  it('reads files that were cut, turned over and mixed', async () => {
    const goldens = goldenFiles();
    const files: Record<string, Buffer> = {};
    for (let n = 0; n < 200; n += 1) {
      const random = seededRandom(mixSeed(5, n));
      const pick = (): Buffer =>
        Buffer.from(goldens[Math.floor(random() * goldens.length)]?.text ?? '', 'utf8');
      const [first, second] = [pick(), pick()];
      const cut = Math.floor(random() * first.length);
      const bytes = Buffer.concat([
        first.subarray(0, cut),
        second.subarray(Math.floor(random() * second.length)),
      ]);
      for (let change = Math.floor(random() * 8); change > 0 && bytes.length > 0; change -= 1)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      files[`f${n}${['.py', '.ts', '.js', '.tsx'][n % 4] ?? '.py'}`] = bytes;
    }
    const mixed = makeProject({});
    try {
      for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(mixed.folder, name), bytes);
      const { stdout, stderr } = await runCli(['check', '.'], mixed.folder);
      expect(stderr).toBe('');
      expect(stdout).not.toMatch(/^ {4}at |This file cannot be read: (?!.*not valid)/m);
      expect(stdout.trim().split('\n').at(-1)).toMatch(/^200 files, \d+ models, \d+ errors?$/);
      // Threads share the files; what they say comes in the order of the names all the same.
      const json = await runCli(['check', '.', '--json'], mixed.folder);
      const said = json.stdout.trim().split('\n');
      const names = said.map((line) => path.basename((JSON.parse(line) as { file: string }).file));
      expect(names).toEqual(Object.keys(files).sort());
    } finally {
      mixed.remove();
    }
  }, 120_000);
});
