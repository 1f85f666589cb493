import type { Problem, Range } from '../../core/errors';
import { findModelOf } from '../hints/attachHints';
import { readModelHint } from '../hints/checkHints';
import type { Hint } from '../reading';
import { covers, type Syntax } from '../syntax';
import {
  evaluateModel,
  isModelValue,
  type EvaluatedModel,
  type EvaluationHints,
  type PythonOrigin,
} from './evaluateModel';
import { adviseArguments } from './adviseArguments';
import { findOrigins, namesLibrary } from './findOrigins';
import { findPlaces, lastName, type ModelPlace } from './findPlaces';
import type { FoundSite } from './graph';
import { kerasLayerWidth } from './kerasLayers';
import { ModuleRuns } from './moduleRuns';
import { torchLayerWidth } from './torchLayers';

/** A model of the file with everything that was found out about it. */
export interface Entry {
  readonly origin: PythonOrigin;
  readonly evaluated: EvaluatedModel;
  readonly sites: readonly FoundSite[];
}

/** The models of a file, in source order, and what is said where a model is not read. */
export function findEntries(
  root: Syntax,
  text: string,
  hints: readonly Hint[],
): { readonly entries: readonly Entry[]; readonly problems: readonly Problem[] } {
  if (!namesLibrary(root)) return { entries: [], problems: [] };
  const runs = new ModuleRuns(root);
  const read = (origins: readonly PythonOrigin[], around: readonly PythonOrigin[]): Entry[] => {
    const hinted = readHints(root, text, hints, [...around, ...origins]);
    return origins.map((origin) => {
      const given = hinted.get(origin) ?? {};
      const evaluated = evaluateModel(runs, origin, given);
      const { problem } = evaluated;
      const advised =
        problem === undefined || given.args !== undefined
          ? {}
          : { problem: adviseArguments(problem, origin) };
      return { origin, evaluated: { ...evaluated, ...advised }, sites: keptSites(evaluated) };
    });
  };
  const named = read(findOrigins(runs), []).filter(isLikelyModel);
  const sure = named.filter((entry) => !isUnfinished(entry));
  const places = findPlaces(root, (call) => sure.some((entry) => isMadeIn(call, entry)));
  const found = read(
    placeOrigins(places, sure),
    sure.map(({ origin }) => origin),
  );
  return choose(root, named, sure, found);
}

/** A function that seems to make a model and could not be followed: the calls in it may be. */
function isUnfinished({ origin, evaluated }: Entry): boolean {
  return origin.kind === 'function' && evaluated.topology === undefined && evaluated.value === undefined;
}

function choose(
  root: Syntax,
  named: readonly Entry[],
  sure: readonly Entry[],
  found: readonly Entry[],
): { readonly entries: readonly Entry[]; readonly problems: readonly Problem[] } {
  const isReady = ({ evaluated }: Entry): boolean => evaluated.topology !== undefined;
  const isIn = (place: Entry, fn: Entry): boolean =>
    place.origin.kind === 'place' && fn.origin.node.contains(place.origin.place.call);
  const ready = found.filter(isReady);
  const unfinished = named.filter(
    (entry) => !sure.includes(entry) && !ready.some((place) => isIn(place, entry)),
  );
  const others = found.filter(
    (place) =>
      !isReady(place) &&
      place.evaluated.problem?.code !== 'not-a-model' &&
      !unfinished.some((fn) => isIn(place, fn)),
  );
  const usable = [...sure, ...ready];
  // What came to be a model, or may be the only one, is one that cannot be read yet; of another it is said, no more.
  const isListed = ({ evaluated }: Entry): boolean =>
    evaluated.value !== undefined || !usable.some(isReady) || evaluated.problem?.code === 'unknown-input';
  const entries = [...usable, ...unfinished, ...others.filter(isListed)].sort(
    (a, b) => a.origin.node.start - b.origin.node.start,
  );
  const passed = others.filter((place) => !isListed(place));
  const problems = passed.flatMap(({ evaluated }) =>
    evaluated.problem === undefined ? [] : [{ ...evaluated.problem, severity: 'warning' as const }],
  );
  if (entries.length > 0) return { entries, problems };
  return { entries, problems: [...problems, ...sayNothingRead(root)] };
}

/** Layers are made, and no model of them is read: said at the first of them. */
function sayNothingRead(root: Syntax): Problem[] {
  const call = root.walk().find((node) => node.type === 'call' && isLayerCall(node));
  if (call === undefined) return [];
  const name = call.field('function')?.text ?? '';
  const message =
    `${name} makes a layer, but no model that is read here holds it; ` +
    'make the model with Sequential(…), Model(…) or a class with a forward or call method in this file.';
  return [{ severity: 'warning', code: 'no-model-read', message, range: call.range }];
}

function isLayerCall(call: Syntax): boolean {
  const name = lastName(call);
  if (!/^[A-Z]/.test(name)) return false;
  return (kerasLayerWidth(name) ?? torchLayerWidth(name)) === 'width';
}

/** Functions are candidates by their looks only: those that make no model after all are dropped. */
function isLikelyModel({ origin, evaluated }: Entry): boolean {
  if (origin.kind !== 'function' || isModelValue(evaluated.value)) return true;
  return evaluated.value === undefined && /\b(?:Sequential|Model)\s*\(/.test(origin.node.text);
}

/** Whether a model that is read already is, or holds, what a call makes. */
function isMadeIn(call: Syntax, { origin, evaluated }: Entry): boolean {
  if (origin.kind !== 'variable') return origin.node.contains(call);
  const { value } = evaluated;
  const node = value?.kind === 'sequence' || value?.kind === 'model' ? value.node : undefined;
  return node === call || (node === undefined && origin.node.contains(call));
}

function placeOrigins(places: readonly ModelPlace[], sure: readonly Entry[]): PythonOrigin[] {
  const taken = new Set(sure.map(({ origin }) => origin.name));
  return places
    .filter(({ around }) => !around.some(isLayerClass))
    .map((place) => {
      let name = place.name;
      for (let count = 2; taken.has(name); count += 1) name = `${place.name}_${count}`;
      taken.add(name);
      return { kind: 'place', name, node: place.node, place };
    });
}

/** A layer of the author's own may hold a Sequential, which is no model by itself. */
function isLayerClass(node: Syntax): boolean {
  const bases = node.type === 'class_definition' ? (node.field('superclasses')?.namedChildren ?? []) : [];
  return bases.some((base) => /(?:^|\.)Layer$/.test(base.text));
}

function readHints(
  root: Syntax,
  text: string,
  hints: readonly Hint[],
  origins: readonly PythonOrigin[],
): Map<PythonOrigin, EvaluationHints> {
  const read = new Map<PythonOrigin, EvaluationHints>();
  const places = origins.map((origin) => ({ origin, places: placesOf(origin) }));
  for (const hint of hints) {
    if (hint.tag !== '@shrink-model') continue;
    const origin = findModelOf(root, text, hint, places)?.origin;
    if (origin === undefined) continue;
    const values = readModelHint(hint).value;
    read.set(origin, { ...parseList('args', values), ...parseList('input', values) });
  }
  return read;
}

function parseList(
  key: 'args' | 'input',
  values: Readonly<Record<string, string>>,
): Record<string, unknown[]> {
  const text = values[key];
  const json: unknown = text === undefined ? undefined : JSON.parse(text);
  return Array.isArray(json) ? { [key]: json as unknown[] } : {};
}

/** Where a model's hint may stand: above what makes it, its inputs, or a piece of code around it. */
export function placesOf(origin: PythonOrigin): Range[] {
  const around = origin.kind === 'place' ? blocksAround(origin.place) : [];
  const inputs = origin.kind === 'place' ? inputStatements(origin.place) : [];
  return [origin.node, ...inputs, ...around].map(
    (node) => (node.parent?.type === 'decorated_definition' ? node.parent : node).range,
  );
}

/** Functions, classes, loops and branches around a call, innermost first. */
function blocksAround({ call }: ModelPlace): Syntax[] {
  return [...call.ancestors()].filter((node) =>
    /(?:_definition|(?:for|while|if|with|try)_statement)$/.test(node.type),
  );
}

/** The statements beside a call of `Model` that make what it names as inputs. */
function inputStatements({ call, node }: ModelPlace): Syntax[] {
  const given = (call.field('arguments')?.namedChildren ?? []).find(
    (arg) => arg.type !== 'keyword_argument' || arg.field('name')?.text === 'inputs',
  );
  const names: readonly string[] = given?.text.match(/\w+/g) ?? [];
  return (node.parent?.namedChildren ?? []).filter((statement) => {
    const target = statement.namedChildren[0]?.field('left')?.text;
    return target !== undefined && names.includes(target);
  });
}

/** Sites of layers in the topology, in source order; of a model that failed, of what was read of it. */
function keptSites(evaluated: EvaluatedModel): FoundSite[] {
  const { graph, topology } = evaluated;
  const names = topology?.config.layers.map((layer) => layer.name) ?? Object.keys(graph.siteOf);
  const keys = new Set(names.map((name) => graph.siteOf[name]));
  return [...graph.sites.values()]
    .filter((site) => keys.has(site.key))
    .sort(
      (a, b) =>
        a.node.start - b.node.start || (a.width?.literal?.start ?? 0) - (b.width?.literal?.start ?? 0),
    );
}

/** Whether the code that makes one model lies elsewhere and calls of another's are in it. */
export function isPartOf(part: Entry, whole: Entry): boolean {
  const { node } = part.origin;
  const isInside = covers(node.range, whole.origin.node.range) || covers(whole.origin.node.range, node.range);
  const calls = [...whole.sites.map((site) => site.node), ...whole.evaluated.graph.augmentation.keys()];
  return !isInside && calls.some((call) => covers(node.range, call.range));
}
