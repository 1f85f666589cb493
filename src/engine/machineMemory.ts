import { totalmem } from 'node:os';

/** Bytes that a process of this machine can have at most: the machine's, or what a container leaves of it. */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
