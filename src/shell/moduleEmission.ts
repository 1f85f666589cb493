import path from 'node:path';
import { badInput } from '../core/errors';
import type { ResultEvent } from '../core/events';
import type { LayerHint, Plan } from '../core/plan';
import type { Topology } from '../core/topology';
import { languageOf, writeModule, type ModuleLibrary } from '../language';

/** Libraries that a module can be written for, as users name them. */
export const MODULE_LIBRARIES: readonly ModuleLibrary[] = ['tfjs', 'keras', 'torch'];

/**
 * The learned architecture as a module of its own, in the source's library or another one.
 *
 * @param file name of the module: its ending says the language
 * @param library of the source, or Keras for Python from a TensorFlow.js source, if left out
 * @throws ShrinkError `module` where that cannot be written
 */
export function writeCompactModule(
  plan: Plan,
  result: ResultEvent,
  compact: Topology,
  file: string,
  library: ModuleLibrary = libraryOf(plan, file),
): string {
  const language = languageOf(file);
  const isPython = library !== 'tfjs';
  if (language === undefined || isPython !== (language === 'python'))
    throw badInput(
      'module',
      `${path.basename(file)} cannot hold a module for ${library}; name a ${isPython ? '.py' : '.ts, .js or .mjs'} file.`,
    );
  const { program } = plan;
  const pathOf = program.kind === 'topology' ? (program.pathOf ?? {}) : {};
  const siteOf = new Map(result.layers.map((layer) => [layer.name, layer.siteId]));
  return writeModule(compact, {
    library,
    typescript: language === 'typescript' || language === 'tsx',
    model: plan.model,
    pathsOf: (layer) => pathOf[layer],
    hintOf: (layer) => {
      const site = siteOf.get(layer);
      return site == null ? undefined : hintText(plan.sites[site]?.hint);
    },
  });
}

function libraryOf(plan: Plan, file: string): ModuleLibrary {
  if (languageOf(file) !== 'python') return 'tfjs';
  return plan.program.kind === 'topology' && plan.program.axes === 'channels-first' ? 'torch' : 'keras';
}

function hintText(hint: LayerHint | undefined): string | undefined {
  if (hint === undefined) return undefined;
  const words = Object.entries(hint).map(([key, value]) =>
    key === 'off' ? 'off' : `${key}=${String(value)}`,
  );
  return ['@shrink', ...words].join(' ');
}
