import { spawn } from 'node:child_process';
import { ALLOCATOR } from '../src/protocol/process';

/**
 * Starts a bench again with the allocator settings of a backend, which glibc reads when a process starts, and ends with
 * it. Returns at once in a process that has them.
 *
 * @param file the bench's own `import.meta.filename`
 */
export async function asBackend(file: string): Promise<void> {
  if (Object.entries(ALLOCATOR).every(([name, value]) => process.env[name] === value)) return;
  // Ctrl-C is for the process that measures.
  process.on('SIGINT', () => undefined);
  const again = ['--import', import.meta.resolve('jiti/register'), file];
  const child = spawn(process.execPath, [...again, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, ...ALLOCATOR },
  });
  process.exit(await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1))));
}
