/**
 * Losses as TensorFlow.js compiled a model with them, which checks them: one for all outputs, a list in their order, or
 * by the outputs' names.
 */
export type LossesGiven =
  string | readonly (string | undefined)[] | Readonly<Record<string, string | undefined>>;

/** The loss of each output; undefined where none was given. @param outputs their names */
export function lossesOf(
  given: LossesGiven | undefined,
  outputs: readonly string[],
): readonly (string | undefined)[] {
  if (given === undefined || typeof given === 'string') return outputs.map(() => given);
  if (isList(given)) return outputs.map((_, i) => given[i]);
  return outputs.map((name) => given[name]);
}

function isList(given: LossesGiven): given is readonly (string | undefined)[] {
  return Array.isArray(given);
}
