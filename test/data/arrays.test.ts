import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'jpeg-js';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bigInts, floats, idx, makeFolder, npy, zip, type Folder } from './files';

let folder: Folder;
beforeAll(() => {
  folder = makeFolder();
});
afterAll(() => folder.remove());

const X = npy('<f4', [3, 2], floats([1, 2, 3, 4, 5, 6]));
const Y = npy('<i8', [3], bigInts([0, 1, 0]));

describe('NPY', () => {
  it('reads a pair, named by a comma, by target, or alike', async () => {
    folder.write('x_train.npy', X);
    folder.write('y_train.npy', Y);
    for (const [data, names] of [
      ['x_train.npy', {}],
      ['x_train.npy,y_train.npy', {}],
      ['x_train.npy', { target: 'y_train.npy' }],
      ['x_train.npy', { test: 'x_train.npy' }],
    ] as const) {
      const { parts, measured } = await folder.read(data, names);
      expect(parts.train).toMatchObject({ count: 3, x: { shape: [2] }, y: { kind: 'classes', classes: 2 } });
      expect([...parts.train.x.data]).toEqual([1, 2, 3, 4, 5, 6]);
      expect(measured).toBeUndefined();
      expect(parts.test?.count).toBe('test' in names ? 3 : undefined);
    }
  });

  it.each([
    ['column-major floats', npy('<f4', [2, 3], floats([1, 4, 2, 5, 3, 6]), true), [1, 2, 3, 4, 5, 6]],
    ['big-endian shorts', npy('>i2', [2, 1], Uint8Array.from([0, 7, 0xff, 0xff])), [7, -1]],
    ['half floats', npy('<f2', [2, 1], Uint8Array.from([0, 0x3c, 0, 0xc0])), [1, -2]],
    ['booleans', npy('|b1', [2, 1], Uint8Array.from([1, 0])), [1, 0]],
  ])('reads %s', async (_what, bytes, values) => {
    folder.write('in.npy', bytes);
    folder.write('out.npy', npy('<i8', [2], bigInts([0, 1])));
    const { parts } = await folder.read('in.npy,out.npy');
    expect([...parts.train.x.data]).toEqual(values);
  });

  it.each([
    ['text', npy('<U5', [1], floats([1, 2, 3, 4, 5])), /holds "'<U5'".*no numbers/],
    ['a single number', npy('<f4', [], floats([1])), /single number/],
    ['too few bytes', X.subarray(0, -4), /cut off.*3 × 2 values/],
    ['another file', Buffer.from('hello, hello, hello'), /is no NPY file/],
    ['NaN', npy('<f4', [3, 2], floats([1, 2, 3, Number.NaN, 5, 6])), /NaN in row 1/],
    ['other rows', npy('<f4', [2, 2], floats([1, 2, 3, 4])), /2 rows of x and 3 of y/],
  ])('refuses %s', async (_what, bytes, says) => {
    folder.write('bad.npy', bytes);
    folder.write('labels.npy', Y);
    expect(await folder.refusal('bad.npy,labels.npy')).toMatch(says);
  });

  it('asks for labels that it cannot find', async () => {
    folder.write('alone.npy', X);
    expect(await folder.refusal('alone.npy')).toMatch(/alone\.npy holds inputs alone; name .* target=/);
    expect(await folder.refusal('alone.npy,gone.npy')).toMatch(/gone\.npy does not exist/);
  });
});

describe('NPZ', () => {
  it('reads x and y, parts by their names, or a target', async () => {
    const other = npy('<f4', [3, 2], floats([9, 9, 9, 9, 9, 9]));
    folder.write('a.npz', zip({ 'x.npy': X, 'y.npy': Y }));
    folder.write('b.npz', zip({ 'x_train.npy': X, 'y_train.npy': Y, 'x_test.npy': other, 'y_test.npy': Y }));
    folder.write('c.npz', zip({ 'pixels.npy': X, 'digit.npy': Y }));
    expect((await folder.read('a.npz')).parts.train.count).toBe(3);
    expect((await folder.read('b.npz')).parts.test?.x.data[0]).toBe(9);
    expect((await folder.read('a.npz', { test: 'b.npz' })).parts.test?.x.data[0]).toBe(9);
    expect((await folder.read('c.npz', { target: 'digit' })).notes.join()).toContain('array pixels');
    expect(await folder.refusal('c.npz')).toMatch(/holds the arrays "pixels", "digit".*target=/);
  });

  it('refuses what is no zip file', async () => {
    folder.write('bad.npz', 'no zip at all');
    expect(await folder.refusal('bad.npz')).toMatch(/bad\.npz is no readable NPZ file/);
  });
});

describe('IDX', () => {
  const images = idx(
    [4, 2, 2],
    Uint8Array.from({ length: 16 }, (_, i) => i * 17),
  );
  const labels = idx([4], Uint8Array.from([0, 1, 2, 1]));

  it('reads images and the labels beside them, packed or not', async () => {
    folder.write('train-images-idx3-ubyte', images);
    folder.write('train-labels-idx1-ubyte', labels);
    folder.write('t10k-images.idx3-ubyte.gz', gzipSync(images));
    folder.write('t10k-labels.idx1-ubyte.gz', gzipSync(labels));
    const { parts, notes } = await folder.read('train-images-idx3-ubyte', {
      test: 't10k-images.idx3-ubyte.gz',
    });
    expect(parts.train).toMatchObject({ count: 4, x: { shape: [2, 2], scale: 1 / 255 }, y: { classes: 3 } });
    expect(parts.test?.count).toBe(4);
    expect(notes).toContain('labels are read from train-labels-idx1-ubyte');
  });

  it('refuses one that is cut off, and one that is none', async () => {
    folder.write('cut-images-idx3-ubyte', images.subarray(0, 20));
    folder.write('cut-labels-idx1-ubyte', labels);
    expect(await folder.refusal('cut-images-idx3-ubyte')).toMatch(/cut off.*4 × 2 × 2/);
    folder.write('cut-images-idx3-ubyte', 'hello');
    expect(await folder.refusal('cut-images-idx3-ubyte')).toMatch(/no IDX file/);
  });
});

describe('a folder of images', () => {
  const png = (width: number, height: number, rgb: readonly number[]): Buffer => {
    const image = new PNG({ width, height });
    for (let i = 0; i < width * height; i += 1) image.data.set([...rgb, 255], i * 4);
    return PNG.sync.write(image);
  };

  it('reads PNG and JPEG in colour, classes by folder in sorted order', async () => {
    folder.write('colour/b/1.png', png(4, 3, [255, 0, 10]));
    folder.write('colour/a/2.PNG', png(4, 3, [1, 2, 3]));
    folder.write('colour/a/notes.txt', 'not an image');
    const data = Buffer.alloc(4 * 3 * 4, 200);
    folder.write('colour/c/3.jpg', encode({ width: 4, height: 3, data }, 95).data);
    const { parts, notes } = await folder.read('colour');
    expect(parts.train).toMatchObject({ count: 3, x: { shape: [3, 4, 3], scale: 1 / 255 } });
    expect(parts.train.y).toMatchObject({ classes: 3 });
    const { y, x } = parts.train;
    const row = y.kind === 'classes' ? y.ids.indexOf(1) : -1;
    expect([...x.data.slice(row * 36, row * 36 + 3)]).toEqual([255, 0, 10]);
    expect(Math.abs((x.data[(y.kind === 'classes' ? y.ids.indexOf(2) : 0) * 36] ?? 0) - 200)).toBeLessThan(6);
    expect(notes[0]).toBe('classes are the folders in sorted order: 0 a, 1 b, 2 c');
  });

  it('reads gray images with one channel, and train and test folders', async () => {
    for (const [part, value] of [
      ['train', 10],
      ['test', 20],
    ] as const)
      for (const digit of ['0', '1', '10', '2'])
        folder.write(`gray/${part}/${digit}/i.png`, png(2, 2, [value, value, value]));
    const { parts, notes } = await folder.read('gray');
    expect(parts.train.x.shape).toEqual([2, 2, 1]);
    expect([...(parts.test?.x.data.slice(0, 4) ?? [])]).toEqual([20, 20, 20, 20]);
    expect(notes[0]).toContain('0 0, 1 1, 2 2, 3 10');
    expect((await folder.read('gray/train', { test: 'gray/test' })).parts.test?.count).toBe(4);
  });

  it('refuses images of several sizes, broken ones, other classes, and folders without any', async () => {
    folder.write('sizes/a/1.png', png(2, 2, [1, 1, 1]));
    folder.write('sizes/b/2.png', png(2, 3, [1, 1, 1]));
    expect(await folder.refusal('sizes')).toMatch(/2\.png is 2 × 3 pixels, other images are 2 × 2/);
    folder.write('broken/a/1.png', png(2, 2, [1, 1, 1]).subarray(0, 40));
    expect(await folder.refusal('broken')).toMatch(/1\.png is no readable PNG or JPEG/);
    folder.write('jpeg/a/1.jpg', 'hello');
    expect(await folder.refusal('jpeg')).toMatch(/1\.jpg is no readable/);
    folder.write('more/c/1.png', png(2, 2, [1, 1, 1]));
    expect(await folder.refusal('gray/train', { test: 'more' })).toMatch(
      /class that the training data has not/,
    );
    mkdirSync(path.join(folder.path, 'none/a'), { recursive: true });
    expect(await folder.refusal('none')).toMatch(/no PNG or JPEG images/);
    expect(await folder.refusal('none/a')).toMatch(/holds no folders/);
  });
});
