import type { RunEnd, RunHandle } from './runHandle';

/**
 * Follows a run to its end, over the deaths of its process: its supervisor starts it again from the last checkpoint,
 * whoever watches.
 *
 * @param onRestart told of every new handle; its events begin at 0 again, since the journal was cut back
 * @returns how the run ended at last
 */
export async function followRun(
  first: RunHandle,
  onRestart: (next: RunHandle, why: string) => void = () => undefined,
): Promise<RunEnd> {
  for (let end = await first.closed; ; end = await end.next.closed) {
    if (end.next === undefined) return end;
    onRestart(end.next, end.message);
  }
}
