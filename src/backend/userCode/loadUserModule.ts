import { badInput, messageOf } from '../../core/errors';
import { jitiFor } from './jitiFor';

/**
 * Loads a module of the user's, e.g. one that gives data, with the backend's own TensorFlow.js.
 *
 * @param file absolute path
 * @returns the module's exports
 * @throws ShrinkError bad-input `module-throws`
 */
export async function loadUserModule(file: string): Promise<Record<string, unknown>> {
  try {
    return await jitiFor(file).import<Record<string, unknown>>(file);
  } catch (thrown) {
    throw badInput('module-throws', `${file} cannot be loaded: ${messageOf(thrown).trim()}`, thrown);
  }
}
