import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { decode } from 'jpeg-js';
import { PNG } from 'pngjs';
import { badInput } from '../core/errors';
import type { Rows } from './dataset';
import { checkSize, sentence } from './openFile';
import { compareTexts, quote } from './table';
import { shortList, type ReadData } from './tableParts';

/** A folder of images: a folder a class, or `train` and `test` (and `validation`) with a folder a class in each. */

const IMAGE = /\.(png|jpe?g)$/i;
const MOST_PIXELS = 64 * 2 ** 20;
const PARTS = { train: /^train(ing)?$/i, validation: /^val(id|idation)?$/i, test: /^test(ing)?$/i } as const;

/** An image, [height, width, 3], 0..255. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

interface Pile {
  readonly rows: Rows;
  readonly gray: boolean;
}

/**
 * Reads a folder of PNG and JPEG images, all of one size; the class is the folder's name, numbered in sorted order.
 *
 * @throws ShrinkError `data-missing`, `data-shape` or `data-format`, naming the image
 */
export async function readImages(folder: string, classesWanted?: readonly string[]): Promise<ReadData> {
  const folders = await foldersIn(folder);
  const named = (pattern: RegExp): string | undefined => folders.find((name) => pattern.test(name));
  const train = named(PARTS.train);
  const root = train === undefined ? folder : path.join(folder, train);
  const classes = classesWanted ?? (await foldersIn(root)).sort(compareTexts);
  const piles: { train: Pile; validation?: Pile; test?: Pile } = { train: await readPile(root, classes) };
  const notes = [
    `classes are the folders in sorted order: ${shortList(classes.map((name, id) => `${id} ${name}`))}`,
  ];
  const shape = piles.train.rows.x.shape;
  for (const part of ['validation', 'test'] as const) {
    const name = train === undefined ? undefined : named(PARTS[part]);
    if (name !== undefined) piles[part] = await readPile(path.join(folder, name), classes, shape);
  }
  const all = [piles.train, piles.validation, piles.test].filter((pile) => pile !== undefined);
  const gray = all.every((pile) => pile.gray);
  notes.push(
    `images are [${shape.slice(0, 2).join(', ')}, ${gray ? '1], gray' : '3], red, green, blue'}; values of 0..255 are divided by 255`,
  );
  const rowsOf = ({ rows }: Pile): Rows => (gray ? grayRows(rows) : rows);
  return {
    parts: {
      train: rowsOf(piles.train),
      ...(piles.validation === undefined ? {} : { validation: rowsOf(piles.validation) }),
      ...(piles.test === undefined ? {} : { test: rowsOf(piles.test) }),
    },
    notes,
  };
}

/** Names of the classes of a folder of images, sorted. */
export async function imageClasses(folder: string): Promise<string[]> {
  const folders = await foldersIn(folder);
  const train = folders.find((name) => PARTS.train.test(name));
  return (train === undefined ? folders : await foldersIn(path.join(folder, train))).sort(compareTexts);
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}

async function readPile(root: string, classes: readonly string[], wanted?: readonly number[]): Promise<Pile> {
  const files: { file: string; id: number }[] = [];
  for (const name of await foldersIn(root)) {
    const id = classes.indexOf(name);
    const images = (await readdir(path.join(root, name)))
      .filter((file) => IMAGE.test(file))
      .sort(compareTexts);
    if (id < 0 && images.length > 0)
      throw badInput(
        'data-target',
        `${path.join(root, name)} is a class that the training data has not; remove or rename it.`,
      );
    for (const file of images) files.push({ file: path.join(root, name, file), id });
  }
  const [first] = files;
  if (first === undefined)
    throw badInput(
      'data-missing',
      `${root} holds no PNG or JPEG images; give it a folder for each class with images in it.`,
    );
  const { width, height } = await readPicture(first.file);
  const size = width * height * 3;
  checkSize(size * files.length, root);
  const data = new Uint8Array(size * files.length);
  let gray = true;
  for (const [row, { file }] of files.entries()) {
    const picture = await readPicture(file);
    const [h, w] = wanted ?? [height, width];
    if (picture.width !== w || picture.height !== h)
      throw badInput(
        'data-shape',
        `${file} is ${picture.width} × ${picture.height} pixels, other images are ${w ?? 0} × ${h ?? 0}; make them equal.`,
      );
    data.set(picture.pixels, row * size);
    gray &&= isGray(picture.pixels);
  }
  const ids = Int32Array.from(files, ({ id }) => id);
  const rows: Rows = {
    count: files.length,
    x: { shape: [height, width, 3], data, scale: 1 / 255 },
    y: { kind: 'classes', ids, classes: classes.length },
  };
  return { rows, gray };
}

async function readPicture(file: string): Promise<Picture> {
  const bytes = await readFile(file).catch((thrown: unknown) => {
    throw badInput(
      'data-missing',
      `${file} cannot be read: ${sentence(thrown)}; correct its rights.`,
      thrown,
    );
  });
  return decodePicture(bytes, file);
}

/**
 * Decodes a PNG or JPEG image by its bytes, whatever its name says; transparency is dropped.
 *
 * @throws ShrinkError `data-format`
 */
export function decodePicture(bytes: Buffer, file: string): Picture {
  try {
    const { width, height, data } = bytes[0] === 0x89 ? decodePng(bytes) : decodeJpeg(bytes);
    const pixels = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i += 1)
      for (let c = 0; c < 3; c += 1) pixels[i * 3 + c] = data[i * 4 + c] ?? 0;
    return { width, height, pixels };
  } catch (thrown) {
    throw badInput(
      'data-format',
      `${file} is no readable PNG or JPEG image (${sentence(thrown)}); replace or remove it.`,
      thrown,
    );
  }
}

interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

function decodePng(bytes: Buffer): Rgba {
  const pixels = bytes.length >= 24 ? bytes.readUInt32BE(16) * bytes.readUInt32BE(20) : 0;
  if (pixels === 0 || pixels > MOST_PIXELS) throw new Error(`its header says ${pixels} pixels`);
  return PNG.sync.read(bytes);
}

function decodeJpeg(bytes: Buffer): Rgba {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new Error('it starts like neither');
  return decode(bytes, { useTArray: true, maxResolutionInMP: MOST_PIXELS / 1e6, maxMemoryUsageInMB: 1024 });
}

function isGray(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}

function grayRows(rows: Rows): Rows {
  const { data, shape } = rows.x;
  return {
    ...rows,
    x: {
      ...rows.x,
      shape: [...shape.slice(0, 2), 1],
      data: new Uint8Array(data.length / 3).map((_, i) => data[i * 3] ?? 0),
    },
  };
}

/** Says why a folder cannot be read as images. */
export function noClasses(folder: string): Error {
  return badInput(
    'data-missing',
    `${quote(folder)} holds no folders; give it one for each class, with images in it.`,
  );
}
