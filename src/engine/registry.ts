/** The engines there are, fastest first where their speed is known. Adding one is a file in `engines` and a line here. */
import { badInput } from '../core/errors';
import type { EngineProvider, EngineStatus } from './engine';
import { cpu } from './engines/cpu';
import { onnxruntime, onnxruntimeGpus } from './engines/onnxruntime';
import { tfjsNode, tfjsNodeGpu } from './engines/tfjsNode';
import { wasm } from './engines/wasm';
import { webgpu } from './engines/webgpu';

export const providers: readonly EngineProvider[] = [
  tfjsNodeGpu,
  ...onnxruntimeGpus,
  onnxruntime,
  webgpu,
  tfjsNode,
  wasm,
  cpu,
];

/** @throws ShrinkError `unknown-engine` naming those there are */
export function findEngine(name: string): EngineProvider {
  const provider = providers.find((candidate) => candidate.name === name);
  if (provider === undefined) {
    const names = ['auto', ...providers.map((candidate) => candidate.name)].join(', ');
    throw badInput('unknown-engine', `There is no engine ${name}. Choose one of: ${names}.`);
  }
  return provider;
}

/** Those that there are for this system. */
export function providersHere(): readonly EngineProvider[] {
  return providers.filter(({ systems }) => systems === undefined || systems.includes(process.platform));
}

/** What each engine is here, or what it lacks. */
export function listEngines(): Promise<EngineStatus[]> {
  return Promise.all(providersHere().map((provider) => provider.probe()));
}
