import { expect } from 'vitest';
import { evaluatePlan } from '../../../src/backend/userCode';
import { chooseModel, makePlan } from '../../../src/language';
import { checkEdit } from './checkEdit';
import { read } from './parsers';

/**
 * Checks a model from its source to its edits: what is read is made, with these widths, and the literals in `⟦5→2⟧`
 * are what changes them, one by one.
 *
 * @param widths of its layers in order, e.g. `5 3`; a layer without one by its class
 */
export async function checkMade(marked: string, widths: string, file?: string): Promise<void> {
  const marks = [...marked.matchAll(/⟦(\w+)→(\w+)⟧/g)];
  const before = marked.replaceAll(/⟦(\w+)→\w+⟧/g, '$1');
  const after = marked.replaceAll(/⟦\w+→(\w+)⟧/g, '$1');
  expect(read(before, file).problems).toEqual([]);
  expect(await widthsOf(before, undefined, file)).toBe(widths);
  checkEdit(marked, file);
  const learned = new Map(marks.map(([, old = '', changed = '']) => [old, changed]));
  const changed = widths.split(' ').map((width) => learned.get(width) ?? width);
  expect(await widthsOf(after, undefined, file)).toBe(changed.join(' '));
}

/** The widths of the layers of a model that a source makes, in order. */
export async function widthsOf(text: string, name?: string, file?: string): Promise<string> {
  const reading = read(text, file);
  const { model } = await evaluatePlan(makePlan(reading, chooseModel(reading, name).name));
  const layers = model.layers.filter((layer) => layer.getClassName() !== 'InputLayer');
  return layers
    .map((layer) => {
      const { units, filters } = layer.getConfig() as { units?: number; filters?: number };
      return units ?? filters ?? layer.getClassName();
    })
    .join(' ');
}
