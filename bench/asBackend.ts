import { spawn, spawnSync } from 'node:child_process';
import { ALLOCATOR } from '../src/protocol/process';

/** What the libraries of PyTorch and TensorFlow take their number of threads from. */
const THREADS = [
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'TF_NUM_INTRAOP_THREADS',
  'TF_NUM_INTEROP_THREADS',
];

/** A command that holds another to some cores; none where there is no such command, which is said. */
function holdTo(cores: number): string[] {
  const [command, ...args] = ['taskset', '-c', `0-${cores - 1}`] as const;
  if (spawnSync(command, [...args, 'true']).status === 0) return [command, ...args];
  console.error('taskset does not work here: a library may take more cores than it is told.');
  return [];
}

/**
 * Starts a bench again with the allocator settings of a backend, which glibc reads when a process starts, and ends with
 * it. Returns at once in a process that has them.
 *
 * @param file the bench's own `import.meta.filename`
 * @param cores that it and its children are held to; a library that is told its threads may still take more
 */
export async function asBackend(file: string, cores?: number): Promise<void> {
  const env: Record<string, string> = { ...ALLOCATOR };
  if (cores !== undefined) for (const name of THREADS) env[name] = String(cores);
  if (Object.entries(env).every(([name, value]) => process.env[name] === value)) return;
  // Ctrl-C is for the process that measures.
  process.on('SIGINT', () => undefined);
  // A bench that was not bundled is TypeScript.
  const loader = file.endsWith('.ts') ? ['--import', import.meta.resolve('jiti/register')] : [];
  const again = [process.execPath, ...loader, file];
  const [command = '', ...args] = [...(cores === undefined ? [] : holdTo(cores)), ...again];
  const child = spawn(command, [...args, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  process.exit(await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1))));
}
