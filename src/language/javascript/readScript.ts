import { badInput } from '../../core/errors';
import type { Program } from '../../core/plan';
import type { FoundModel, FrontEnd, HintTarget, ModelReading, ReadSite } from '../reading';
import { covers, type Syntax } from '../syntax';
import { findMadeModels, type MadeModel } from './findModels';
import { findLayerCalls, finishTrace, widthExpression, type LayerCall } from './layerCalls';
import { enclosingFunction, enclosingStatement, wrapOut } from './nodes';
import { parameterName, parametersOf } from './patterns';
import { resolveScopes } from './scopes';
import { findTfCalls } from './tfCalls';
import { openScript, sliceModel, type ScriptFile } from './sliceModel';

/** Reads the TensorFlow.js models of a TypeScript or JavaScript file. Never throws on any text. */
export function readScript(file: string, text: string, root: Syntax): FrontEnd {
  const scopes = resolveScopes(root);
  const tfCalls = findTfCalls(root, scopes);
  const script = openScript(file, text, root, scopes, tfCalls);
  const calls = findLayerCalls(tfCalls, scopes);
  const made = findMadeModels(tfCalls, scopes);
  const found = made.map((model) => ({ made: model, ...readModel(script, model, calls) }));
  const models = found.map((entry): FoundModel => {
    const wholes = found.filter((other) => other !== entry && isPart(entry.made, other));
    return { ...entry.model, partOf: wholes.map((whole) => whole.model.name) };
  });
  return {
    models,
    targets: calls.map(targetOf),
    problems: [],
    makeProgram: (reading) => {
      const entry = found.find((candidate) => candidate.model.name === reading.name);
      if (entry === undefined) throw badInput('slice', `${file} has no model ${reading.name}.`);
      return makeProgram(script, entry.made, reading, entry.layers);
    },
  };
}

function isPart(part: MadeModel, whole: { made: MadeModel; calls: ReadonlySet<Syntax> }): boolean {
  const inWhole = part.creations.every(
    (creation) => whole.calls.has(creation) || containsNew(whole, creation),
  );
  return inWhole && !part.creations.some((creation) => whole.made.creations.includes(creation));
}

function containsNew(whole: { calls: ReadonlySet<Syntax> }, creation: Syntax): boolean {
  return creation.type === 'new_expression' && [...whole.calls].some((call) => call.contains(creation));
}

function readModel(
  script: ScriptFile,
  made: MadeModel,
  calls: readonly LayerCall[],
): { model: FoundModel; calls: ReadonlySet<Syntax>; layers: readonly LayerCall[] } {
  const sliced = sliceModel(script, made, undefined).calls;
  const layers = calls.filter((call) => sliced.has(call.node));
  const widths = new Set(
    layers.flatMap((call) => widthExpression(call, script.scopes) ?? []).map((node) => wrapOut(node)),
  );
  const sites = layers.map((call, id): ReadSite => {
    const { line, column } = script.positionOf(call.node.start);
    return {
      id,
      file: script.file,
      layerType: call.layerType,
      range: call.node.range,
      line,
      column,
      ...(call.widthRange === undefined ? {} : { widthRange: call.widthRange }),
      ...(call.width === undefined ? {} : { width: call.width }),
      trace: finishTrace(call.trace, widths),
    };
  });
  const maker = makerOf(made);
  const places = [maker, ...made.creations.map((creation) => enclosingStatement(creation) ?? creation)];
  const fn = functionOfOrigin(made);
  const model: FoundModel = {
    name: made.name,
    aliases: aliasesOf(made),
    kind: made.kind,
    range: maker.range,
    nameRange: made.nameNode.range,
    sites,
    dependents: [],
    places: places.map((place) => place.range),
    parameters: (fn === undefined ? [] : parametersOf(fn)).map((parameter) => ({
      name: parameterName(parameter),
      hasDefault: /[=?]/.test(parameter.text) || parameter.text.startsWith('...'),
    })),
    partOf: [],
  };
  return { model, calls: sliced, layers };
}

function makeProgram(
  script: ScriptFile,
  made: MadeModel,
  reading: ModelReading,
  layers: readonly LayerCall[],
): Program {
  const sliced = sliceModel(script, made, reading.modelHint['args']);
  if (sliced.error !== undefined) throw sliced.error;
  const ids = new Map<Syntax, number>();
  for (const layer of layers) {
    const site = reading.sites.find(
      (candidate) => covers(candidate.range, layer.node.range) && covers(layer.node.range, candidate.range),
    );
    if (site !== undefined) ids.set(layer.node, site.id);
  }
  return { kind: 'slice', code: sliced.render(ids) };
}

function targetOf(call: LayerCall): HintTarget {
  return {
    range: call.node.range,
    layerType: call.layerType,
    width: call.width,
    hasWidth: call.hasWidth,
  };
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
    case 'expression':
      return undefined;
  }
}

/** The function or statement that makes the model. */
function makerOf(made: MadeModel): Syntax {
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
