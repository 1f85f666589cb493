import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';

/**
 * The folder with tfjs-backend-wasm's binaries, with a trailing separator: `wasm` beside the running bundle, else the
 * package's own in node_modules (source run by a test runner), else null.
 */
export function wasmFolder(): string | null {
  const script = process.argv[1];
  const beside: string[] = [];
  // In a bundle, which is CommonJS, __dirname is the bundle's folder. ES modules have none.
  if (typeof __dirname === 'string') beside.push(join(__dirname, 'wasm'));
  if (script !== undefined) beside.push(join(dirname(script), 'wasm'));
  for (const folder of beside) if (existsSync(join(folder, 'tfjs-backend-wasm.wasm'))) return folder + sep;
  for (const start of [script, join(process.cwd(), 'package.json')]) {
    if (start === undefined) continue;
    try {
      const entry = createRequire(start).resolve('@tensorflow/tfjs-backend-wasm/package.json');
      const folder = join(dirname(entry), 'dist');
      if (existsSync(join(folder, 'tfjs-backend-wasm.wasm'))) return folder + sep;
    } catch {
      // Not installed above this place; look from the next one.
    }
  }
  return null;
}
