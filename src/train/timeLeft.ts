/**
 * Seconds that a run will still take, from what a step takes now. A step has a part that does not shrink with the
 * network (feeding, small operations), taken as a fifth of a step at full size. Sizes are shares of the starting one.
 */
export function secondsLeft(at: {
  /** Trunk steps to come. */
  readonly stepsLeft: number;
  /** Smallest size asked for, sizes that wait for their finish with its steps, size now. */
  readonly smallest: number;
  readonly waiting: readonly { readonly share: number; readonly steps: number }[];
  readonly share: number;
  readonly stepMs: number;
}): number {
  const cost = (share: number): number => 0.2 + 0.8 * share;
  const fullMs = at.stepMs / cost(at.share);
  // The size falls geometrically: its mean between now and the end is the logarithmic one.
  const low = Math.min(at.smallest, at.share);
  const mean = low < at.share ? (at.share - low) / Math.log(at.share / low) : at.share;
  const finish = at.waiting.reduce((sum, { share, steps }) => sum + cost(share) * steps, 0);
  return ((at.stepsLeft * cost(mean) + finish) * fullMs) / 1000;
}
