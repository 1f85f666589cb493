import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Where a Keras may lie that nobody else uses: Debian has none. */
const OWN = path.resolve(import.meta.dirname, '../../.cache/keras/bin/python');

/** A Python that has Keras. */
export const KERAS_PYTHON = existsSync(OWN) ? OWN : 'python3';

/** Whether a real Keras is there. It is large and not Debian's, so that tests which need it are skipped without it. */
export function hasKeras(): boolean {
  const { status } = spawnSync(KERAS_PYTHON, ['-c', 'import keras'], { stdio: 'ignore' });
  if (status !== 0)
    console.warn(
      'No Keras: tests that load exported weights in it are skipped ' +
        '(python3 -m venv .cache/keras && .cache/keras/bin/pip install keras==3.15.1 tensorflow_cpu==2.21.0).',
    );
  return status === 0;
}
