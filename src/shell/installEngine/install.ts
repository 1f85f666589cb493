import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ShrinkError } from '../../core/errors';
import { fileError } from '../../run/durable';
import { isWhole, writeContents } from './contents';
import { download, findRegistry } from './download';
import { isWanted, ONNX_PACKAGES, ONNX_PLATFORMS, type PinnedPackage } from './packages';
import { unpack } from './unpack';

/**
 * Installs ONNX Runtime without npm, which an editor's user need not have: two packages of the npm registry, pinned by
 * their SHA-512, of which only this machine's binaries are kept. No script of theirs is run.
 *
 * The finished folder gets its name in one step, so that it is there as a whole or not at all.
 */

const PREFIX = 'onnxruntime-';
const STAGING = '.installing-';
/** No installation takes this long. */
const ABANDONED_MS = 3_600_000;

export interface InstallOptions {
  /** Folder of all installed engines; made if it is not there. */
  readonly home: string;
  readonly signal?: AbortSignal;
  /** @param share of everything, 0 to 1 */
  readonly onProgress?: (what: string, share: number) => void;
  readonly registry?: string;
  readonly packages?: readonly PinnedPackage[];
  /** `process.platform-process.arch` of another machine. */
  readonly platform?: string;
  readonly silenceMs?: number;
}

/** Where the command line installs engines for this user. */
export function userEngineHome(): string {
  const { env, platform } = process;
  if (platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'shrinknets', 'engines');
  if (platform === 'darwin')
    return join(homedir(), 'Library', 'Application Support', 'shrinknets', 'engines');
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'shrinknets', 'engines');
}

function folderFor(home: string, packages: readonly PinnedPackage[]): string {
  return join(home, `${PREFIX}${packages.at(-1)?.version ?? ''}`);
}

/** The environment in which a backend finds what was installed in `home`, after what the user named. */
export function engineEnvironment(home: string): Record<string, string> {
  const named = process.env['SHRINKNETS_ENGINES'];
  const folders = [...(named === undefined || named === '' ? [] : [named]), folderFor(home, ONNX_PACKAGES)];
  return { SHRINKNETS_ENGINES: folders.join(delimiter) };
}

/**
 * Downloads, checks and unpacks ONNX Runtime for this machine.
 *
 * @returns the folder, and whether it was there before
 * @throws ShrinkError `unsupported-platform`, those of {@link download} and {@link unpack}, or what the disk says
 */
export async function installOnnxRuntime(
  options: InstallOptions,
): Promise<{ readonly folder: string; readonly fresh: boolean }> {
  const { home, packages = ONNX_PACKAGES, platform = `${process.platform}-${process.arch}` } = options;
  if (!ONNX_PLATFORMS.includes(platform))
    throw new ShrinkError(
      'environment',
      'unsupported-platform',
      `ONNX Runtime has no binaries for ${platform}, only for ${ONNX_PLATFORMS.join(', ')}. The engine wasm works here.`,
    );
  const folder = folderFor(home, packages);
  if (await isWhole(folder)) return { folder, fresh: false };
  let staging: string;
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    staging = await mkdtemp(join(home, STAGING));
  } catch (thrown) {
    throw fileError(thrown, 'make a folder for the engine', home);
  }
  try {
    await fill(staging, { ...options, packages, platform });
    await writeContents(staging);
    await putInPlace(staging, folder);
  } catch (thrown) {
    throw fileError(thrown, 'install the engine', home);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await removeOthers(home, folder);
  return { folder, fresh: true };
}

/** Gives the finished folder its name, in place of a damaged one. */
async function putInPlace(staging: string, folder: string): Promise<void> {
  try {
    await rename(staging, folder);
  } catch (thrown) {
    // Another window was quicker: the same packages, checked as well.
    if (await isWhole(folder)) return;
    if (!existsSync(folder)) throw thrown;
    await rm(folder, { recursive: true });
    await rename(staging, folder);
  }
}

async function fill(
  staging: string,
  options: InstallOptions & { readonly packages: readonly PinnedPackage[]; readonly platform: string },
): Promise<void> {
  const { packages, platform, registry = findRegistry(), onProgress } = options;
  const signal = options.signal ?? new AbortController().signal;
  for (const [index, pack] of packages.entries()) {
    const tarball = join(staging, 'package.tgz');
    const tell = (what: string, share: number) => onProgress?.(what, (index + share) / packages.length);
    await download(pack, tarball, {
      registry,
      signal,
      onBytes: (received, total) => {
        const size = `${(received / 1e6).toFixed(0)} MB`;
        const all = total === undefined ? size : `${size} of ${(total / 1e6).toFixed(0)} MB`;
        tell(`${pack.name}: ${all}`, total === undefined ? 0 : Math.min(1, received / total) * 0.9);
      },
      ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
    });
    tell(`${pack.name}: unpacking`, 0.9);
    await unpack(tarball, join(staging, 'node_modules', pack.name), (path) => isWanted(path, platform));
    await rm(tarball);
    if (signal.aborted)
      throw new ShrinkError(
        'environment',
        'cancelled',
        'The installation was cancelled; nothing was installed.',
      );
  }
  onProgress?.('done', 1);
}

/**
 * Older versions are of no use, nor is what a killed installation left. What a running backend has loaded may refuse
 * to go on Windows: next time.
 */
async function removeOthers(home: string, keep: string): Promise<void> {
  for (const name of await readdir(home)) {
    const path = join(home, name);
    const old = name.startsWith(PREFIX) && path !== keep;
    const left = name.startsWith(STAGING) && Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS;
    if (!old && !left) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
