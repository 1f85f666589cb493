import { describe, expect, it } from 'vitest';
import { taskkillArguments } from '../../src/client/killProcess';
import { describeExit } from '../../src/client/spawnBackend';
import { isCrash } from '../../src/client/supervise';

describe('the end of a process', () => {
  it('is a crash when nobody asked for it', () => {
    for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGKILL'] as const)
      expect(isCrash({ code: null, signal })).toBe(true);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      expect(isCrash({ code: null, signal })).toBe(false);
    // What Windows reports for an access violation, and Node.js for an error that nobody caught.
    for (const code of [0xc0000005, 1, 134]) expect(isCrash({ code, signal: null })).toBe(true);
    for (const code of [0, 143]) expect(isCrash({ code, signal: null })).toBe(false);
  });

  it('is described in words', () => {
    expect(describeExit({ code: null, signal: 'SIGSEGV' })).toBe('was ended by SIGSEGV');
    expect(describeExit({ code: 9, signal: null })).toBe('ended with code 9');
  });

  it('is brought about with its children on Windows', () => {
    expect(taskkillArguments(42)).toEqual(['/PID', '42', '/T', '/F']);
  });
});
