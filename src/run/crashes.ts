import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readBounded } from './boundedFile';
import { writeDurably } from './durable';

/**
 * How often the process of a run died, and on which engine. Apart from the journal, which is cut back to the
 * checkpoint when the run goes on. Written by the supervisor.
 */

const FILE = 'crashes.json';
const MAX_BYTES = 1024 * 1024;
/** Holds the token of a backend that was killed on request: then its death is no crash. */
const KILLED_FILE = '.killed';

const crashSchema = z.object({
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Name in the journal's last `engine` event; empty if it died before. */
  engine: z.string(),
  /** E.g. "was ended by SIGSEGV". */
  how: z.string(),
  /** The engine itself said that it cannot go on: once is enough. */
  lasting: z.literal(true).optional(),
});

export type Crash = z.infer<typeof crashSchema>;

/** Deaths on one engine after which it is passed over. */
const CRASHES_PER_ENGINE = 2;

/** Every crash of a run so far. A damaged file counts as none. */
export async function readCrashes(folder: string): Promise<readonly Crash[]> {
  try {
    return z.array(crashSchema).parse(JSON.parse(await readBounded(join(folder, FILE), MAX_BYTES)));
  } catch {
    return [];
  }
}

export async function recordCrash(folder: string, crash: Crash): Promise<void> {
  const all = [...(await readCrashes(folder)), crash];
  await writeDurably(join(folder, FILE), [JSON.stringify(all, null, 2), '\n']);
}

/** Engines that died too often in this run. */
export function enginesToAvoid(crashes: readonly Crash[]): string[] {
  const counts = new Map<string, number>();
  for (const { engine, lasting } of crashes) {
    if (engine === '') continue;
    counts.set(engine, (counts.get(engine) ?? 0) + (lasting === true ? CRASHES_PER_ENGINE : 1));
  }
  return [...counts].filter(([, count]) => count >= CRASHES_PER_ENGINE).map(([engine]) => engine);
}

/** Says, before a backend is killed, that this is meant. Best effort: the folder may be gone. */
export async function markKilled(folder: string, token: string): Promise<void> {
  await writeFile(join(folder, KILLED_FILE), token, { mode: 0o600 }).catch(() => undefined);
}

/** Whether the backend with this token was killed on request. */
export async function wasKilled(folder: string, token: string): Promise<boolean> {
  return (await readBounded(join(folder, KILLED_FILE), MAX_BYTES).catch(() => '')) === token;
}

export async function forgetKilled(folder: string): Promise<void> {
  await rm(join(folder, KILLED_FILE), { force: true }).catch(() => undefined);
}
