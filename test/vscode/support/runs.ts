import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseJournal } from '../../../src/run/journal';
import type { JournalEvent } from '../../../src/core/events';

/** Runs on disk, as the tests compare the screen with them. */

export function runFolders(workspace: string): string[] {
  const folder = path.join(workspace, '.shrinknets', 'runs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

export function journalOf(folder: string): readonly JournalEvent[] {
  const file = path.join(folder, 'journal.jsonl');
  return existsSync(file) ? parseJournal(readFileSync(file)).events : [];
}

export function findEvent<Type extends JournalEvent['type']>(
  events: readonly JournalEvent[],
  type: Type,
): Extract<JournalEvent, { type: Type }> {
  const found = events.findLast((event) => event.type === type);
  if (found === undefined) throw new Error(`the journal has no ${type}`);
  return found as Extract<JournalEvent, { type: Type }>;
}

/** Waits until something holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`);
}
