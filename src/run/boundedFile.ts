import { readFile, stat } from 'node:fs/promises';

/**
 * Reads a text file that may have come with a folder of somebody else's: what is no plain file, or larger than any that
 * ShrinkNets writes there, is not read.
 *
 * @throws RangeError then; else as `readFile`
 */
export async function readBounded(path: string, maxBytes: number): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw new RangeError(`${path} is no plain file`);
  if (found.size > maxBytes) throw new RangeError(`${path} has ${found.size} bytes, more than ${maxBytes}`);
  return readFile(path, 'utf8');
}
