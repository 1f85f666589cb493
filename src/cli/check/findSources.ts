import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { badInput, messageOf } from '../../core/errors';
import { languageOf } from '../../language';
import { isNotebook } from '../../shell/notebooks';

/** Folders that hold no sources of the user's own. */
const SKIPPED = new Set(['node_modules', 'dist', 'out', 'build', '__pycache__', 'venv']);

/** Nobody writes a model by hand in more; notebooks hold pictures as well. */
const MOST_BYTES = { source: 1e6, notebook: 1e8 };

interface Sources {
  readonly files: string[];
  /** What was not read, and why. */
  readonly left: { readonly file: string; readonly why: string }[];
}

/** Source files below a folder, or the file itself. @throws ShrinkError `file-missing` */
export async function findSources(target: string): Promise<Sources> {
  const sources: Sources = { files: [], left: [] };
  try {
    if ((await stat(target)).isDirectory()) await walk(target, sources);
    else sources.files.push(target);
  } catch (thrown) {
    throw badInput('file-missing', `${target} cannot be read: ${messageOf(thrown)}; check the path.`, thrown);
  }
  sources.files.sort();
  return sources;
}

/** Links are not followed: they may lead in a circle, and what is in the folder itself is met anyway. */
async function walk(folder: string, sources: Sources): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  // An environment of Python holds other people's code.
  if (entries.some((entry) => entry.name === 'pyvenv.cfg')) return;
  for (const entry of entries) {
    const full = path.join(folder, entry.name);
    try {
      if (entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.has(entry.name))
        await walk(full, sources);
      else if (entry.isFile() && languageOf(entry.name) !== undefined && !entry.name.endsWith('.d.ts'))
        await take(full, sources);
    } catch (thrown) {
      sources.left.push({ file: full, why: messageOf(thrown) });
    }
  }
}

async function take(file: string, { files, left }: Sources): Promise<void> {
  const { size } = await stat(file);
  const most = isNotebook(file) ? MOST_BYTES.notebook : MOST_BYTES.source;
  if (size <= most) files.push(file);
  else
    left.push({ file, why: `${(size / 1e6).toFixed(1)} MB; models are written in at most ${most / 1e6} MB` });
}
