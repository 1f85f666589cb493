import '@tensorflow/tfjs-backend-cpu';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluatePlan } from '../../src/backend/userCode';
import type { Plan } from '../../src/core/plan';
import * as tf from '../../src/engine/tf';
import { applyEdits, invertEdits, makePlan, planEdits, type ModelReading } from '../../src/language';
import { goldenFiles } from './support/golden';
import { read } from './support/parsers';

/**
 * Every model of every golden file: widths are written, only literals change, the edited file makes a model of
 * those widths, to write again changes nothing, and undoing gives the first bytes back.
 */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

/** Models whose widths cannot all be written, with why: each is offered as a module instead. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  // `_make_divisible` rounds every width.
  'mobilenetV2.py mobilenet_v2': /width of this Conv2d layer is computed/,
};

const CASES = goldenFiles().flatMap(({ file, text }) => {
  const wholes = read(text, file).models.filter(
    (model) => model.partOf.length === 0 && model.sites.some((site) => site.width !== undefined),
  );
  return wholes.map((model) => ({
    name: `${path.basename(file)} ${model.name}`,
    file,
    text,
    model: model.name,
  }));
});

/** A quarter of every width: layers that are joined stay so, and products of widths go along. */
function chooseWidths(model: ModelReading): Record<number, number> {
  return Object.fromEntries(
    model.sites.flatMap(({ id, width }) =>
      width === undefined ? [] : [[id, Math.ceil(width / 4)] as const],
    ),
  );
}

/** Widths of the model's layers by site, as it is really made. */
async function madeWidths(plan: Plan): Promise<[number, number][]> {
  const { model, siteOf } = await evaluatePlan(plan);
  const found: [number, number][] = [];
  const visit = (layers: readonly tf.layers.Layer[], prefix: string): void => {
    for (const layer of layers) {
      const { units, filters, outputDim } = layer.getConfig() as Record<string, number | undefined>;
      const width = units ?? filters ?? outputDim;
      const site = siteOf[prefix + layer.name];
      if (width !== undefined && site !== undefined) found.push([site, width]);
      const inner = (layer as { layers?: tf.layers.Layer[] }).layers;
      if (inner !== undefined) visit(inner, `${prefix}${layer.name}/`);
    }
  };
  visit(model.layers, '');
  model.dispose();
  return found;
}

describe('golden files', () => {
  it.each(CASES)('$name', async ({ name, file, text, model: chosen }) => {
    const reading = read(text, file);
    expect(reading.problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    const model = reading.models.find((candidate) => candidate.name === chosen);
    if (model === undefined) throw new Error('The model is gone.');
    makePlan(reading, chosen);
    const learned = chooseWidths(model);
    const planned = planEdits(reading, chosen, learned);
    const refused = REFUSED[name];
    if (refused !== undefined) {
      expect(planned.edits).toEqual([]);
      return expect(planned.problems.map((problem) => problem.message).join('\n')).toMatch(refused);
    }
    expect(planned.problems).toEqual([]);
    const edited = applyEdits(text, planned.edits);
    const strip = (source: string): string => source.replaceAll(/\d+/g, '#');
    expect(strip(edited)).toBe(strip(text));
    const widths = await madeWidths(makePlan(read(edited, file), chosen));
    expect(widths.length).toBeGreaterThan(0);
    for (const [site, width] of widths) if (learned[site] !== undefined) expect(width).toBe(learned[site]);
    expect(planEdits(read(edited, file), chosen, learned)).toEqual({
      edits: [],
      elsewhere: [],
      problems: [],
    });
    expect(applyEdits(edited, invertEdits(text, planned.edits))).toBe(text);
  });
});
