import { messageOf, type Problem } from '../core/errors';
import type { Language } from '../core/plan';
import { attachHints, type AttachedHints } from './hints/attachHints';
import { parseHints } from './hints/parseHints';
import { readScript } from './javascript/readScript';
import { languageOf, type Parsers } from './parsers';
import { readPython } from './python/readPython';
import type { FoundModel, ModelReading, OtherFile, ReadSite, SourceReading } from './reading';
import { NO_FILES, withTexts, type SourceFiles } from './sourceFiles';
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
 *
 * @param files where relative imports lead; without them, other files stay unknown
 */
export function readSource(parsers: Parsers, source: Source, files: SourceFiles = NO_FILES): SourceReading {
  const around: Surroundings = { parsers, files, known: new Map() };
  return readWith(source, around, (language) => parsers.parse(language, source.text));
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

export function followSource(parsers: Parsers, file: string, files: SourceFiles = NO_FILES): FollowedSource {
  const followed = parsers.follow(languageOf(file) ?? 'javascript');
  const around: Surroundings = { parsers, files, known: new Map() };
  return {
    read: (text) => readWith({ file, text }, around, () => followed.parse(text)),
    close: () => followed.close(),
  };
}

/** What a reading sees besides its text. */
interface Surroundings {
  readonly parsers: Parsers;
  readonly files: SourceFiles;
  /** Trees of the files around it, with the texts they are of. */
  readonly known: Map<string, { readonly text: string; readonly root: Syntax }>;
}

function parseAround({ parsers, known }: Surroundings, file: string, text: string): Syntax {
  const before = known.get(file);
  if (before?.text === text) return before.root;
  const root = parsers.parse(languageOf(file) ?? 'javascript', text);
  known.set(file, { text, root });
  return root;
}

function readWith(
  source: Source,
  around: Surroundings,
  parse: (language: Language) => Syntax,
): SourceReading {
  const { file, text } = source;
  const { parsers, files } = around;
  const language = languageOf(file) ?? 'javascript';
  const reread: SourceReading['internal']['reread'] = (changed, others) =>
    readSource(parsers, { file, text: changed }, others === undefined ? files : withTexts(files, others));
  const empty = { file, text, language, models: [], hints: [] };
  try {
    const root = parse(language);
    const parsed = parseHints(root, text);
    const front =
      language === 'python'
        ? readPython(file, text, root, parsed.hints)
        : readScript(file, text, root, {
            files,
            parse: (path, content) => parseAround(around, path, content),
          });
    const attached = attachHints(root, text, parsed.hints, front.targets, front.models);
    const others = attachElsewhere(front.others);
    const byFile = new Map([[file, attached.ofLayer], ...others.ofLayer]);
    return {
      ...empty,
      models: front.models.map((model) => finishModel(model, attached, byFile)),
      hints: parsed.hints,
      problems: sortProblems([...parsed.problems, ...attached.problems, ...front.problems]),
      internal: { root, front, elsewhere: others.problems, reread },
    };
  } catch (thrown) {
    const problem: Problem = {
      severity: 'error',
      code: 'cannot-read',
      message: `This file cannot be read: ${messageOf(thrown)}`,
      range: { start: 0, end: 0 },
    };
    const internal = { root: undefined, front: undefined, elsewhere: [], reread };
    return { ...empty, problems: [problem], internal };
  }
}

/** Hints of layers in the files that models reach into. What stands above models there is for those who read them. */
function attachElsewhere(others: readonly OtherFile[]): {
  readonly ofLayer: readonly (readonly [string, AttachedHints['ofLayer']])[];
  readonly problems: readonly Problem[];
} {
  const read = others.map(({ file, text, root, targets }) => {
    const parsed = parseHints(root, text);
    const hints = parsed.hints.filter((hint) => hint.tag === '@shrink');
    return { file, attached: attachHints(root, text, hints, targets, []) };
  });
  return {
    ofLayer: read.map(({ file, attached }) => [file, attached.ofLayer] as const),
    problems: read.flatMap(({ file, attached }) =>
      attached.problems.map((problem) => ({ ...problem, file })),
    ),
  };
}

function finishModel(
  found: FoundModel,
  attached: AttachedHints,
  byFile: ReadonlyMap<string, AttachedHints['ofLayer']>,
): ModelReading {
  const modelHint = attached.ofModel.get(found.name);
  // A hint where a helper is given its width says more than one inside the helper.
  const hintOf = ({ hintPlace, file, range }: FoundModel['sites'][number]): AttachedHint | undefined =>
    (hintPlace === undefined ? undefined : byFile.get(hintPlace.file)?.get(hintPlace.start)) ??
    byFile.get(file)?.get(range.start);
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

type AttachedHint = NonNullable<ReturnType<AttachedHints['ofLayer']['get']>>;

function sortProblems(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
}
