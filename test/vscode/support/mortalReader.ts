import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The program of the thread that reads sources, as it is packed. */
export const READER_PROGRAM = path.resolve(import.meta.dirname, '../../../dist/extension-reader.cjs');

/** At this text a mortal reader ends. */
export const DEADLY = 'tensorflow: ends the thread';

/** The same program, and a text at which its thread ends, since nothing in the program itself ends it. */
export function mortalReader(): { readonly folder: string; readonly program: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-reader-'));
  const program = path.join(folder, 'mortal.cjs');
  writeFileSync(
    program,
    `require('node:worker_threads').parentPort.on('message', ({ ask }) => {
  if (ask.text === ${JSON.stringify(DEADLY)}) process.exit(3);
});
require(${JSON.stringify(READER_PROGRAM)});
`,
  );
  return { folder, program, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
