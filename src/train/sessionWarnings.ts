import type { LayerInfo } from '../core/events';

/** What a session has to say of the limits that hints set. */

export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** Of layers of which every channel wanted to die. @param kept channels that limits keep, by layer */
export function keptWarnings(kept: Readonly<Record<string, number>>): Warning[] {
  return Object.entries(kept).map(([layer, count]) => ({
    code: `kept-${layer}`,
    message: `All channels of ${layer} wanted to die; the strongest (${count} of them) were kept.`,
  }));
}

/**
 * Of sizes that were asked for and not reached.
 *
 * @param missed in `unit`, at least one
 * @param canShrink whether limits would have let more channels go
 */
export function missedWarning(
  missed: readonly number[],
  trunk: {
    readonly size: number;
    readonly unit: string;
    readonly steps: number;
    readonly canShrink: boolean;
  },
): Warning {
  // A size of 541.5 parameters is one of 541.
  const sizes = missed.map((size) => Math.floor(size)).join(', ');
  const came = `The size came down to ${trunk.size} ${trunk.unit}`;
  return {
    code: 'budget-missed',
    message: trunk.canShrink
      ? `${came} in ${trunk.steps} training steps, which are too few to reach ${sizes}; give more epochs or a smaller batchSize.`
      : `${came}; ${sizes} cannot be reached, because every layer keeps its width or has come down to what its hint allows.`,
  };
}

/** Of `@shrink lambda=…` where no layer has a penalty of its own. */
export function unusedLambda(
  layers: readonly LayerInfo[],
  hintLambda: (layer: string) => number | undefined,
): Warning[] {
  const names = layers.map(({ name }) => name).filter((name) => hintLambda(name) !== undefined);
  if (names.length === 0) return [];
  return [
    {
      code: 'lambda-unused',
      message: `The lambda of the hint at ${names.join(', ')} has no effect in mode budget, where sizes decide; take it out, or set mode to lambda.`,
    },
  ];
}
