import { badInput, type Problem, type Range } from '../../core/errors';
import type { Program } from '../../core/plan';
import { makePositions } from '../positions';
import type { FoundModel, FrontEnd, Hint, HintTarget, ReadSite, WidthTrace } from '../reading';
import { covers, type Syntax } from '../syntax';
import { readsSequence } from './evaluateModel';
import { findEntries, isPartOf, placesOf, type Entry } from './entries';
import { parametersOf } from './adviseArguments';
import { readSourceMetrics, readSourceOptions } from './sourceOptions';
import { describeDependents, nameOfConstant, type FileFacts } from './dependents';
import type { FoundSite } from './graph';
import { kerasLayerWidth } from './kerasLayers';
import { torchLayerWidth } from './torchLayers';

/** Reads the Keras and PyTorch models of a Python file, without running it. */
export function readPython(file: string, text: string, root: Syntax, hints: readonly Hint[]): FrontEnd {
  const { entries, problems } = findEntries(root, text, hints);
  const literals = new Map(
    root.walk().flatMap((node) => (node.type === 'integer' ? [[node.start, node]] : [])),
  );
  const positionOf = makePositions(text);
  const found = entries.map((entry) => ({
    entry,
    model: describeModel(entry, entries, { file, literals, positionOf, root }),
  }));
  return {
    models: found.map(({ model }) => model),
    targets: listTargets(
      found.flatMap(({ entry }) => [...entry.evaluated.graph.sites.values()]),
      literals,
      root,
    ),
    others: [],
    problems: [...found.flatMap(({ entry, model }) => problemOf(entry, model)), ...problems],
    sourceOptions: entries.length === 0 ? {} : readSourceOptions(root),
    sourceMetrics: entries.length === 0 ? [] : readSourceMetrics(root),
    isReady: (reading) =>
      found.find(({ model }) => model.name === reading.name)?.entry.evaluated.topology !== undefined,
    makeProgram: (reading) => {
      const entry = found.find(({ model }) => model.name === reading.name)?.entry;
      if (entry === undefined) throw badInput('slice', `${file} has no model ${reading.name}.`);
      return makeProgram(file, entry, positionOf);
    },
  };
}

/** A model that is a part of another is read there; its own trouble (no arguments, say) does not matter. */
function problemOf(entry: Entry, model: FoundModel): Problem[] {
  const problem = entry.evaluated.problem;
  return problem === undefined || model.partOf.length > 0 ? [] : [{ ...problem, severity: 'warning' }];
}

function makeProgram(file: string, entry: Entry, positionOf: ReturnType<typeof makePositions>): Program {
  const { topology, problem, graph, axes } = entry.evaluated;
  if (topology === undefined) {
    const at = problem?.range.start ?? entry.origin.node.start;
    const { line, column } = positionOf(at);
    const message = problem?.message ?? `${entry.origin.name} cannot be read.`;
    throw badInput(problem?.code ?? 'cannot-read', `${file}:${line}:${column}: ${message}`);
  }
  const ids = new Map(entry.sites.map((site, id) => [site.key, id]));
  const siteOf: Record<string, number> = {};
  for (const layer of topology.config.layers) {
    const id = ids.get(graph.siteOf[layer.name] ?? '');
    if (id !== undefined) siteOf[layer.name] = id;
  }
  const names = new Set(topology.config.layers.map((layer) => layer.name));
  const pathOf = Object.fromEntries(Object.entries(graph.pathOf).filter(([name]) => names.has(name)));
  const unused = graph.unused.length === 0 ? {} : { unused: graph.unused };
  const sequence = readsSequence(entry.evaluated.value) ? { sequence: true } : {};
  const types = [...new Set(graph.augmentation.values())];
  const augmentation = types.length === 0 ? {} : { augmentation: types };
  return { kind: 'topology', topology, siteOf, axes, pathOf, ...unused, ...sequence, ...augmentation };
}

function describeModel(entry: Entry, entries: readonly Entry[], facts: FileFacts): FoundModel {
  const { origin, evaluated } = entry;
  const sites = entry.sites.map((site, id) => describeSite(site, id, facts));
  const wholes = entries.filter((other) => other !== entry && isPartOf(entry, other));
  const definition = /definition$/.test(origin.node.type) ? origin.node : undefined;
  return {
    name: origin.name,
    aliases: [],
    kind:
      evaluated.value?.kind === 'instance'
        ? 'subclassed'
        : evaluated.value?.kind === 'model'
          ? 'functional'
          : 'sequential',
    range: origin.node.range,
    nameRange: (definition?.field('name') ?? origin.node).range,
    sites,
    dependents: describeDependents(entry.evaluated, entry.sites, facts),
    places: placesOf(origin),
    parameters: parametersOf(origin),
    partOf: wholes.map((whole) => whole.origin.name),
  };
}

function describeSite(site: FoundSite, id: number, facts: FileFacts): Omit<ReadSite, 'hint' | 'hintRange'> {
  const { line, column } = facts.positionOf(site.node.start);
  const literal = site.width?.literal;
  const place =
    literal === undefined || covers(site.node.range, literal)
      ? undefined
      : callAround(literal, facts.literals);
  return {
    id,
    file: facts.file,
    layerType: site.type,
    range: site.node.range,
    line,
    column,
    ...(literal === undefined ? {} : { widthRange: literal }),
    ...(site.width === undefined ? {} : { width: site.width.value }),
    trace: traceOf(site, facts),
    ...(place === undefined ? {} : { hintPlace: { file: facts.file, start: place.start } }),
  };
}

function traceOf(site: FoundSite, facts: FileFacts): WidthTrace {
  if (!site.hasWidth || site.width === undefined) return { kind: 'none' };
  const literal = site.width.literal;
  if (literal === undefined)
    return {
      kind: 'computed',
      place: { file: facts.file, range: site.node.range },
      reason: 'is computed',
    };
  if (covers(site.node.range, literal)) return { kind: 'literal' };
  const name = nameOfConstant(facts.literals.get(literal.start));
  return { kind: 'constant', name: name ?? String(site.width.value), others: [] };
}

/** The call in whose arguments a literal stands: `Block(64)`. */
function callAround(literal: Range, literals: ReadonlyMap<number, Syntax>): Syntax | undefined {
  for (const ancestor of literals.get(literal.start)?.ancestors() ?? []) {
    if (ancestor.type === 'call') return ancestor;
    if (/statement$|definition$/.test(ancestor.type)) return undefined;
  }
  return undefined;
}

/** Layer calls that a hint may stand above: those that were evaluated, and those that look like layers elsewhere. */
function listTargets(
  sites: readonly FoundSite[],
  literals: ReadonlyMap<number, Syntax>,
  root: Syntax,
): HintTarget[] {
  const targets = new Map<number, HintTarget>();
  const add = (target: HintTarget): void => {
    if (!targets.has(target.range.start)) targets.set(target.range.start, target);
  };
  for (const site of sites) {
    const literal = site.width?.literal;
    const width = literal === undefined ? undefined : site.width?.value;
    const shared = { layerType: site.type, hasWidth: site.hasWidth };
    const isElsewhere = literal !== undefined && !covers(site.node.range, literal);
    add({ ...shared, range: site.node.range, width: isElsewhere ? undefined : width });
    const place = isElsewhere ? callAround(literal, literals) : undefined;
    if (place !== undefined) add({ ...shared, range: place.range, width });
  }
  for (const node of root.walk()) {
    const callee = node.type === 'call' ? node.field('function') : undefined;
    const layerType = callee?.field('attribute')?.text ?? callee?.text ?? '';
    const kind =
      callee === undefined ? undefined : (torchLayerWidth(layerType) ?? kerasLayerWidth(layerType));
    if (kind !== undefined)
      add({ range: node.range, layerType, width: undefined, hasWidth: kind === 'width' });
  }
  return [...targets.values()].sort((a, b) => a.range.start - b.range.start);
}
