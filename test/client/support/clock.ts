import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../run/support/runs';

/** A clock of processes that a test can turn back: Debian's `libfaketime`. */
export interface FakedClock {
  /** Why there is none; undefined if there is. */
  readonly reason: string | undefined;
  /** Variables of the processes that have it. */
  readonly environment: Readonly<Record<string, string>>;
  /** @param offset from the real time, e.g. `-2d` */
  set(offset: string): void;
}

export function fakedClock(): FakedClock {
  const library = ['/usr/lib', '/usr/lib64']
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))])
    .map((folder) => join(folder, 'faketime', 'libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
  if (process.platform !== 'linux' || library === undefined)
    return { reason: 'there is no libfaketime', environment: {}, set: () => undefined };
  const file = join(makeFolder(), 'clock');
  writeFileSync(file, '+0');
  return {
    reason: undefined,
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      // Timers go on, and the times of files are the system's.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    set: (offset) => writeFileSync(file, offset),
  };
}
