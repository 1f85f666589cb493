// 1,797 digits of 8x8 pixels: the first 1,500 to train, the others to test.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const text = gunzipSync(readFileSync(new URL('./digits.csv.gz', import.meta.url))).toString();
const rows = text
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));

const part = (some) => ({
  x: some.map((row) => row.slice(0, 64).map((grey) => grey / 16)),
  y: some.map((row) => row[64]),
});

export const train = part(rows.slice(0, 1500));
export const test = part(rows.slice(1500));
