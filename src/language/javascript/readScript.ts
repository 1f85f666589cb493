import { badInput, ShrinkError, type Problem } from '../../core/errors';
import type { Program } from '../../core/plan';
import type { FoundModel, FrontEnd, HintTarget, ModelReading, OtherFile } from '../reading';
import { piecewise, type Syntax } from '../syntax';
import { findMadeModels, giveUniqueNames, type MadeModel } from './findModels';
import { findImportedModels } from './importedModels';
import { findLayerCalls, type LayerCall } from './layerCalls';
import { findSites, type ModelSites } from './modelSites';
import { argumentsOf, enclosingFunction, enclosingStatement } from './nodes';
import { possibleProperty, possibleValues, type Circumstances } from './possibleValues';
import { parameterName, parametersOf } from './patterns';
import { openProgram, type ScriptModule, type ScriptProgram, type ScriptSurroundings } from './scriptProgram';
import { sliceModel } from './sliceModel';
import { findUnread } from './unreadModels';

/** A model with what was found out about it. */
interface Entry {
  readonly made: MadeModel;
  readonly model: FoundModel;
  readonly found: ModelSites;
  readonly calls: ReadonlySet<Syntax>;
  readonly files: readonly ScriptModule[];
  /** Whether every argument that it takes is known without a hint. */
  readonly isComplete: boolean;
}

/** Reads the TensorFlow.js models of a TypeScript or JavaScript file. Never throws on any text. */
export function readScript(
  file: string,
  text: string,
  root: Syntax,
  surroundings: ScriptSurroundings,
): FrontEnd {
  const script = openProgram(file, text, root, surroundings);
  const layers = new LayerCalls();
  const made = giveUniqueNames([
    ...findMadeModels(script.main, script.scopes),
    ...findImportedModels(script),
  ]);
  const problems: Problem[] = [];
  const entries = made.flatMap((model) => {
    try {
      return [readModel(script, model, layers)];
    } catch (thrown) {
      if (!(thrown instanceof ShrinkError)) throw thrown;
      problems.push(problemAt(model, thrown));
      return [];
    }
  });
  const isRead = (call: Syntax): boolean =>
    made.some(({ creations }) => creations.includes(call)) ||
    entries.some((entry) => entry.calls.has(call) || containsNew(entry, call));
  problems.push(...findUnread(script.main, isRead));
  const models = entries.map((entry): FoundModel => {
    const wholes = entries.filter((other) => other !== entry && isPart(entry.made, other));
    return { ...entry.model, partOf: wholes.map((whole) => whole.model.name) };
  });
  const targetsIn = (module: ScriptModule): HintTarget[] => listTargets(script, module, layers, entries);
  const others = new Set(entries.flatMap((entry) => entry.files));
  others.delete(script.main);
  return {
    models,
    targets: targetsIn(script.main),
    others: [...others].map((module): OtherFile => {
      const { file: path, text: content, root: tree } = module;
      return { file: path, text: content, root: tree, targets: targetsIn(module) };
    }),
    problems,
    sourceOptions: readFitOptions(script),
    isReady: (reading) => {
      const entry = entries.find((candidate) => candidate.model.name === reading.name);
      // Files that need each other in a circle show only when they are put together.
      return (
        entry?.isComplete === true && entry.files.length === 1 && reading.modelHint['args'] === undefined
      );
    },
    makeProgram: (reading) => {
      const entry = entries.find((candidate) => candidate.model.name === reading.name);
      if (entry === undefined) throw badInput('slice', `${file} has no model ${reading.name}.`);
      return makeProgram(script, entry, reading);
    },
  };
}

/** A model that cannot be read leaves the others of its file as they are. */
function problemAt({ nameNode }: MadeModel, { code, message }: ShrinkError): Problem {
  return { severity: 'error', code, message, range: nameNode.range };
}

/** The layer calls of each file, looked for when they are needed. */
class LayerCalls {
  private readonly byModule = new Map<ScriptModule, LayerCall[]>();

  of(module: ScriptModule): LayerCall[] {
    const known = this.byModule.get(module) ?? findLayerCalls(module.tfCalls);
    this.byModule.set(module, known);
    return known;
  }
}

function isPart(part: MadeModel, whole: Entry): boolean {
  const inWhole = part.creations.every(
    (creation) => whole.calls.has(creation) || containsNew(whole, creation),
  );
  return inWhole && !part.creations.some((creation) => whole.made.creations.includes(creation));
}

function containsNew(whole: Entry, creation: Syntax): boolean {
  return creation.type === 'new_expression' && [...whole.calls].some((call) => call.contains(creation));
}

function readModel(script: ScriptProgram, made: MadeModel, layers: LayerCalls): Entry {
  const { found, calls, files, isComplete } = readSites(script, made, layers);
  const maker = makerOf(made);
  const places = [
    maker,
    ...made.creations.map((creation) => enclosingStatement(creation) ?? creation),
    ...holdersIn(script, made),
  ].filter((place) => place.tree === script.main.root.tree);
  const fn = functionOfOrigin(made);
  const model: FoundModel = {
    name: made.name,
    aliases: aliasesOf(made),
    kind: made.kind,
    range: maker.range,
    nameRange: made.nameNode.range,
    sites: found.sites,
    dependents: [],
    places: places.map((place) => place.range),
    parameters: (fn === undefined ? [] : parametersOf(fn)).map((parameter) => ({
      name: parameterName(parameter),
      hasDefault: /[=?]/.test(parameter.text) || parameter.text.startsWith('...'),
    })),
    partOf: [],
  };
  return { made, model, found, calls, files, isComplete };
}

function readSites(
  script: ScriptProgram,
  made: MadeModel,
  layers: LayerCalls,
): Pick<Entry, 'found' | 'calls' | 'files' | 'isComplete'> {
  const sliced = sliceModel(script, made, undefined);
  const { calls, files } = sliced.parts;
  const inSlice = files.flatMap((module) => layers.of(module)).filter((call) => calls.has(call.node));
  const { scopes } = script;
  const found = findSites(script, inSlice, { scopes, calls, given: sliced.given });
  return { found, calls, files, isComplete: sliced.error === undefined };
}

function makeProgram(script: ScriptProgram, entry: Entry, reading: ModelReading): Program {
  const sliced = sliceModel(script, entry.made, reading.modelHint['args']);
  if (sliced.error !== undefined) throw sliced.error;
  const { code, modules } = sliced.render(entry.found.marks);
  const plain = sliceModel(script, entry.made, reading.modelHint['args'], false);
  const uncompiled = plain.error === undefined ? plain.render(entry.found.marks) : undefined;
  return {
    kind: 'slice',
    code,
    ...(modules.length === 0 ? {} : { modules }),
    ...(uncompiled === undefined || uncompiled.code === code ? {} : { uncompiled }),
  };
}

const fitCalls = piecewise((nodes) =>
  nodes.filter(
    (node) => node.type === 'call_expression' && node.field('function')?.field('property')?.text === 'fit',
  ),
);

/** The batch size of the first `model.fit(x, y, { batchSize })`, where it is a number that can be read. */
function readFitOptions({ main, scopes }: ScriptProgram): Record<string, string> {
  const circumstances: Circumstances = { scopes, calls: new Set(), given: new Map() };
  for (const call of fitCalls(main.root)) {
    const config = argumentsOf(call)[2];
    if (config?.type !== 'object') continue;
    const [value] = possibleProperty(config, 'batchSize', circumstances);
    if (value?.unknown === undefined && value?.node.type === 'number') return { batchSize: value.node.text };
  }
  return {};
}

/** What hints of a file can stand above: layers, and helpers that give layers their widths. */
function listTargets(
  script: ScriptProgram,
  module: ScriptModule,
  layers: LayerCalls,
  entries: readonly Entry[],
): HintTarget[] {
  const circumstances: Circumstances = { scopes: script.scopes, calls: new Set(), given: new Map() };
  const targets = layers.of(module).map((call) => targetOf(call, circumstances));
  const starts = new Set(targets.map((target) => target.range.start));
  const helpers = entries
    .flatMap(({ found }) => found.targets)
    .filter(({ file, target }) => file === module.file && !starts.has(target.range.start))
    .map(({ target }) => target);
  const byStart = new Map(helpers.map((target) => [target.range.start, target]));
  return [...targets, ...byStart.values()].sort((a, b) => a.range.start - b.range.start);
}

function targetOf(call: LayerCall, circumstances: Circumstances): HintTarget {
  const { node, layerType, widthKey, config } = call;
  const shared = { range: node.range, layerType, hasWidth: widthKey !== undefined };
  if (widthKey === undefined || config === undefined) return { ...shared, width: undefined };
  const values = possibleValues(config, circumstances).flatMap((object) =>
    possibleProperty(object.node, widthKey, circumstances),
  );
  const [only] = values;
  const width =
    values.length === 1 && only?.unknown === undefined
      ? Number(only?.node.text.replaceAll('_', ''))
      : Number.NaN;
  return { ...shared, width: Number.isNaN(width) ? undefined : width };
}

function functionOfOrigin(made: MadeModel): Syntax | undefined {
  const origin = made.origin;
  switch (origin.kind) {
    case 'function':
    case 'method':
    case 'property':
    case 'field':
      return origin.fn;
    case 'variable':
      return origin.inFunction;
    case 'instance':
    case 'expression':
      return undefined;
  }
}

/** In the main file, the statements that hold a model of another file. */
function holdersIn(script: ScriptProgram, made: MadeModel): Syntax[] {
  if (made.via === undefined) return [];
  const binding = made.via.use === undefined ? undefined : script.scopes.bindingOf(made.via.use);
  const uses = binding?.references.filter((use) => use.tree === script.main.root.tree) ?? [];
  return uses.flatMap((use) => enclosingStatement(use) ?? []);
}

/** The function or statement that makes the model; for one of another file, the statement that brings it here. */
function makerOf(made: MadeModel): Syntax {
  if (made.via !== undefined) return enclosingStatement(made.nameNode) ?? made.nameNode;
  const origin = made.origin;
  const creation = made.creations[0] ?? made.nameNode;
  switch (origin.kind) {
    case 'function':
    case 'property': {
      const statement = enclosingStatement(origin.fn);
      const around = statement === undefined ? undefined : enclosingFunction(statement);
      return statement !== undefined && around !== origin.fn ? statement : origin.fn;
    }
    case 'method':
      return origin.fn;
    case 'field':
    case 'instance':
      return origin.ofClass;
    case 'variable':
    case 'expression':
      return enclosingStatement(creation) ?? creation;
  }
}

function aliasesOf(made: MadeModel): string[] {
  const origin = made.origin;
  const last = made.name.split('.').at(-1) ?? made.name;
  const around = origin.kind === 'variable' ? origin.inFunction?.field('name')?.text : undefined;
  const className = origin.kind === 'method' || origin.kind === 'field' ? made.name.split('.')[0] : undefined;
  return [last, around, className].filter((name): name is string => name !== undefined && name !== made.name);
}
