import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { decode } from 'jpeg-js';
import { PNG } from 'pngjs';
import { badInput } from '../core/errors';
import type { AnyFeatures, Features, Labels, Rows } from './dataset';
import { checkSize, sentence } from './openFile';
import { compareTexts, quote } from './table';
import type { ReadData } from './tableParts';
import { shortList } from './tablePlan';

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

/** The images of one part: rows of red, green and blue. */
export interface Pile<X> {
  readonly rows: Rows<X>;
  /** Whether all of them are gray. */
  readonly gray: boolean;
}

/** Where the pixels of a part go. */
export interface PileMaker<X extends AnyFeatures> {
  /** @param wanted `[height, width]` that all images must have; those of the first without it */
  make(root: string, classes: readonly string[], wanted?: readonly number[]): Promise<Pile<X>>;
  /** Rows of one channel, of rows of which all are gray. */
  toGray(rows: Rows<X>): Rows<X>;
}

/** Reads a folder of images into memory, see {@link readImagesWith}. */
export function readImages(folder: string, classesWanted?: readonly string[]): Promise<ReadData> {
  return readImagesWith({ make: readPile, toGray: grayRows }, folder, classesWanted);
}

/**
 * Reads a folder of PNG and JPEG images, all of one size; the class is the folder's name, numbered in sorted order.
 *
 * @throws ShrinkError `data-missing`, `data-shape` or `data-format`, naming the image
 */
export async function readImagesWith<X extends AnyFeatures>(
  maker: PileMaker<X>,
  folder: string,
  classesWanted?: readonly string[],
): Promise<ReadData<X>> {
  const folders = await foldersIn(folder);
  const named = (pattern: RegExp): string | undefined => folders.find((name) => pattern.test(name));
  const train = named(PARTS.train);
  const root = train === undefined ? folder : path.join(folder, train);
  const classes = classesWanted ?? (await foldersIn(root)).sort(compareTexts);
  const piles: { train: Pile<X>; validation?: Pile<X>; test?: Pile<X> } = {
    train: await maker.make(root, classes),
  };
  const notes = [
    `classes are the folders in sorted order: ${shortList(classes.map((name, id) => `${id} ${name}`))}`,
  ];
  const shape = piles.train.rows.x.shape;
  for (const part of ['validation', 'test'] as const) {
    const name = train === undefined ? undefined : named(PARTS[part]);
    if (name !== undefined) piles[part] = await maker.make(path.join(folder, name), classes, shape);
  }
  const all = [piles.train, piles.validation, piles.test].filter((pile) => pile !== undefined);
  const gray = all.every((pile) => pile.gray);
  notes.push(
    `images are [${shape.slice(0, 2).join(', ')}, ${gray ? '1], gray' : '3], red, green, blue'}; values of 0..255 are divided by 255`,
  );
  const rowsOf = ({ rows }: Pile<X>): Rows<X> => (gray ? maker.toGray(rows) : rows);
  return {
    parts: {
      train: rowsOf(piles.train),
      ...(piles.validation === undefined ? {} : { validation: rowsOf(piles.validation) }),
      ...(piles.test === undefined ? {} : { test: rowsOf(piles.test) }),
    },
    notes,
    classes,
  };
}

/** Bytes that the pixels of a folder take, if all images are as large as the first. */
export async function imageBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const images = entries.filter((entry) => entry.isFile() && IMAGE.test(entry.name));
  const [first] = images;
  if (first === undefined) return 0;
  const { width, height } = await readPicture(path.join(first.parentPath, first.name));
  return width * height * 3 * images.length;
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

/** An image and the number of its class. */
export interface ImageFile {
  readonly file: string;
  readonly id: number;
}

/** The images of a part, by class and name. @throws ShrinkError `data-target` or `data-missing` */
export async function listImages(root: string, classes: readonly string[]): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
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
  if (files.length > 0) return files;
  throw badInput(
    'data-missing',
    `${root} holds no PNG or JPEG images; give it a folder for each class with images in it.`,
  );
}

/**
 * Decodes images one after the other.
 *
 * @param wanted `[height, width]`; those of the first image without it
 * @param start is told height, width and number of images, and gives what takes the pixels of each
 * @returns whether all of them are gray
 * @throws ShrinkError `data-shape` for an image of another size
 */
export async function decodeImages(
  files: readonly ImageFile[],
  wanted: readonly number[] | undefined,
  start: (height: number, width: number) => (pixels: Uint8Array, row: number) => void,
): Promise<boolean> {
  let take: ((pixels: Uint8Array, row: number) => void) | undefined;
  let [h, w] = wanted ?? [];
  let gray = true;
  for (const [row, { file }] of files.entries()) {
    const { width, height, pixels } = await readPicture(file);
    take ??= start(height, width);
    h ??= height;
    w ??= width;
    if (width !== w || height !== h)
      throw badInput(
        'data-shape',
        `${file} is ${width} × ${height} pixels, other images are ${w} × ${h}; make them equal.`,
      );
    take(pixels, row);
    gray &&= isGray(pixels);
  }
  return gray;
}

/** Labels of images. */
export function labelsOfImages(files: readonly ImageFile[], classes: readonly string[]): Labels {
  return { kind: 'classes', ids: Int32Array.from(files, ({ id }) => id), classes: classes.length };
}

async function readPile(
  root: string,
  classes: readonly string[],
  wanted?: readonly number[],
): Promise<Pile<Features>> {
  const files = await listImages(root, classes);
  let data = new Uint8Array(0);
  let shape: number[] = [];
  const gray = await decodeImages(files, wanted, (height, width) => {
    shape = [height, width, 3];
    const size = height * width * 3;
    checkSize(size * files.length, root);
    data = new Uint8Array(size * files.length);
    return (pixels, row) => data.set(pixels, row * size);
  });
  const x = { shape, data, scale: 1 / 255 };
  return { rows: { count: files.length, x, y: labelsOfImages(files, classes) }, gray };
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

function grayRows(rows: Rows<Features>): Rows<Features> {
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
