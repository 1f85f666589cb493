// 1,797 digits of 8x8 pixels: every sixth is kept to test.
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

export const train = part(rows.filter((_, i) => i % 6 !== 5));
export const test = part(rows.filter((_, i) => i % 6 === 5));
