import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { ONNX_CPU, ONNX_GPUS } from '../../src/engine/onnx/devices';
import { probeDevice, tryLoading } from '../../src/engine/onnx/probe';
import { findEngine, listEngines } from '../../src/engine/registry';

const ENTRY = createRequire(import.meta.url).resolve('onnxruntime-node');
/** A graphics device in software, which comes with Debian's chromium. */
const SOFTWARE_GPU = '/usr/lib/chromium';

const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
const cpu = { device: ONNX_CPU, threads: 1 };

/** The real package, changed: what a broken installation or driver would be. */
function packageThat(does: string): string {
  const home = mkdtempSync(join(folder, 'package-'));
  mkdirSync(home, { recursive: true });
  const entry = join(home, 'index.js');
  writeFileSync(
    entry,
    `const real = require(${JSON.stringify(ENTRY)});
    const create = (...args) => real.InferenceSession.create(...args);
    const changed = { ...real, listSupportedBackends: real.listSupportedBackends, InferenceSession: { create } };
    ${does}
    module.exports = changed;`,
  );
  return entry;
}

afterAll(() => {
  rmSync(folder, { recursive: true });
  return tf.setBackend('cpu');
});

describe('trying a device of ONNX Runtime', () => {
  it('finds nothing wrong with the CPU, and leaves the active backend', async () => {
    await findEngine('wasm').load();
    const tensors = tf.memory().numTensors;
    expect(await probeDevice(ENTRY, cpu)).toBeNull();
    expect(tf.getBackend()).toBe('wasm');
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it.each([
    {
      title: 'computes something else',
      does: `changed.InferenceSession.create = async (...args) => {
        const session = await create(...args);
        return { run: async (feeds) => {
          const found = await session.run(feeds);
          for (const { data } of Object.values(found)) data.forEach((value, i) => (data[i] = value * 1.01));
          return found;
        } };
      };`,
      fault: /^its gradients of dense are wrong \(off by 0\.01/u,
    },
    {
      title: 'dies',
      does: 'changed.InferenceSession.create = async () => process.kill(process.pid, "SIGSEGV");',
      fault: /^it was ended by SIGSEGV$/u,
    },
    {
      title: 'runs out of memory',
      does: `changed.InferenceSession.create = async () => { throw new Error("std::bad_alloc\\nat operator()"); };`,
      fault: /^std::bad_alloc$/u,
    },
    {
      title: 'cannot be loaded',
      does: 'throw new Error("libonnxruntime.so.1: cannot open shared object file");',
      fault: /cannot open shared object file/u,
    },
    {
      title: 'was built without it',
      does: 'changed.listSupportedBackends = () => [{ name: "cuda", bundled: true }];',
      fault: /^this build of ONNX Runtime has only cuda$/u,
    },
  ])('says so of one that $title', async ({ does, fault }) => {
    expect(await probeDevice(packageThat(does), cpu)).toMatch(fault);
  });
});

describe('loading what is damaged', () => {
  it.each([
    { title: 'was cut off', does: '(module.exports = {});', said: /it is not ONNX Runtime/u },
    {
      title: 'takes its process down',
      does: 'process.kill(process.pid, "SIGBUS");',
      said: /ended by SIGBUS/u,
    },
    { title: 'cannot be found in part', does: 'require("./gone.node");', said: /Cannot find module/u },
  ])('is tried apart: one that $title', async ({ does, said }) => {
    const entry = packageThat(does);
    writeFileSync(entry, does);
    expect(await tryLoading(entry)).toMatch(said);
    expect(await tryLoading(entry)).not.toMatch(/\n/u);
  });

  it('finds nothing wrong with a whole one', async () => {
    expect(await tryLoading(ENTRY)).toBeNull();
  });
});

describe('the devices of ONNX Runtime', () => {
  const kept = { library: process.env['LD_LIBRARY_PATH'], driver: process.env['VK_ICD_FILENAMES'] };
  afterEach(() => {
    for (const [name, value] of [
      ['LD_LIBRARY_PATH', kept.library],
      ['VK_ICD_FILENAMES', kept.driver],
    ] as const)
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
  });

  it.each(ONNX_GPUS.map(({ engine }) => engine))('%s says what it is or what it lacks', async (name) => {
    const provider = findEngine(name);
    const status = await provider.probe();
    const here = provider.systems?.includes(process.platform) ?? true;
    expect((await listEngines()).some((listed) => nameOf(listed) === name)).toBe(here);
    if (status.available) {
      expect((await provider.load()).describe()).toEqual(status.description);
      return;
    }
    // One line for people: no place in somebody's source, no colours.
    expect(status.missing).toMatch(here ? /^[\x20-\x7e]{10,200}$/u : /^it is only for (Windows|macOS)/u);
    expect(status.missing).not.toMatch(/onnxruntime_src|\.cc:/u);
    const device = ONNX_GPUS.find(({ engine }) => engine === name);
    if (here) expect(status.missing).toContain(`it takes ${device?.needs}`);
    const attempt = provider.load();
    await expect(attempt).rejects.toThrow(`The engine ${name} cannot be used: ${status.missing}.`);
    await expect(attempt).rejects.toMatchObject({ code: 'engine-unavailable' });
    await expect(attempt).rejects.toThrow('--engine onnxruntime computes on the CPU');
    if (status.install !== null) await expect(attempt).rejects.toThrow(status.install);
  });

  it('a GPU through WebGPU has right gradients, some of its nodes on the CPU', async ({ skip }) => {
    const driver = join(SOFTWARE_GPU, 'vk_swiftshader_icd.json');
    if (!existsSync(driver)) skip(`no graphics device in software: ${driver} is not there`);
    process.env['LD_LIBRARY_PATH'] = SOFTWARE_GPU;
    process.env['VK_ICD_FILENAMES'] = driver;
    const device = ONNX_GPUS.find(({ provider }) => provider === 'webgpu');
    if (device === undefined) throw new RangeError('webgpu is a device');
    expect(await probeDevice(ENTRY, { device, threads: 1 })).toBeNull();
  });
});

function nameOf(status: Awaited<ReturnType<typeof listEngines>>[number]): string {
  return status.available ? status.description.name : status.name;
}
