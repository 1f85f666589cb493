import type { EngineAnswer } from '../protocol/query';

/** What an engine is, in parts: device, version, threads, memory. */
export function engineParts({
  device,
  version,
  threads,
  memory,
}: Extract<EngineAnswer, { available: true }>): string[] {
  return [
    device,
    version,
    ...(threads === null ? [] : [`${threads} ${threads === 1 ? 'thread' : 'threads'}`]),
    ...(memory === null ? [] : [`up to ${(memory / 1e9).toFixed(1)} GB`]),
  ];
}
