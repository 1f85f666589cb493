import type { ChannelRows } from '../../protocol/webview';
import type { JournalEvent } from '../../core/events';
import { readJournal } from '../../run/journal';
import { findLatestCheckpoint } from '../../run/checkpoints';

/** Names in a checkpoint, `what|hub`; those of the finish have neither. */
const SWITCH = 'beta';
const SCORE = 'score';

/** Switches and scores of a layer's channels, from the newest checkpoint that has them. */
export async function readChannels(folder: string, layer: string): Promise<ChannelRows | undefined> {
  const { events } = await readJournal(folder);
  const hub = hubOf(events, layer);
  for (let until = events.length; until > 0;) {
    const found = await findLatestCheckpoint(folder, events.slice(0, until));
    if (found === undefined) return undefined;
    const { tensors, step } = found.checkpoint;
    const theta = tensors[`${SWITCH}|${hub}`]?.data;
    if (theta !== undefined)
      return { layer, step, theta: [...theta], score: [...(tensors[`${SCORE}|${hub}`]?.data ?? [])] };
    until = found.event.seq;
  }
  return undefined;
}

/** Layers that are joined share the switches of the first of them. */
function hubOf(events: readonly JournalEvent[], layer: string): string {
  const model = events.findLast((event) => event.type === 'model');
  const group = model?.layers.find(({ name }) => name === layer)?.group;
  return model?.layers.find((each) => each.group === group)?.name ?? layer;
}
