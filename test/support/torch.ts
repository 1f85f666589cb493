import { spawnSync } from 'node:child_process';

/** The Python for which Debian installs `python3-torch`. */
export const PYTHON = '/usr/bin/python3';

/** Whether a real PyTorch is there. It is large, so that tests which need it are skipped without it. */
export function hasTorch(): boolean {
  const { status } = spawnSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  if (status !== 0)
    console.warn('No PyTorch: tests that load exported weights are skipped (apt-get install python3-torch).');
  return status === 0;
}
