import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, ShrinkError } from '../../core/errors';
import type { PinnedPackage } from './packages';

const DEFAULT_REGISTRY = 'https://registry.npmjs.org/';

/** Without a byte for this long the connection counts as dead. */
const SILENCE_MS = 30_000;

/** The registry that npm would use for this user. What it sends is checked, so that any registry will do. */
export function findRegistry(): string {
  const url = process.env['npm_config_registry'] ?? registryInUserConfig() ?? DEFAULT_REGISTRY;
  return url.endsWith('/') ? url : `${url}/`;
}

function registryInUserConfig(): string | undefined {
  try {
    const config = readFileSync(process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc'), 'utf8');
    return /^\s*registry\s*=\s*["']?(https?:\/\/[^\s"']+)/mu.exec(config)?.[1];
  } catch {
    return undefined;
  }
}

export interface DownloadOptions {
  /** Address of the npm registry, with a slash at its end. */
  readonly registry: string;
  readonly signal: AbortSignal;
  /** @param total bytes in all; undefined if the registry does not say */
  readonly onBytes: (received: number, total: number | undefined) => void;
  readonly silenceMs?: number;
}

/** What failed under fetch: its own message is only "fetch failed". */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : messageOf(cause ?? thrown);
}

function failure(code: string, message: string, cause?: unknown): ShrinkError {
  return new ShrinkError('environment', code, message, { cause });
}

/** The user's own signal, and one that fires when nothing arrives. */
class Patience {
  readonly signal: AbortSignal;
  ranOut = false;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    user: AbortSignal,
    private readonly ms: number,
  ) {
    this.signal = AbortSignal.any([user, this.controller.signal]);
    this.renew();
  }

  renew(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.ranOut = true;
      this.controller.abort();
    }, this.ms);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

/**
 * Downloads a package into a file and checks it against its pinned SHA-512.
 *
 * @throws ShrinkError `cancelled`, `no-network`, `not-in-registry`, `download-cut`, `wrong-integrity`
 */
export async function download(pack: PinnedPackage, file: string, options: DownloadOptions): Promise<void> {
  const { registry, signal } = options;
  const base = pack.name.split('/').at(-1) ?? pack.name;
  const url = `${registry}${pack.name}/-/${base}-${pack.version}.tgz`;
  const patience = new Patience(signal, options.silenceMs ?? SILENCE_MS);
  const explain = (code: string, what: string, thrown: unknown): ShrinkError => {
    if (thrown instanceof ShrinkError) return thrown;
    if (signal.aborted) return failure('cancelled', 'The installation was cancelled; nothing was installed.');
    const why = patience.ranOut ? 'it no longer answers' : reasonOf(thrown);
    return failure(code, `${what} (${why}); nothing was installed. Check the network or the proxy.`, thrown);
  };
  try {
    const host = new URL(registry).host;
    const response = await fetch(url, { signal: patience.signal }).catch((thrown: unknown) => {
      throw explain('no-network', `The npm registry ${host} cannot be reached`, thrown);
    });
    if (!response.ok || response.body === null) {
      const what = `The npm registry ${host} does not give ${pack.name} ${pack.version}`;
      throw failure(
        'not-in-registry',
        `${what} (it answers ${response.status}); nothing was installed. npm may know how to: npm install ${pack.name}@${pack.version} --ignore-scripts`,
      );
    }
    const length = Number(response.headers.get('content-length'));
    const hash = await writeBody(response.body, file, patience, (received) => {
      options.onBytes(received, length > 0 ? length : undefined);
    }).catch((thrown: unknown) => {
      throw explain('download-cut', `The download of ${pack.name} broke off`, thrown);
    });
    if (`sha512-${hash}` !== pack.integrity)
      throw failure(
        'wrong-integrity',
        `What the npm registry ${host} sent as ${pack.name} ${pack.version} is not that package (its SHA-512 is another); nothing was installed.`,
      );
  } finally {
    patience.end();
  }
}

/** @returns the SHA-512 in base 64 */
async function writeBody(
  body: AsyncIterable<Uint8Array>,
  path: string,
  patience: Patience,
  onBytes: (received: number) => void,
): Promise<string> {
  const hash = createHash('sha512');
  const file = await open(path, 'wx', 0o600);
  let received = 0;
  try {
    for await (const chunk of body) {
      patience.renew();
      hash.update(chunk);
      await file.writeFile(chunk);
      received += chunk.byteLength;
      onBytes(received);
    }
  } finally {
    await file.close();
  }
  return hash.digest('base64');
}
