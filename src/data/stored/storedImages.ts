import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Rows, StoredFeatures } from '../dataset';
import { BYTE } from '../elements';
import { decodeImages, labelsOfImages, listImages, readImagesWith, type Pile } from '../images';
import type { ReadData } from '../tableParts';
import { cached, identityOf } from './cacheFolder';
import type { Conversion } from './conversion';
import { BlockWriter, openRows } from './rowFile';

/** Images that stay on disk: decoded once, their pixels written one after the other. */

interface About {
  readonly gray: boolean;
  readonly shape: readonly number[];
}

/** As `readImages`, with pixels on disk. */
export function openImages(
  folder: string,
  classes: readonly string[] | undefined,
  conversion: Conversion,
): Promise<ReadData<StoredFeatures>> {
  return readImagesWith(
    { make: (root, names, wanted) => openPile(root, names, wanted, conversion), toGray: grayRows },
    folder,
    classes,
  );
}

async function openPile(
  root: string,
  classes: readonly string[],
  wanted: readonly number[] | undefined,
  conversion: Conversion,
): Promise<Pile<StoredFeatures>> {
  const files = await listImages(root, classes);
  const identities = [];
  for (const { file } of files) identities.push(await identityOf(file));
  const folder = await cached(['images', 1, identities], async (into) => {
    const writer = new BlockWriter(path.join(into, 'rows'));
    let shape: number[] = [];
    let gray: boolean;
    try {
      gray = await decodeImages(files, undefined, (height, width) => {
        shape = [height, width, 3];
        return (pixels, row) => {
          conversion.advance(row / files.length);
          writer.write(pixels);
        };
      });
    } finally {
      writer.end();
    }
    const about: About = { gray, shape };
    await writeFile(path.join(into, 'about.json'), JSON.stringify(about), { mode: 0o600 });
  });
  const { gray, shape } = JSON.parse(await readFile(path.join(folder, 'about.json'), 'utf8')) as About;
  // The size of the first decides within a part; between parts it is compared here.
  if (wanted !== undefined) await decodeImages(files.slice(0, 1), wanted, () => () => undefined);
  const x = openRows({
    file: path.join(folder, 'rows'),
    offset: 0,
    count: files.length,
    shape,
    type: BYTE,
    scale: 1 / 255,
  });
  return { rows: { count: files.length, x, y: labelsOfImages(files, classes) }, gray };
}

function grayRows(rows: Rows<StoredFeatures>): Rows<StoredFeatures> {
  const { x } = rows;
  let colours = new Float32Array(0);
  const shape = [...x.shape.slice(0, 2), 1];
  const size = shape.reduce((product, length) => product * length, 1);
  const fill = (indices: ArrayLike<number>, into: Float32Array): void => {
    const values = indices.length * size;
    if (colours.length < values * 3) colours = new Float32Array(values * 3);
    x.fill(indices, colours);
    for (let i = 0; i < values; i += 1) into[i] = colours[i * 3] ?? 0;
  };
  return { ...rows, x: { ...x, shape, fill } };
}
