import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../run/support/runs';

/**
 * Real disks that go wrong in mid-run. They are mounted, which takes root on Linux and the tools of Debian's
 * `e2fsprogs` and `btrfs-progs`; elsewhere the tests that need them are skipped and say why.
 */
export interface Disk {
  /** Where it is mounted. */
  readonly folder: string;
  /** Lets nothing be written any more; may be called again, as room may have been made meanwhile. */
  spoil(): void;
  mend(): void;
  remove(): void;
}

/** Runs a command. @throws Error with what it said */
function run(command: string, ...words: string[]): void {
  const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/** Why a disk cannot be made here; undefined if it can. */
export function whyNot(make: () => Disk): string | undefined {
  if (process.platform !== 'linux') return 'disks are mounted as Linux does it';
  try {
    make().remove();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function mountPoint(): { folder: string; around: string } {
  const around = makeFolder();
  const folder = join(around, 'disk');
  mkdirSync(folder);
  return { folder, around };
}

/** A disk in memory that can be filled to the last byte. */
export function fullDisk(): Disk {
  const { folder } = mountPoint();
  run('mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder);
  const hog = join(folder, 'hog');
  return {
    folder,
    spoil: () => {
      const file = openSync(hog, 'a');
      try {
        for (const bytes of [65_536, 4_096, 1])
          for (;;) if (writeSync(file, Buffer.alloc(bytes)) < bytes) break;
      } catch {
        // No byte is left.
      } finally {
        closeSync(file);
      }
    },
    mend: () => rmSync(hog, { force: true }),
    remove: () => run('umount', '--lazy', folder),
  };
}

/** An ext4 disk that the system makes read-only at once, open files too, as it does when it finds an error on it. */
export function abortedDisk(): Disk {
  const { folder, around } = mountPoint();
  const image = join(around, 'image');
  writeFileSync(image, '');
  truncateSync(image, 16 * 1024 * 1024);
  run('mkfs.ext4', '-q', '-F', image);
  run('mount', '-o', 'loop', image, folder);
  return onlyOnce({
    folder,
    spoil: () => run('mount', '-o', 'remount,abort', folder),
    mend: () => {
      run('umount', folder);
      // 1: mended.
      const { status, stdout } = spawnSync('fsck.ext4', ['-p', image], { encoding: 'utf8' });
      if (status !== 0 && status !== 1) throw new Error(stdout);
      run('mount', '-o', 'loop', image, folder);
    },
    remove: () => run('umount', '--lazy', folder),
  });
}

/** A folder into which nothing new can be written; files that are open can. */
export function readOnlyFolder(): Disk {
  const { folder } = mountPoint();
  run('mount', '-t', 'tmpfs', 'tmpfs', folder);
  return onlyOnce({
    folder,
    spoil: () => {
      run('mount', '--bind', folder, folder);
      run('mount', '-o', 'remount,bind,ro', folder);
    },
    mend: () => run('umount', folder),
    remove: () => run('umount', '--lazy', folder),
  });
}

/** From outside of it, where room is left for the change. */
const FIRST_SUBVOLUME = '0/256';

/** A btrfs disk whose quota is used up (ext4 knows quotas only where the kernel was built for them). */
export function quotaDisk(): Disk {
  const { folder: mounted, around } = mountPoint();
  const image = join(around, 'image');
  writeFileSync(image, '');
  truncateSync(image, 120 * 1024 * 1024);
  run('mkfs.btrfs', '-q', '-M', image);
  run('mount', '-o', 'loop', image, mounted);
  const folder = join(mounted, 'user');
  try {
    run('btrfs', 'quota', 'enable', mounted);
    run('btrfs', 'subvolume', 'create', folder);
  } catch (error) {
    run('umount', '--lazy', mounted);
    throw error;
  }
  return onlyOnce({
    folder,
    spoil: () => run('btrfs', 'qgroup', 'limit', '1k', FIRST_SUBVOLUME, mounted),
    mend: () => run('btrfs', 'qgroup', 'limit', 'none', FIRST_SUBVOLUME, mounted),
    remove: () => run('umount', '--lazy', mounted),
  });
}

/** Of a disk that stays spoilt until it is mended. */
function onlyOnce(disk: Disk): Disk {
  let spoilt = false;
  return {
    ...disk,
    spoil: () => {
      if (!spoilt) disk.spoil();
      spoilt = true;
    },
  };
}
