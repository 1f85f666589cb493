import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { fileError, isHeldByOthers } from '../../src/run/durable';

/** An error as Node.js makes it of what the system says. */
function systemError(code: string, errno: number): Error {
  return Object.assign(new Error(`${code}: said by the system, write`), { code, errno });
}

describe('an error of the disk', () => {
  const { errno } = constants;
  it.each([
    ['disk-full', systemError('ENOSPC', -errno.ENOSPC), /Free some space, then resume/],
    ['disk-full', systemError('EFBIG', -errno.EFBIG), /Free some space, then resume/],
    // Node.js has no name for it: test/client/realTrouble meets it on a real disk.
    ['disk-full', systemError('Unknown system error -122', -errno.EDQUOT), /a quota is used up/],
    ['not-writable', systemError('EROFS', -errno.EROFS), /may not be written.*change its permissions/],
    ['not-writable', systemError('EACCES', -errno.EACCES), /may not be written/],
    ['disk-failed', systemError('EIO', -errno.EIO), /See to it, then resume/],
    ['folder-gone', systemError('ENOENT', -errno.ENOENT), /not there/],
    ['file-error', systemError('EMFILE', -errno.EMFILE), /EMFILE/],
  ])('is %s where the system says so, with what to do', (code, thrown, advice) => {
    const error = fileError(thrown, 'write the journal', '/runs/a/journal.jsonl');
    expect(error).toMatchObject({ kind: 'environment', code });
    expect(error.message).toMatch(/^Could not write the journal \(\/runs\/a\/journal\.jsonl\): /);
    expect(error.message).toMatch(advice);
    expect(error.message).not.toContain('\n');
  });

  it('that passes on Windows is waited for, and only there', () => {
    const held = systemError('EPERM', -errno.EPERM);
    expect(isHeldByOthers(held, 1, 'win32')).toBe(true);
    expect(isHeldByOthers(held, 1, 'linux')).toBe(false);
    expect(isHeldByOthers(held, 100, 'win32')).toBe(false);
    expect(isHeldByOthers(systemError('ENOSPC', -errno.ENOSPC), 1, 'win32')).toBe(false);
  });
});
