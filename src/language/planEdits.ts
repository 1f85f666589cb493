import { lineAndColumn, type Problem, type TextEdit } from '../core/errors';
import { chooseModel } from './makePlan';
import { textOf, type ModelReading, type Place, type ReadSite, type SourceReading } from './reading';

/** Learned widths by site id. Sites whose width did not change may be left out. */
export type LearnedWidths = Readonly<Record<number, number | { readonly conflict: readonly number[] }>>;

export interface PlannedEdits {
  /** In source order, none overlapping; empty if anything was refused. */
  readonly edits: readonly TextEdit[];
  /** Edits of other files: constants and helpers that the model's file imports. */
  readonly elsewhere: readonly FileEdits[];
  /** Why not: each with the range of the cause. */
  readonly problems: readonly Problem[];
}

/** Edits of one file. */
export interface FileEdits {
  readonly file: string;
  /** The file's text before them. */
  readonly text: string;
  readonly edits: readonly TextEdit[];
}

/**
 * Plans the edits that write learned widths into a source: literals change, nothing else does. Either every width can
 * be written and the edited source reads back with exactly those widths, or there is no edit at all and the problems
 * say why.
 *
 * @throws ShrinkError as {@link chooseModel} does
 */
export function planEdits(
  reading: SourceReading,
  modelName: string | undefined,
  learned: LearnedWidths,
): PlannedEdits {
  const model = chooseModel(reading, modelName);
  const problems: Problem[] = [];
  const computed: Computed[] = [];
  const wishes = [
    ...widthWishes(model, learned, problems, computed),
    ...dependentWishes(reading.file, model, learned, computed),
  ];
  const planned = settleWishes(reading, wishes, problems);
  if (problems.length === 0) problems.push(...checkReadBack(reading, model, planned, learned, computed));
  if (problems.length > 0)
    return { edits: [], elsewhere: [], problems: problems.map((problem) => placeProblem(reading, problem)) };
  return {
    edits: planned.find((entry) => entry.file === reading.file)?.edits ?? [],
    elsewhere: planned.filter((entry) => entry.file !== reading.file),
    problems,
  };
}

/** Applies edits to a text. They must not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const sorted = [...edits].sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  let out = '';
  let position = 0;
  for (const edit of sorted) {
    out += text.slice(position, edit.range.start) + edit.text;
    position = edit.range.end;
  }
  return out + text.slice(position);
}

/**
 * The edits that undo edits.
 *
 * @param text the text before `edits`
 * @returns edits of the text after `edits`
 */
export function invertEdits(text: string, edits: readonly TextEdit[]): TextEdit[] {
  const sorted = [...edits].sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  let shift = 0;
  return sorted.map((edit) => {
    const start = edit.range.start + shift;
    shift += edit.text.length - (edit.range.end - edit.range.start);
    return {
      range: { start, end: start + edit.text.length },
      text: text.slice(edit.range.start, edit.range.end),
    };
  });
}

/** What one use of a literal wants it to be. */
interface Wish {
  readonly literal: Place;
  readonly value: number;
  /** The use itself: the layer, or another place that reads the constant. */
  readonly use: Place;
  readonly what: string;
}

/** A number that is computed and should change: it does if the literals behind it do, or else it is a problem. */
interface Computed {
  readonly problem: Problem;
  /** Of a width; a number of another kind shows in what the edited source makes. */
  readonly site?: number;
}

function widthWishes(
  model: ModelReading,
  learned: LearnedWidths,
  problems: Problem[],
  computed: Computed[],
): Wish[] {
  const wishes: Wish[] = [];
  for (const id of Object.keys(learned))
    if (model.sites[Number(id)] === undefined)
      problems.push({
        severity: 'error',
        code: 'unknown-site',
        message: `The model ${model.name} has no site ${id} any more; train it again.`,
        range: model.nameRange,
      });
  for (const site of model.sites) {
    const wanted = learned[site.id];
    const refused = refuseSite(site, wanted);
    if (refused?.code === 'computed-width' && site.width !== undefined) {
      if (wanted !== site.width) computed.push({ problem: refused, site: site.id });
      continue;
    }
    if (refused !== undefined) {
      problems.push(refused);
      continue;
    }
    if (site.widthRange === undefined || site.width === undefined) continue;
    const value = typeof wanted === 'number' ? wanted : site.width;
    const literal = { file: site.widthFile ?? site.file, range: site.widthRange };
    const use = { file: site.file, range: site.range };
    wishes.push({ literal, value, use, what: `the ${site.layerType} layer` });
    if (site.trace.kind !== 'constant') continue;
    // Whatever else reads the constant goes on needing the value that it has.
    for (const other of site.trace.others)
      wishes.push({
        literal,
        value: site.width,
        use: other,
        what: `the use of ${site.trace.name}`,
      });
  }
  return wishes;
}

function refuseSite(site: ReadSite, wanted: LearnedWidths[number] | undefined): Problem | undefined {
  if (wanted === undefined) return undefined;
  const { range, file } = site;
  if (typeof wanted !== 'number')
    return {
      severity: 'error',
      code: 'width-conflict',
      message:
        `This call makes several layers, which learned different widths (${wanted.conflict.join(', ')}); ` +
        'one literal cannot say both. Write the layers out one by one, or emit the compact model as a module.',
      range,
      file,
    };
  if (!Number.isSafeInteger(wanted) || wanted < 1)
    return { severity: 'error', code: 'bad-width', message: `${wanted} is no width.`, range, file };
  if (site.trace.kind === 'computed')
    return {
      severity: 'error',
      code: 'computed-width',
      message:
        `The width of this ${site.layerType} layer ${site.trace.reason}, so it cannot be written as a literal; ` +
        'write a number there, or emit the compact model as a module.',
      ...site.trace.place,
    };
  if (site.trace.kind === 'none')
    return {
      severity: 'error',
      code: 'no-width',
      message: `A ${site.layerType} layer has no width.`,
      range,
      file,
    };
  return undefined;
}

function dependentWishes(
  file: string,
  model: ModelReading,
  learned: LearnedWidths,
  computed: Computed[],
): Wish[] {
  return model.dependents.flatMap((dependent) => {
    const value = dependent.terms.reduce((sum, term) => {
      const wanted = learned[term.site];
      const width = typeof wanted === 'number' ? wanted : (model.sites[term.site]?.width ?? Number.NaN);
      return sum + width * term.factor;
    }, dependent.constant);
    const { range, what } = dependent;
    if (dependent.computed !== true) {
      const place = { file, range };
      return [{ literal: place, value, use: place, what }];
    }
    const problem: Problem = {
      severity: 'error',
      code: 'computed-width',
      message:
        `${what} must become ${value}, but it is computed, so it cannot be written as a literal; ` +
        'write a number there, or emit the compact model as a module.',
      range,
    };
    if (value !== dependent.value) computed.push({ problem });
    return [];
  });
}

/** One edit for every literal whose uses agree on a new value, by file; a file without edits is left out. */
function settleWishes(reading: SourceReading, wishes: readonly Wish[], problems: Problem[]): FileEdits[] {
  const byLiteral = new Map<string, Wish[]>();
  for (const wish of wishes) {
    const key = `${wish.literal.range.start} ${wish.literal.file}`;
    byLiteral.set(key, [...(byLiteral.get(key) ?? []), wish]);
  }
  const edits = new Map<string, TextEdit[]>();
  for (const group of byLiteral.values()) {
    const first = group[0];
    if (first === undefined) continue;
    const { file, range } = first.literal;
    const written = textOf(reading, file).slice(range.start, range.end);
    const different = group.find((wish) => wish.value !== first.value);
    if (different !== undefined) {
      problems.push({
        severity: 'error',
        code: 'shared-literal',
        message:
          `${written} is read at several places that need different values now: ${first.what} at ` +
          `${showPlace(reading, first.use)} needs ${first.value}, ${different.what} at ` +
          `${showPlace(reading, different.use)} needs ${different.value}; give each its own number.`,
        range,
        file,
      });
    } else if (Number(written.replaceAll('_', '')) !== first.value) {
      edits.set(file, [...(edits.get(file) ?? []), { range, text: String(first.value) }]);
    }
  }
  return [...edits].map(([file, list]) => ({
    file,
    text: textOf(reading, file),
    edits: list.sort((a, b) => a.range.start - b.range.start),
  }));
}

/** A problem of the file that was read needs no name of a file. */
function placeProblem(reading: SourceReading, problem: Problem): Problem {
  const { file, ...rest } = problem;
  return file === undefined || file === reading.file ? rest : { ...rest, file };
}

/** Reads the edited text and compares: same sites, the widths that were learned, nothing newly broken. */
function checkReadBack(
  reading: SourceReading,
  model: ModelReading,
  planned: readonly FileEdits[],
  learned: LearnedWidths,
  computed: readonly Computed[],
): Problem[] {
  if (planned.length === 0) return computed.map(({ problem }) => problem);
  const texts = new Map(planned.map(({ file, text, edits }) => [file, applyEdits(text, edits)]));
  const again = reading.internal.reread(texts.get(reading.file) ?? reading.text, texts);
  const edited = again.models.find((candidate) => candidate.name === model.name);
  const isSound =
    again.problems.length <= reading.problems.length && edited?.sites.length === model.sites.length;
  const isRight = (site: ReadSite): boolean => {
    const now = edited?.sites[site.id];
    return now?.layerType === site.layerType && now.width === (learned[site.id] ?? site.width);
  };
  if (isSound && model.sites.every(isRight)) return [];
  const wrong = computed.filter(({ site }) => {
    const known = site === undefined ? undefined : model.sites[site];
    return known === undefined ? !isSound : !isRight(known);
  });
  if (wrong.length > 0) return wrong.map(({ problem }) => problem);
  return [
    {
      severity: 'error',
      code: 'not-read-back',
      message: `The edited source of ${model.name} would not read back with the learned widths, so nothing is written.`,
      range: model.nameRange,
    },
  ];
}

function showPlace(reading: SourceReading, { file, range }: Place): string {
  const { line, column } = lineAndColumn(textOf(reading, file), range.start);
  return `${file === reading.file ? '' : `${file}:`}${line}:${column}`;
}
