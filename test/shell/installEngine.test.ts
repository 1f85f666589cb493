import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installOnnxRuntime, type InstallOptions } from '../../src/shell/installEngine/install';
import { ONNX_PACKAGES, type PinnedPackage } from '../../src/shell/installEngine/packages';

/** A registry on this machine that serves packages which the real npm packed. */

const VERSION = '9.8.7';
const PLATFORM = 'linux-x64';
/** Longer than the 100 characters that the first tar format had room for. */
const LONG = `lib/${'deep/'.repeat(30)}file.js`;

const folder = mkdtempSync(join(tmpdir(), 'install-'));
const tarballs = new Map<string, Buffer>();
let server: Server;
let registry: string;
let packages: PinnedPackage[];
/** What the registry does next instead of serving. */
let instead: RequestListener | undefined;
let homes = 0;

function pack(name: string, files: Readonly<Record<string, string>>): Buffer {
  const source = join(folder, 'source', name);
  const manifest = JSON.stringify({ name, version: VERSION, main: 'index.js' });
  for (const [path, content] of Object.entries({ ...files, 'package.json': manifest })) {
    mkdirSync(join(source, path, '..'), { recursive: true });
    writeFileSync(join(source, path), content);
  }
  const args = ['pack', source, '--pack-destination', folder, '--silent', '--ignore-scripts', '--offline'];
  const file = execFileSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' }).trim();
  return readFileSync(join(folder, file));
}

function pin(name: string, tarball: Buffer): PinnedPackage {
  tarballs.set(`/${name}/-/${name}-${VERSION}.tgz`, tarball);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return { name, version: VERSION, integrity };
}

function install(options: Partial<InstallOptions> = {}) {
  homes += 1;
  const home = join(folder, `home${homes}`);
  const outcome = installOnnxRuntime({ home, registry, packages, platform: PLATFORM, ...options });
  return { home, outcome };
}

/** What a failed installation must leave: nothing that could be taken for an engine, and no litter. */
async function expectFailure({ home, outcome }: ReturnType<typeof install>, code: string, message: RegExp) {
  const thrown: unknown = await outcome.then(
    () => 'it worked',
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(existsSync(home) ? readdirSync(home) : []).toEqual([]);
}

beforeAll(async () => {
  const common = pack('onnxruntime-common', { 'index.js': 'exports.common = true;' });
  const node = pack('onnxruntime-node', {
    'index.js': 'exports.common = require("onnxruntime-common").common;',
    [LONG]: 'exports.long = true;',
    // Noise, so that the tarball does not shrink to one chunk.
    'bin/napi-v6/linux/x64/binding.node': createHash('sha512').update('x').digest('hex').repeat(30_000),
    'bin/napi-v6/win32/x64/binding.node': 'another machine',
  });
  packages = [pin('onnxruntime-common', common), pin('onnxruntime-node', node)];
  server = createServer((request, response) => {
    if (instead !== undefined) {
      instead(request, response);
      return;
    }
    const tarball = tarballs.get(request.url ?? '');
    if (tarball === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': tarball.length }).end(tarball);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(() => (instead = undefined));
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

describe('installing ONNX Runtime', () => {
  it('gets both packages, with the binaries of this machine alone, and tells how far it is', async () => {
    const told: number[] = [];
    const { outcome, home } = install({ onProgress: (_, share) => told.push(share) });
    const installed = await outcome;
    expect(installed).toEqual({ folder: join(home, `onnxruntime-${VERSION}`), fresh: true });
    const require = createRequire(join(installed.folder, 'package.json'));
    expect(require('onnxruntime-node')).toEqual({ common: true });
    expect(require(`onnxruntime-node/${LONG}`)).toEqual({ long: true });
    const binaries = join(installed.folder, 'node_modules/onnxruntime-node/bin/napi-v6');
    expect(readdirSync(binaries)).toEqual(['linux']);
    expect(readFileSync(join(binaries, 'linux/x64/binding.node'))).toHaveLength(128 * 30_000);
    expect(told.length).toBeGreaterThan(3);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
    expect(readdirSync(home)).toEqual([`onnxruntime-${VERSION}`]);
  });

  it('replaces what is old, sweeps up after one that was killed, and takes what is there', async () => {
    const home = join(folder, 'used');
    for (const name of ['onnxruntime-1.0.0', '.installing-killed', '.installing-now', 'mine'])
      mkdirSync(join(home, name), { recursive: true });
    utimesSync(join(home, '.installing-killed'), 1e9, 1e9);
    const again = () => installOnnxRuntime({ home, registry, packages, platform: PLATFORM });
    expect(await again()).toMatchObject({ fresh: true });
    // One that may be at work is left alone.
    expect(readdirSync(home).toSorted()).toEqual(['.installing-now', 'mine', `onnxruntime-${VERSION}`]);
    instead = (_, response) => response.writeHead(500).end();
    expect(await again()).toMatchObject({ fresh: false });
  });

  it('puts a whole engine in place of one that was damaged since', async () => {
    const home = join(folder, 'damaged');
    const again = () => installOnnxRuntime({ home, registry, packages, platform: PLATFORM });
    const { folder: place } = await again();
    const binary = join(place, 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/binding.node');
    const whole = readFileSync(binary);
    writeFileSync(binary, whole.subarray(0, whole.length >> 1));
    expect(await again()).toMatchObject({ fresh: true });
    expect(readFileSync(binary).equals(whole)).toBe(true);
    rmSync(join(place, 'node_modules/onnxruntime-common/index.js'));
    expect(await again()).toMatchObject({ fresh: true });
    expect(await again()).toMatchObject({ fresh: false });
    expect(readdirSync(home)).toEqual([`onnxruntime-${VERSION}`]);
  });

  it('refuses what is not the pinned package', async () => {
    const [common, node] = packages as [PinnedPackage, PinnedPackage];
    const other = { ...node, integrity: common.integrity };
    await expectFailure(install({ packages: [common, other] }), 'wrong-integrity', /SHA-512 is another/u);
  });

  it('refuses a tarball with one wrong byte', async () => {
    instead = (request, response) => {
      const tarball = Buffer.from(tarballs.get(request.url ?? '') ?? []);
      tarball[tarball.length >> 1] = (tarball[tarball.length >> 1] ?? 0) ^ 1;
      response.writeHead(200).end(tarball);
    };
    await expectFailure(install(), 'wrong-integrity', /is not that package/u);
  });

  it.each([
    { title: 'no tarball', content: Buffer.from('an error page of a proxy') },
    { title: 'cut tar', content: gzipSync(Buffer.alloc(100, 1)) },
    { title: 'wrong header', content: gzipSync(Buffer.alloc(2048, 1)) },
  ])('refuses a package that is $title', async ({ content }) => {
    await expectFailure(
      install({ packages: [pin('onnxruntime-odd', content)] }),
      'package-damaged',
      /cannot be read/u,
    );
  });

  it('refuses a path out of the package', async () => {
    const header = Buffer.alloc(512);
    header.write('package/../../evil.js');
    header.write('00000000000\0', 124);
    header.write('0', 156);
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const tarball = gzipSync(Buffer.concat([header, Buffer.alloc(1024)]));
    await expectFailure(
      install({ packages: [pin('onnxruntime-evil', tarball)] }),
      'package-damaged',
      /outside the package/u,
    );
    expect(existsSync(join(folder, 'evil.js'))).toBe(false);
  });

  it('says so when the connection is cut', async () => {
    instead = (request, response) => {
      const tarball = tarballs.get(request.url ?? '') ?? Buffer.alloc(0);
      response.writeHead(200, { 'content-length': tarball.length });
      response.write(tarball.subarray(0, tarball.length >> 1), () => response.destroy());
    };
    await expectFailure(install(), 'download-cut', /broke off .* nothing was installed/u);
  });

  it('does not wait for a registry that falls silent', async () => {
    instead = (_, response) => void response.writeHead(200).write('x');
    await expectFailure(install({ silenceMs: 200 }), 'download-cut', /no longer answers/u);
  });

  it('says so without a network', async () => {
    // Port 1 of this machine: nothing listens there.
    const attempt = install({ registry: 'http://127.0.0.1:1/' });
    await expectFailure(attempt, 'no-network', /127\.0\.0\.1:1 cannot be reached .*Check the network/u);
  });

  it('says so when the registry has no such package', async () => {
    const absent = [{ ...packages[0], name: 'absent' } as PinnedPackage];
    await expectFailure(install({ packages: absent }), 'not-in-registry', /it answers 404/u);
  });

  it('can be cancelled', async () => {
    const stop = new AbortController();
    instead = (_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('half', () => stop.abort());
    };
    await expectFailure(install({ signal: stop.signal }), 'cancelled', /was cancelled/u);
  });

  it('refuses a machine that there are no binaries for', async () => {
    await expectFailure(install({ platform: 'aix-ppc64' }), 'unsupported-platform', /no binaries for aix/u);
  });
});

describe('the pinned packages', () => {
  it('are those of the lockfile', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { version?: string; integrity?: string } | undefined>;
    };
    for (const { name, version, integrity } of ONNX_PACKAGES)
      expect(lock.packages[`node_modules/${name}`]).toMatchObject({ version, integrity });
  });
});
