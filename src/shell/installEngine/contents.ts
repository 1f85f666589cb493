import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What an installed engine consists of, so that a damaged one is told from a whole one. */

const LIST = 'contents.json';

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** SHA-256 of every file of a folder but the list itself, by path. */
async function hashAll(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hashes: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && path !== join(folder, LIST))
      hashes[path.slice(folder.length + 1)] = await hashOf(path);
  }
  return hashes;
}

/** Writes down what the folder holds. */
export async function writeContents(folder: string): Promise<void> {
  await writeFile(join(folder, LIST), JSON.stringify(await hashAll(folder)));
}

/** Whether every file is there and as it was when it was installed. */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    const listed = JSON.parse(await readFile(join(folder, LIST), 'utf8')) as Record<string, string>;
    const found = await hashAll(folder);
    return Object.entries(listed).every(([path, hash]) => found[path] === hash);
  } catch {
    return false;
  }
}
