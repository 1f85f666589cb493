/**
 * Seconds that a run will still take, from what a step takes now. A step has a part that does not shrink with the
 * network (feeding, small operations), taken as a fifth of a step at full size.
 */
export function secondsLeft(at: {
  /** Trunk steps done and in all. */
  readonly step: number;
  readonly steps: number;
  /** Steps of one finish. */
  readonly finishSteps: number;
  /** Size at the start, smallest size asked for, sizes that wait for their finish, size now. */
  readonly start: number;
  readonly smallest: number;
  readonly waiting: readonly number[];
  readonly params: number;
  readonly stepMs: number;
}): number {
  const cost = (size: number): number => 0.2 + 0.8 * Math.min(1, size / at.start);
  const fullMs = at.stepMs / cost(at.params);
  const trunk = Math.max(0, at.steps - at.step);
  // The size falls geometrically: its mean between now and the end is the logarithmic one.
  const low = Math.min(at.smallest, at.params);
  const mean = low < at.params ? (at.params - low) / Math.log(at.params / low) : at.params;
  const finish = at.waiting.reduce((sum, size) => sum + cost(size), 0) * at.finishSteps;
  return ((trunk * cost(mean) + finish) * fullMs) / 1000;
}
