import type { HintPlace, HintTarget, Place, ReadSite, WidthTrace } from '../reading';
import { covers, type Syntax } from '../syntax';
import type { LayerCall } from './layerCalls';
import { isFunction, unwrap, wrapOut } from './nodes';
import type { Condition, PossibleValue } from './possibleValue';
import { callbackCall, possibleProperty, possibleValues, type Circumstances } from './possibleValues';
import type { SiteMarks } from './renderSlice';
import { isHandedOut, isOverridden, isPassThrough } from './uses';
import type { ScriptProgram } from './scriptProgram';

/** The sites of a model, and what must be written into its slice so that each layer knows its own. */
export interface ModelSites {
  readonly sites: readonly ReadSite[];
  readonly marks: SiteMarks;
  /** Calls of helpers that a hint may stand above, because they give layers their widths. */
  readonly targets: readonly { readonly file: string; readonly target: HintTarget }[];
}

/** One width of a layer call, under some conditions. */
interface LayerWidth {
  readonly call: LayerCall;
  readonly value: PossibleValue | undefined;
}

/**
 * Finds the places where widths of a model's layers are written: one for each layer call and literal. A helper that
 * is called with several widths has a site for each.
 */
export function findSites(
  script: ScriptProgram,
  layers: readonly LayerCall[],
  circumstances: Circumstances,
): ModelSites {
  const widths = layers.flatMap((call) =>
    widthsOf(call, circumstances).map((value): LayerWidth => ({ call, value })),
  );
  const followed = new Set(widths.flatMap(({ value }) => value?.via.map((node) => wrapOut(node)) ?? []));
  const sites: ReadSite[] = [];
  const known = new Map<string, ReadSite>();
  const choices = new Map<LayerCall, { site: ReadSite; conditions: readonly Condition[] }[]>();
  const targets = new Map<Syntax, { file: string; target: HintTarget }>();
  for (const { call, value } of widths) {
    const key = `${script.modules.indexOf(script.moduleOf(call.node))} ${call.node.start} ${keyOf(script, value)}`;
    const site = known.get(key) ?? { ...describe(script, call, value, followed), id: sites.length };
    if (!known.has(key)) {
      known.set(key, site);
      sites.push(site);
      addTarget(targets, site, value);
    }
    choices.set(call, [...(choices.get(call) ?? []), { site, conditions: value?.conditions ?? [] }]);
  }
  return { sites, marks: new Marker().mark(choices), targets: [...targets.values()] };
}

/** Everything a width may be; `undefined` alone for a layer without one. */
function widthsOf(call: LayerCall, circumstances: Circumstances): (PossibleValue | undefined)[] {
  const { widthKey, config } = call;
  if (widthKey === undefined) return [undefined];
  const missing: PossibleValue = {
    ...{ node: call.node, conditions: [], uses: [], via: [] },
    unknown: `has no ${widthKey} that can be read here`,
  };
  if (config === undefined) return [missing];
  const values = possibleValues(config, circumstances).flatMap((object): PossibleValue[] => {
    if (object.unknown !== undefined) return [{ ...missing, conditions: object.conditions }];
    return possibleProperty(object.node, widthKey, circumstances).map((value): PossibleValue => {
      if (value.node === object.node) return { ...missing, conditions: object.conditions };
      const uses = [...object.uses, ...value.uses];
      return {
        ...value,
        uses,
        conditions: [...object.conditions, ...value.conditions],
        via: [...object.via, ...value.via],
      };
    });
  });
  if (values.length === 0) return [missing];
  return values.map((value) => {
    if (value.unknown !== undefined || integerOf(value.node) !== undefined) return value;
    return { ...value, unknown: 'is computed' };
  });
}

function keyOf(script: ScriptProgram, value: PossibleValue | undefined): string {
  if (value === undefined || value.unknown !== undefined) return 'computed';
  return `${script.modules.indexOf(script.moduleOf(value.node))} ${value.node.start}`;
}

function describe(
  script: ScriptProgram,
  call: LayerCall,
  value: PossibleValue | undefined,
  followed: ReadonlySet<Syntax>,
): Omit<ReadSite, 'id'> {
  const { file, positionOf } = script.moduleOf(call.node);
  const { line, column } = positionOf(call.node.start);
  const base = { file, layerType: call.layerType, range: call.node.range, line, column };
  if (value === undefined) return { ...base, trace: { kind: 'none' } };
  const placeOf = (node: Syntax): Place => ({ file: script.moduleOf(node).file, range: node.range });
  if (value.unknown !== undefined)
    return { ...base, trace: { kind: 'computed', place: placeOf(value.node), reason: value.unknown } };
  const literal = placeOf(value.node);
  const entry = value.node.parent;
  const key = (entry?.type === 'pair' ? entry.field('key')?.text : undefined) ?? '';
  const isOther = (use: Syntax): boolean =>
    !followed.has(wrapOut(use)) && !isHandedOut(use) && !isPassThrough(use) && !isOverridden(use, key);
  const others = value.uses.filter(isOther).map(placeOf);
  const isOwn = literal.file === file && covers(call.node.range, literal.range) && value.uses.length === 0;
  const trace: WidthTrace = isOwn
    ? { kind: 'literal' }
    : { kind: 'constant', name: value.name ?? value.node.text, others };
  const around = isOwn ? undefined : callAround(value.node);
  const place: HintPlace | undefined =
    around === undefined ? undefined : { file: placeOf(around).file, start: around.start };
  return {
    ...base,
    widthRange: literal.range,
    ...(literal.file === file ? {} : { widthFile: literal.file }),
    width: integerOf(value.node) ?? 0,
    trace,
    ...(place === undefined ? {} : { hintPlace: place }),
  };
}

/** The call in whose arguments a literal stands: `conv(x, 64)`. */
function callAround(literal: Syntax): Syntax | undefined {
  for (const ancestor of literal.ancestors()) {
    if (ancestor.type === 'call_expression') return ancestor;
    if (/statement$|declaration$|declarator$/.test(ancestor.type) || isFunction(ancestor)) return undefined;
  }
  return undefined;
}

function integerOf(node: Syntax): number | undefined {
  if (node.type !== 'number' || !/^[\d_]+$/.test(node.text)) return undefined;
  const value = Number(node.text.replaceAll('_', ''));
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function addTarget(
  targets: Map<Syntax, { file: string; target: HintTarget }>,
  site: ReadSite,
  value: PossibleValue | undefined,
): void {
  const call = site.hintPlace === undefined || value === undefined ? undefined : callAround(value.node);
  if (call === undefined || site.hintPlace === undefined) return;
  const known = targets.get(call)?.target;
  const width = known === undefined || known.width === site.width ? site.width : undefined;
  const target = { range: call.range, layerType: site.layerType, width, hasWidth: true };
  targets.set(call, { file: site.hintPlace.file, target });
}

/** Writes marks: layers ask which calls and turns are under way, calls and loops say so. */
class Marker {
  private readonly around = new Map<Syntax, { before: string; after: string }>();
  private readonly owners: Syntax[] = [];
  private readonly calls = new Map<Syntax, number>();

  mark(
    choices: ReadonlyMap<LayerCall, readonly { site: ReadSite; conditions: readonly Condition[] }[]>,
  ): SiteMarks {
    for (const [call, list] of choices) {
      const [only] = list;
      const isPlain = list.every(({ site }) => site === only?.site);
      const written = isPlain
        ? String(only?.site.id)
        : `[${list.map(({ site, conditions }) => `[${site.id}, [${conditions.map((c) => this.write(c)).join(', ')}]]`).join(', ')}]`;
      this.wrap(call.node, `__shrinkSite(${written}, `, ')');
    }
    return { around: this.around };
  }

  private wrap(node: Syntax, before: string, after: string): void {
    const known = this.around.get(node) ?? { before: '', after: '' };
    this.around.set(node, { before: before + known.before, after: known.after + after });
  }

  private write({ owner, at }: Condition): string {
    const isNew = !this.owners.includes(owner);
    const id = isNew ? this.owners.push(owner) - 1 : this.owners.indexOf(owner);
    if (typeof at !== 'number') return `[${id}, ${this.markCall(id, at)}]`;
    if (isNew) this.markTurns(id, owner);
    return `[${id}, ${at}]`;
  }

  private markCall(owner: number, call: Syntax): number {
    const known = this.calls.get(call);
    if (known !== undefined) return known;
    const number = this.calls.size;
    this.calls.set(call, number);
    this.wrap(call, `__shrinkMark.leave(${owner}, __shrinkMark.enter(${owner}, ${number}), `, ')');
    return number;
  }

  /** Says whose turn it is in a loop, in a callback that runs for each item, or in a subscript. */
  private markTurns(id: number, owner: Syntax): void {
    const list = owner.type === 'for_in_statement' ? owner.field('right') : undefined;
    if (list !== undefined) this.wrap(unwrap(list), `__shrinkMark.each(${id}, `, ')');
    else if (callbackCall(owner) !== undefined) this.wrap(owner, `__shrinkMark.callback(${id}, `, ')');
    else this.wrap(owner, `__shrinkMark.index(${id}, `, ')');
  }
}
