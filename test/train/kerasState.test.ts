import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/random';
import { sizeOf } from '../../src/core/tensor';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { writeModule } from '../../src/language';
import { readWeights, setWeights } from '../../src/train/model';
import { exportSourceWeights } from '../../src/train/sourceWeights';
import { planOf } from '../language/support/parsers';
import { hasKeras, KERAS_PYTHON } from '../support/keras';
import { randomWeights } from './support/randomWeights';

/** Whatever the front-end reads of Keras: random weights, loaded as `load.py` says, give the same outputs there and here. */

const golden = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, '../golden/python', `${name}.py`), 'utf8')
    // Data sets would be fetched, and nothing is trained.
    .replaceAll(/^.*(?:load_data|x_train).*\n/gm, '')
    .replaceAll(/^model\.fit\(.*\n/gm, '');

const CASES = [
  { model: 'model', name: 'kerasSequential', source: golden('kerasSequential') },
  { model: 'model', name: 'kerasStructured', source: golden('kerasStructured') },
  { model: 'build_model', name: 'kerasFunctional', source: golden('kerasFunctional') },
  { model: 'make_model', name: 'kerasTimeseries', source: golden('kerasTimeseries') },
  { model: 'make_model', name: 'kerasXception', source: golden('kerasXception') },
  { model: 'model', name: 'kerasAdd', source: golden('kerasAdd') },
  { model: 'model', name: 'kerasAugmented', source: golden('kerasAugmented') },
  { model: 'get_model', name: 'kerasUnet', source: golden('kerasUnet') },
  { model: 'model', name: 'kerasText', source: golden('kerasText') },
  { model: 'SmallResNet', name: 'kerasBlocks', source: golden('kerasBlocks') },
  { model: 'Classifier', name: 'kerasSubclassed', source: golden('kerasSubclassed') },
];

describe.skipIf(!hasKeras())('weights in a real Keras', () => {
  let folder: string;
  beforeAll(async () => {
    await findEngine('cpu').load();
    folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-keras-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('give what they give here, in the source and in the generated module', async () => {
    const asked: object[] = [];
    const wanted: { name: string; values: number[] }[] = [];
    for (const { model: chosen, name, source } of CASES) {
      const { program } = planOf(source, chosen, '/project/model.py');
      if (program.kind !== 'topology') throw new Error('This source is not read statically.');
      const model = await tf.models.modelFromJSON({ modelTopology: program.topology as never });
      const weights = randomWeights(await readWeights(model));
      setWeights(model, weights);
      const shape = (model.inputs[0]?.shape ?? []).slice(1).map(Number);
      const random = seededRandom(7);
      const isText = program.topology.config.layers.some((layer) => layer.class_name === 'Embedding');
      const draw = (): number => (isText ? Math.floor(random() * 1000) : random() * 2 - 1);
      const rows = Float32Array.from({ length: 3 * sizeOf(shape) }, draw);
      const output = tf.tidy(() => (model.predict(tf.tensor(rows, [3, ...shape])) as tf.Tensor).dataSync());
      model.dispose();
      const module = writeModule(program.topology, {
        ...{ library: 'keras', typescript: false, model: chosen, hintOf: () => undefined },
      });
      // A module's own order of layers is that of its calls.
      const { pathOf: _paths, ...called } = program;
      for (const [label, text, attribute, made] of [
        [name, source, /^[a-z]/.test(chosen) ? 'model' : chosen, program],
        [`${name}Compact`, module, 'create_model', called],
      ] as const) {
        const inside = path.join(folder, label);
        mkdirSync(inside);
        const { files } = await exportSourceWeights(made, program.topology, weights);
        for (const [file, content] of Object.entries(files)) writeFileSync(path.join(inside, file), content);
        writeFileSync(path.join(inside, 'source.py'), text);
        writeFileSync(path.join(inside, 'rows.bin'), rows);
        const at = (file: string): string => path.join(inside, file);
        asked.push({
          folder: inside,
          source: at('source.py'),
          model: attribute,
          rows: at('rows.bin'),
          shape,
        });
        wanted.push({ name: label, values: [...output] });
      }
    }
    const script = path.join(import.meta.dirname, 'support/checkKeras.py');
    const printed = execFileSync(KERAS_PYTHON, [script], {
      input: JSON.stringify(asked),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // Sources may print as well, a summary say; the answer comes last.
    const said = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as number[][];
    expect(said).toHaveLength(wanted.length);
    const wrong = wanted.flatMap(({ name, values }, i) => {
      const given = [said[i]].flat(9) as number[];
      const largest = given.reduce(
        (most, value, j) => Math.max(most, Math.abs(value - (values[j] ?? Number.NaN))),
        0,
      );
      const isSame = given.length === values.length && largest < 1e-4;
      return isSame ? [] : [`${name}: ${given.length} of ${values.length} values, off by ${largest}`];
    });
    expect(wrong).toEqual([]);
  }, 300_000);
});
