import { badInput, lineAndColumn, messageOf, type Problem, type ShrinkError } from '../core/errors';
import type { Plan, Site } from '../core/plan';
import { textOf, type FrontEnd, type ModelReading, type ReadSite, type SourceReading } from './reading';
import { sha256 } from './sha256';
import type { Syntax } from './syntax';

/**
 * Makes the plan of a model: everything the backend needs to build it.
 *
 * @param modelName a model's name or alias; may be left out where the file makes one model
 * @throws ShrinkError bad-input, `file:line:column: what, what to do`
 */
export function makePlan(reading: SourceReading, modelName?: string): Plan {
  const { model, front } = prepareModel(reading, modelName);
  return {
    version: 1,
    file: reading.file,
    fileHash: sha256(reading.text),
    language: reading.language,
    model: model.name,
    program: front.makeProgram(model),
    sites: model.sites.map(siteOf),
    modelHint: model.modelHint,
    ...(front.sourceOptions === undefined ? {} : { sourceOptions: front.sourceOptions }),
    ...(front.sourceMetrics === undefined ? {} : { sourceMetrics: front.sourceMetrics }),
    onlyHinted: model.onlyHinted,
  };
}

/** Why no plan can be made of a model; undefined if one can. */
export function whyUnusable(reading: SourceReading, modelName: string): string | undefined {
  try {
    const { model, front } = prepareModel(reading, modelName);
    if (!front.isReady(model)) front.makeProgram(model);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** A model in which nothing is broken, and the front-end that has read it. */
function prepareModel(
  reading: SourceReading,
  modelName: string | undefined,
): { readonly model: ModelReading; readonly front: FrontEnd } {
  const model = chooseModel(reading, modelName);
  const broken = findBrokenCode(reading, model);
  if (broken !== undefined) throw broken;
  const problems = [...reading.problems, ...reading.internal.elsewhere];
  const hintError = problems.find((problem) => problem.severity === 'error');
  if (hintError !== undefined) throw badInput(hintError.code, showProblem(reading, hintError));
  const front = reading.internal.front;
  if (front === undefined) throw badInput('slice', `${reading.file}: the file could not be read.`);
  return { model, front };
}

/**
 * The model that a name means.
 *
 * @throws ShrinkError `no-model`, `several-models`, `unknown-model` or `syntax`
 */
export function chooseModel(reading: SourceReading, modelName?: string): ModelReading {
  const { models } = reading;
  if (models.length === 0) {
    throw (
      findBrokenCode(reading, undefined) ??
      badInput('no-model', `${reading.file}: no model found; ${adviseOtherFile(reading)}`)
    );
  }
  const names = models.map((model) => model.name).join(', ');
  if (modelName === undefined) {
    const wholes = models.filter((model) => model.partOf.length === 0);
    const only = [models, wholes].find((list) => list.length === 1)?.[0];
    if (only !== undefined) return only;
    throw badInput('several-models', `${reading.file} has several models: ${names}; name one with --model.`);
  }
  const exact = models.find((model) => model.name === modelName);
  const aliased = models.filter((model) => model.aliases.includes(modelName));
  const chosen = exact ?? (aliased.length === 1 ? aliased[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw badInput(
    'unknown-model',
    `${reading.file} has no model ${JSON.stringify(modelName)}; it has ${names}.`,
  );
}

/** Where the model may be instead: files of the same project that this one imports from. */
function adviseOtherFile(reading: SourceReading): string {
  const sources = reading.text.matchAll(
    /(?:\bfrom\s+|\brequire\()['"](\.{1,2}\/[^'"\n]+)['"]|^from\s+(\.[\w.]*)\s+import/gm,
  );
  const files = [...new Set([...sources].map((match) => match[1] ?? match[2] ?? ''))].filter(
    (file) => file !== '',
  );
  return files.length === 0
    ? 'make one with tf.sequential, tf.model, Keras or PyTorch, or name another file.'
    : `it imports from ${files.slice(0, 3).join(', ')}: name the file that makes the model.`;
}

/** A site without what only edits need. */
function siteOf(site: ReadSite): Site {
  const { id, file, layerType, range, line, column } = site;
  return {
    ...{ id, file, layerType, range, line, column },
    ...(site.widthRange === undefined ? {} : { widthRange: site.widthRange }),
    ...(site.width === undefined ? {} : { width: site.width }),
    ...(site.hint === undefined ? {} : { hint: site.hint }),
  };
}

/** A syntax error in the file. What stands around it cannot be trusted, wherever it is. */
function findBrokenCode(reading: SourceReading, model: ModelReading | undefined): ShrinkError | undefined {
  const root = reading.internal.root;
  const node = root === undefined ? undefined : findError(root, model);
  if (node === undefined) return undefined;
  const shown = node.text.trim().split(/\r?\n/)[0]?.slice(0, 40) ?? '';
  const what = node.missing
    ? `syntax error: ${node.type} is missing`
    : `syntax error${shown === '' ? '' : ` at ${JSON.stringify(shown)}`}`;
  return badInput('syntax', placeMessage(reading, node.start, `${what}; mend it.`));
}

function findError(root: Syntax, model: ModelReading | undefined): Syntax | undefined {
  if (!root.piece.broken && root.children.every((child) => !child.piece.broken)) return undefined;
  const errors = root.walk().filter((node) => node.missing || node.type === 'ERROR');
  if (model === undefined) return errors[0];
  return errors.find((node) => node.end >= model.range.start && node.start <= model.range.end) ?? errors[0];
}

/** A problem as `file:line:column: message`. */
export function showProblem(
  reading: SourceReading,
  { file = reading.file, range, message }: Problem,
): string {
  const { line, column } = lineAndColumn(textOf(reading, file), range.start);
  return `${file}:${line}:${column}: ${message}`;
}

function placeMessage(reading: SourceReading, offset: number, message: string): string {
  const { line, column } = lineAndColumn(reading.text, offset);
  return `${reading.file}:${line}:${column}: ${message}`;
}
