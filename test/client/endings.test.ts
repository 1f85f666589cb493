import { describe, expect, it } from 'vitest';
import { isCrash } from '../../src/backend/supervisor/supervise';
import { killProcessGroup, type System } from '../../src/client/killProcess';
import { describeExit, parseBackendNews } from '../../src/protocol/process';
import { parseProcessList, taskkillArguments } from '../../src/run/processGroup';

describe('the end of a process', () => {
  it('is a crash when nobody asked for it', () => {
    for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGKILL'] as const)
      expect(isCrash({ code: null, signal })).toBe(true);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      expect(isCrash({ code: null, signal })).toBe(false);
    // What Windows reports for an access violation, and Node.js for an error that nobody caught.
    for (const code of [0xc0000005, 1, 134]) expect(isCrash({ code, signal: null })).toBe(true);
    // Done or stopped, failed, could not begin, a second SIGTERM.
    for (const code of [0, 70, 2, 143]) expect(isCrash({ code, signal: null })).toBe(false);
  });

  it('is described in words', () => {
    expect(describeExit({ code: null, signal: 'SIGSEGV' })).toBe('was ended by SIGSEGV');
    expect(describeExit({ code: 9, signal: null })).toBe('ended with code 9');
  });
});

describe('on Windows, which this is not, the processes of a run', () => {
  /** Stands in for taskkill and the list of processes: what is tested is who is named and when it counts as done. */
  const windows = (alive: Set<number>, heeded: boolean) => {
    const calls: string[] = [];
    const system: System = {
      platform: 'win32',
      taskkill: (args) => {
        calls.push(args.join(' '));
        if (heeded) alive.clear();
        // taskkill complains when one of several is gone already.
        return Promise.reject(new Error('ERROR: The process "8" not found.'));
      },
      areGone: (pids) => pids.every((pid) => !alive.has(pid)),
    };
    return { calls, system };
  };

  it('are named both, since a child is only found through a parent that lives', async () => {
    const { calls, system } = windows(new Set([8, 9]), true);
    await killProcessGroup(8, [8, 9], system);
    expect(calls).toEqual(['/PID 8 /PID 9 /T /F']);
    expect(taskkillArguments([42])).toEqual(['/PID', '42', '/T', '/F']);
  });

  it('that are gone are not named: their ids may be others’ by now', async () => {
    const { calls, system } = windows(new Set([9]), true);
    await killProcessGroup(8, [9], system);
    expect(calls).toEqual(['/PID 9 /T /F']);
  });

  it('that stay are told of', async () => {
    const { system } = windows(new Set([9]), false);
    await expect(killProcessGroup(8, [9], system)).rejects.toMatchObject({ code: 'kill-failed' });
  });
});

describe('the processes of a group', () => {
  it('are read from ps where there is no /proc, without those that have ended', () => {
    const printed = '    1     1 Ss\n  120   120 S+\n  121   120 R\n  122   120 Z+\n  123  1200 S\n\n';
    expect(parseProcessList(printed, 120)).toEqual([120, 121]);
    expect(parseProcessList(printed, 7)).toEqual([]);
  });
});

describe('what a backend says', () => {
  it('is taken only in the shapes there are: the author’s code can say anything', () => {
    for (const kind of ['began', 'detached', 'stopping'] as const)
      expect(parseBackendNews({ kind, more: 1 })).toEqual({ kind });
    expect(parseBackendNews({ kind: 'engine', name: 'x'.repeat(1000) })).toEqual({
      kind: 'engine',
      name: 'x'.repeat(100),
    });
    for (const bad of [
      null,
      1,
      'began',
      [],
      {},
      { kind: 'engine' },
      { kind: 'engine', name: 1 },
      { kind: 'exit' },
    ])
      expect(parseBackendNews(bad)).toBeUndefined();
  });
});
