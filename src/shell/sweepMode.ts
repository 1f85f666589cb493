import type { Mode, TrainOptions } from '../core/options';

/** The mode of a sweep's trials: a fixed penalty, or the paper's own form of it where the model asks for that. */
export function sweepMode({ mode }: Pick<TrainOptions, 'mode'>): Mode {
  return mode === 'original' ? 'original' : 'lambda';
}
