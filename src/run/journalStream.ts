import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, fileError } from './durable';
import { JournalParser, type PlacedEvent } from './journal';
import { RUN_FILES } from './paths';

/** Reading a journal a piece at a time: that of a long run is larger than what a watcher should hold. */

const PIECE_BYTES = 256 * 1024;

/** A place in a journal: where the event with `seq` begins. */
export interface JournalPlace {
  readonly seq: number;
  /** In bytes. */
  readonly offset: number;
}

export const JOURNAL_START: JournalPlace = { seq: 0, offset: 0 };

/**
 * The good events of a journal from a place on, as far as they are written now; see `parseJournal`. None if there is no
 * journal.
 *
 * @throws ShrinkError `journal-version`, `file-error`, …
 */
export async function* streamJournal(
  folder: string,
  from: JournalPlace = JOURNAL_START,
): AsyncGenerator<PlacedEvent, void, void> {
  const path = join(folder, RUN_FILES.journal);
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const parser = new JournalParser(from.seq, from.offset);
    const piece = Buffer.alloc(PIECE_BYTES);
    for (let at = from.offset; !parser.isBroken;) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield* parser.push(piece.subarray(0, bytesRead));
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw fileError(error, 'read the journal', path);
  } finally {
    await file?.close();
  }
}
