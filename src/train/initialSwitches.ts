import type { Analysis } from '../core/analysis';
import { mixSeed, normalSamples, seededRandom } from '../core/random';

/** First values of the switches: N(0, 1), which finds slightly better networks than 1 (RECIPE.md). */
export function initialSwitches(analysis: Analysis, seed: number): Record<string, Float32Array> {
  const switches: Record<string, Float32Array> = {};
  analysis.hubs.forEach((hub, i) => {
    const random = seededRandom(mixSeed(seed, 51, i));
    if (hub.classes.length > 0) switches[hub.name] = normalSamples(hub.classes.length, random);
  });
  return switches;
}
