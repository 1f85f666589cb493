import '@tensorflow/tfjs-backend-cpu';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as prettier from 'prettier';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluatePlan } from '../../src/backend/userCode';
import { ShrinkError } from '../../src/core/errors';
import type { Plan } from '../../src/core/plan';
import type { Topology } from '../../src/core/topology';
import * as tf from '../../src/engine/tf';
import { makePlan, writeModule, type ModuleLibrary } from '../../src/language';
import { topologyOf } from '../../src/train/model';
import { goldenFiles } from './support/golden';
import { read } from './support/parsers';

/**
 * Generated modules of every golden model are what the formatters of their languages would make of them: Prettier and
 * Black, as they are without settings, leave each as it is. Every model is written a second time with long names, so
 * that every kind of line has to be spread.
 */

interface Given {
  readonly name: string;
  readonly topology: Topology;
  /** Length of its layers' names, where they are not the source's own. */
  readonly length?: number;
}

const given: Given[] = [];

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
  for (const { file, text } of goldenFiles()) {
    const reading = read(text, file);
    for (const { name } of reading.models.filter((model) => model.partOf.length === 0)) {
      const plan = makePlan(reading, name);
      const topology = plan.program.kind === 'topology' ? plan.program.topology : await madeTopology(plan);
      const label = `${path.basename(file)} ${name}`;
      given.push({ name: label, topology });
      for (const length of [36, 62])
        given.push({
          name: `${label} with names of ${length}`,
          topology: lengthenNames(topology, length),
          length,
        });
    }
  }
}, 120_000);

async function madeTopology(plan: Plan): Promise<Topology> {
  const { model } = await evaluatePlan(plan);
  const topology = topologyOf(model);
  model.dispose();
  return topology;
}

/** The same model, its layers' names filled up to a length. */
function lengthenNames(topology: Topology, length: number): Topology {
  const names = new Map(
    topology.config.layers.map(({ config }, i) => {
      const name = String(config['name']);
      return [name, `${name}_${i}_`.padEnd(length, 'abcdefghi')];
    }),
  );
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return names.get(value) ?? value;
    if (Array.isArray(value)) return value.map((item) => rename(item));
    if (typeof value !== 'object' || value === null) return value;
    // An activation may be called like a layer.
    const entries = Object.entries(value).map(([inner, item]): [string, unknown] => [
      inner,
      inner === 'activation' ? item : rename(item),
    ]);
    return Object.fromEntries(entries);
  };
  return rename(topology) as Topology;
}

/** Modules of a library by file name; what the library has no counterpart of is left out. */
function modules(library: ModuleLibrary, extension: string): { name: string; file: string; text: string }[] {
  // Longer names of modules are split by Black at their subscripts, which nobody would want.
  const longest = library === 'torch' ? 36 : 100;
  const fitting = given.filter(({ length = 0 }) => length <= longest);
  return fitting.flatMap(({ name, topology }, index) => {
    try {
      const text = writeModule(topology, {
        library,
        typescript: extension === '.ts',
        model: 'Net',
        hintOf: (layer) => (layer.includes('1') ? '@shrink min=8' : undefined),
        pathsOf: (layer) => [layer],
      });
      return [{ name, file: `model${index}_${library}${extension}`, text }];
    } catch (thrown) {
      if (thrown instanceof ShrinkError && thrown.code === 'module') return [];
      throw thrown;
    }
  });
}

describe('modules', () => {
  it.each(['.ts', '.js'])('in %s are as Prettier writes them', async (extension) => {
    const written = modules('tfjs', extension);
    expect(written.length).toBeGreaterThan(80);
    for (const { name, file, text } of written)
      expect(await prettier.format(text, { filepath: file }), name).toBe(text);
  });

  it.skipIf(!hasBlack())(
    'in Python are as Black writes them',
    () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-black-'));
      try {
        const written = [...modules('keras', '.py'), ...modules('torch', '.py')];
        expect(written.length).toBeGreaterThan(100);
        for (const { file, text } of written) writeFileSync(path.join(folder, file), text);
        const { stdout, stderr } = spawnSync('black', ['--diff', '--quiet', folder], {
          encoding: 'utf8',
          maxBuffer: 1 << 26,
        });
        expect(stdout + stderr).toBe('');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    300_000,
  );
});

/** Black is Debian's package of that name; it is not everywhere. */
function hasBlack(): boolean {
  try {
    execFileSync('black', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(
      'No Black: the test of generated Python modules with it is skipped (apt-get install black).',
    );
    return false;
  }
}
