import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { JournalEvent } from '../../core/events';
import { SWITCHES_FILE, type StoredSwitches } from '../../core/job';
import type { ChannelRows } from '../../protocol/webview';
import { findLatestCheckpoint } from '../../run/checkpoints';
import { readJournal } from '../../run/journal';

/** Switches and scores of a layer's channels: as learning left them, or as the newest checkpoint has them. */
export async function readChannels(folder: string, layer: string): Promise<ChannelRows | undefined> {
  const { events } = await readJournal(folder);
  const hub = hubOf(events, layer);
  const stored = await readSwitches(folder);
  const found = stored?.layers[hub];
  if (stored !== undefined && found !== undefined) return { layer, step: stored.step, ...found };
  const latest = await findLatestCheckpoint(folder, events);
  if (latest === undefined) return undefined;
  const { tensors, step } = latest.checkpoint;
  // Names of `takeCheckpoint`.
  const theta = tensors[`beta|${hub}`]?.data;
  const score = tensors[`switch ${hub}|score`]?.data ?? [];
  return theta === undefined ? undefined : { layer, step, theta: [...theta], score: [...score] };
}

/** Not there before learning is over, or from an older version. */
async function readSwitches(folder: string): Promise<StoredSwitches | undefined> {
  const text = await readFile(path.join(folder, SWITCHES_FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as StoredSwitches);
}

/** Layers that are joined share the switches of the first of them. */
function hubOf(events: readonly JournalEvent[], layer: string): string {
  const model = events.findLast((event) => event.type === 'model');
  const group = model?.layers.find(({ name }) => name === layer)?.group;
  return model?.layers.find((each) => each.group === group)?.name ?? layer;
}
