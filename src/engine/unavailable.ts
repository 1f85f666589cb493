import { ShrinkError } from '../core/errors';
import type { EngineStatus } from './engine';

type Unavailable = Extract<EngineStatus, { available: false }>;

/**
 * The error of an engine that was asked for by name and is not here: what is missing and how to get it.
 *
 * @param until what to do without it, as a sentence
 */
export function unavailable(
  { name, missing, install }: Omit<Unavailable, 'available'>,
  until = '--engine auto takes the fastest that works.',
): ShrinkError {
  const how = install === null ? '' : ` Get it with: ${install}.`;
  return new ShrinkError(
    'environment',
    'engine-unavailable',
    `The engine ${name} cannot be used: ${missing}.${how} ${until}`,
  );
}
