import { execFile } from 'node:child_process';

/** What a probe's script found out: its last line of JSON, or why there is none. */
export type ProbeAnswer =
  | { readonly works: true; readonly facts: Readonly<Record<string, unknown>> }
  | { readonly works: false; readonly problem: string };

const TIMEOUT_MS = 60_000;

/** The line of an error output that says most: the last that names an error, else the last. */
function tellingLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/u.test(line));
  return (lines.findLast((line) => /error|cannot|not /iu.test(line)) ?? lines.at(-1) ?? '').trim();
}

/**
 * Runs a script in a Node process of its own, where a native library may crash without harm.
 *
 * @param script CommonJS text that prints one line of JSON when all is well
 * @param args given to it as `process.argv[1]` on
 * @param input what it can read on standard input
 */
export function probeInChild(script: string, args: readonly string[], input = ''): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['-e', script, ...args],
      // Inside VS Code the executable is Electron; this makes it behave as Node.
      {
        timeout: TIMEOUT_MS,
        maxBuffer: 64e6,
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', TF_CPP_MIN_LOG_LEVEL: '3' },
      },
      (error, stdout, stderr) => {
        const line = stdout.trim().split('\n').at(-1) ?? '';
        if (error === null && line.startsWith('{')) {
          resolve({ works: true, facts: JSON.parse(line) as Record<string, unknown> });
          return;
        }
        const died = error?.signal ? `it was ended by ${error.signal}` : tellingLine(stderr);
        resolve({ works: false, problem: died === '' ? 'it does not start' : died });
      },
    );
    // A child that dies before it has read all is told of by its end.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
