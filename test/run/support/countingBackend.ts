import { spawn } from 'node:child_process';
import { ShrinkError } from '../../../src/core/errors';
import { GROUP_VARIABLE } from '../../../src/protocol/process';
import { backendMain } from '../../../src/backend/server/backendMain';
import { countingJob, type MakeTrouble } from './countingJob';

/** The backend that these tests start as a real process. */

const makeTrouble: MakeTrouble = async (kind) => {
  switch (kind) {
    case 'throw':
      throw new TypeError('the engine is on fire');
    case 'throw-shrink':
      throw new ShrinkError('bad-input', 'data-shape', 'The data has 3 columns, the model takes 4.');
    case 'throw-later':
      setTimeout(() => {
        throw new Error('thrown where nobody catches');
      }, 1);
      return new Promise(() => undefined);
    case 'hang':
      return new Promise(() => undefined);
    case 'exit':
      process.exit(9);
    // eslint-disable-next-line no-fallthrough -- process.exit does not return
    case 'abort':
      process.abort();
    // eslint-disable-next-line no-fallthrough -- process.abort does not return
    case 'child':
      return spawnStubborn();
    case 'orphan':
      await spawnStubborn();
      process.abort();
    // eslint-disable-next-line no-fallthrough -- process.abort does not return
    case 'print':
      process.stdout.write(`${'x'.repeat(99)}\n`.repeat(100_000));
      return;
    case 'power-loss':
      process.kill(-Number(process.env[GROUP_VARIABLE]), 'SIGKILL');
      return new Promise(() => undefined);
    case 'abort-on-stop':
    case 'no-result':
  }
};

/** A process that does not heed SIGTERM, as a stuck data loader would not. */
function spawnStubborn(): Promise<void> {
  const child = spawn(
    process.execPath,
    ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("ready")'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return new Promise((resolve) => child.stdout.once('data', () => resolve()));
}

// Times that a test does not want to wait for.
const times = JSON.parse(process.env['TEST_TIMES'] ?? '{}') as Parameters<typeof backendMain>[1];
void backendMain((context) => countingJob(context, makeTrouble), times);
