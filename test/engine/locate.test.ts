import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeInChild } from '../../src/engine/childProbe';
import { addEngineFolder, locatePackage } from '../../src/engine/locate';
import { wasmFolder } from '../../src/engine/wasmFolder';

describe('finding engines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'engines-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds a package in a folder that was named, and loads it', () => {
    expect(locatePackage('shrinknets-fake-engine')).toBeNull();
    const home = join(folder, 'node_modules', 'shrinknets-fake-engine');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "name": "shrinknets-fake-engine", "version": "1.2.3" }');
    writeFileSync(join(home, 'index.js'), 'module.exports = { answer: 42 };');
    addEngineFolder(folder);
    const found = locatePackage('shrinknets-fake-engine');
    expect(found).toMatchObject({ entry: join(home, 'index.js'), version: '1.2.3' });
    expect(found?.load()).toEqual({ answer: 42 });
  });

  it('finds the WebAssembly files', () => {
    expect(wasmFolder()).toMatch(/tfjs-backend-wasm.*dist.$/u);
  });
});

describe('probing in a child', () => {
  it('hands on what the script prints last', async () => {
    const script = 'console.log("chatter"); console.log(JSON.stringify({ given: process.argv[1] }));';
    expect(await probeInChild(script, ['here'])).toEqual({ works: true, facts: { given: 'here' } });
  });

  it.each([
    { title: 'throws', script: 'throw new Error("no such library");', problem: 'Error: no such library' },
    {
      title: 'crashes',
      script: 'process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 9e5);',
      problem: 'it was ended by SIGSEGV',
    },
    { title: 'says nothing', script: '', problem: 'it does not start' },
  ])('survives a script that $title', async ({ script, problem }) => {
    expect(await probeInChild(script, [])).toEqual({ works: false, problem });
  });
});
