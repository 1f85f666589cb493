import { messageOf, type Problem } from '../core/errors';
import { attachHints, type AttachedHints } from './hints/attachHints';
import { parseHints } from './hints/parseHints';
import type { Language } from '../core/plan';
import { readScript } from './javascript/readScript';
import { languageOf, type Parsers } from './parsers';
import { readPython } from './python/readPython';
import type { FoundModel, FrontEnd, Hint, ModelReading, ReadSite, SourceReading } from './reading';
import type { Syntax } from './syntax';

/** A source file to read. */
export interface Source {
  /** Absolute path: its extension tells the language. */
  readonly file: string;
  readonly text: string;
}

/**
 * Reads the models, sites and hints of a source file. Never throws: what is broken, half typed or unknown is a
 * problem with a range.
 */
export function readSource(parsers: Parsers, source: Source): SourceReading {
  return readWith(parsers, source, (language) => parsers.parse(language, source.text));
}

/** The versions of one source: what an edit left alone is not parsed again. */
export interface FollowedSource {
  /**
   * Reads a version. Its functions (`makePlan`, `planEdits`, completion, hover) may be asked until the next version
   * is read; its ranges stay.
   */
  read(text: string): SourceReading;
  /** Frees what the parser holds. */
  close(): void;
}

export function followSource(parsers: Parsers, file: string): FollowedSource {
  const followed = parsers.follow(languageOf(file) ?? 'javascript');
  return {
    read: (text) => readWith(parsers, { file, text }, () => followed.parse(text)),
    close: () => followed.close(),
  };
}

function readWith(parsers: Parsers, source: Source, parse: (language: Language) => Syntax): SourceReading {
  const { file, text } = source;
  const language = languageOf(file) ?? 'javascript';
  const reread = (changed: string): SourceReading => readSource(parsers, { file, text: changed });
  const empty = { file, text, language, models: [], hints: [] };
  try {
    const root = parse(language);
    const parsed = parseHints(root, text);
    const front = readFront(source, language, root, parsed.hints);
    const attached = attachHints(root, text, parsed.hints, front.targets, front.models);
    return {
      ...empty,
      models: front.models.map((model) => finishModel(model, attached)),
      hints: parsed.hints,
      problems: sortProblems([...parsed.problems, ...attached.problems, ...front.problems]),
      internal: { root, front, reread },
    };
  } catch (thrown) {
    const problem: Problem = {
      severity: 'error',
      code: 'cannot-read',
      message: `This file cannot be read: ${messageOf(thrown)}`,
      range: { start: 0, end: 0 },
    };
    return { ...empty, problems: [problem], internal: { root: undefined, front: undefined, reread } };
  }
}

function readFront(source: Source, language: Language, root: Syntax, hints: readonly Hint[]): FrontEnd {
  if (language === 'python') return readPython(source.file, source.text, root, hints);
  return readScript(source.file, source.text, root);
}

function finishModel(found: FoundModel, attached: AttachedHints): ModelReading {
  const modelHint = attached.ofModel.get(found.name);
  // A hint where a helper is given its width says more than one inside the helper.
  const hintOf = (site: FoundModel['sites'][number]): ReturnType<typeof attached.ofLayer.get> =>
    (site.hintPlace === undefined ? undefined : attached.ofLayer.get(site.hintPlace)) ??
    attached.ofLayer.get(site.range.start);
  const sites = found.sites.map((site): ReadSite => {
    const entry = hintOf(site);
    return entry === undefined ? site : { ...site, hint: entry.value, hintRange: entry.hint.range };
  });
  const isBare = (site: ReadSite): boolean => hintOf(site)?.hint.words.length === 0;
  const { name, aliases, kind, range, nameRange, parameters, partOf, dependents } = found;
  return {
    ...{ name, aliases, kind, range, nameRange, parameters, partOf, dependents },
    sites,
    modelHint: modelHint?.value ?? {},
    ...(modelHint === undefined ? {} : { modelHintRange: modelHint.hint.range }),
    onlyHinted: sites.some(isBare),
  };
}

function sortProblems(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
}
