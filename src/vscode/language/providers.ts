import * as vscode from 'vscode';
import type { HintCompletion } from '../../language';
import type { LearnedStore } from '../runs/learned';
import { isOn } from '../settings/settings';
import { hintEdit, sitesWithoutHint } from './addHint';
import { quickFixes, showDiagnostics } from './diagnostics';
import { MODEL_DOCUMENTS } from './documents';
import { lensesOf } from './lenses';
import { rangeHere, type HeldReading, type Readings } from './readings';

/** Registers what the editor asks about model files. */
export function registerLanguageFeatures(readings: Readings, learned: LearnedStore): vscode.Disposable {
  const { languages } = vscode;
  return vscode.Disposable.from(
    showDiagnostics(readings),
    languages.registerCompletionItemProvider(
      MODEL_DOCUMENTS,
      { provideCompletionItems: (document, at) => complete(readings, document, at) },
      '@',
      ' ',
      '=',
      '-',
    ),
    languages.registerHoverProvider(MODEL_DOCUMENTS, {
      provideHover: (document, at) => hover(readings, learned, document, at),
    }),
    languages.registerCodeActionsProvider(
      MODEL_DOCUMENTS,
      { provideCodeActions: (document, range, context) => actions(readings, document, range, context) },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix, vscode.CodeActionKind.RefactorRewrite] },
    ),
    registerLenses(readings, learned),
    registerInlayHints(readings, learned),
  );
}

/** A comment mark before the cursor: without one there is no hint to complete, and nothing is read. */
const IN_COMMENT = /(\/\/|#|\/\*|^\s*\*)/;

async function complete(
  readings: Readings,
  document: vscode.TextDocument,
  at: vscode.Position,
): Promise<vscode.CompletionItem[] | undefined> {
  const before = document.lineAt(at.line).text.slice(0, at.character);
  if (!IN_COMMENT.test(before) || !before.includes('@')) return undefined;
  const held = await readings.look(document);
  if (held === undefined) return undefined;
  const found = await readings.complete(held, held.offsetOf(document.offsetAt(at)));
  return found.map((item, order) => completionItem(held, document, item, order));
}

const KINDS: Readonly<Record<HintCompletion['kind'], vscode.CompletionItemKind>> = {
  tag: vscode.CompletionItemKind.Keyword,
  word: vscode.CompletionItemKind.EnumMember,
  key: vscode.CompletionItemKind.Property,
  value: vscode.CompletionItemKind.Value,
};

function completionItem(
  held: HeldReading,
  document: vscode.TextDocument,
  found: HintCompletion,
  order: number,
): vscode.CompletionItem {
  const item = new vscode.CompletionItem(found.label, KINDS[found.kind]);
  item.insertText = found.text;
  const range = rangeHere(held, document, found.range);
  if (range !== undefined) item.range = range;
  item.documentation = found.about;
  item.filterText = found.text;
  item.sortText = String(order).padStart(3, '0');
  if (found.kind === 'key')
    item.command = { command: 'editor.action.triggerSuggest', title: vscode.l10n.t('Show values') };
  return item;
}

async function hover(
  readings: Readings,
  learned: LearnedStore,
  document: vscode.TextDocument,
  at: vscode.Position,
): Promise<vscode.Hover | undefined> {
  if (readings.peek(document) === undefined) return undefined;
  const held = await readings.look(document);
  if (held === undefined) return undefined;
  const { reading } = held;
  const offset = held.offsetOf(document.offsetAt(at));
  const inHint = await readings.hover(held, offset);
  if (inHint !== undefined)
    return new vscode.Hover(inHint.lines.map(markdown), rangeHere(held, document, inHint.range));
  const found = learned.at(reading.file, reading, offset);
  return found === undefined
    ? undefined
    : new vscode.Hover([markdown(found.sentence)], rangeHere(held, document, found.range));
}

function markdown(line: string): vscode.MarkdownString {
  return new vscode.MarkdownString(line);
}

async function actions(
  readings: Readings,
  document: vscode.TextDocument,
  range: vscode.Range,
  context: vscode.CodeActionContext,
): Promise<vscode.CodeAction[]> {
  const known = readings.peek(document);
  // The light bulb asks at every move of the cursor and is shown what is known; a person waits for the reading.
  const isAsked = context.triggerKind === vscode.CodeActionTriggerKind.Invoke;
  if (known === undefined || (!known.current && !isAsked)) return [];
  const held = await readings.look(document);
  if (held === undefined) return [];
  const fixes = quickFixes(document, held, range, context.diagnostics);
  const site = sitesWithoutHint(held.reading).find(
    (each) => rangeHere(held, document, each.range)?.intersection(range) !== undefined,
  );
  const place = site === undefined ? undefined : held.source.placeOf(site.range);
  if (place === undefined) return fixes;
  const add = new vscode.CodeAction(
    vscode.l10n.t('Add Shrink Hint: learn this width'),
    vscode.CodeActionKind.RefactorRewrite,
  );
  add.edit = hintEdit(place);
  return [...fixes, add];
}

function registerLenses(readings: Readings, learned: LearnedStore): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: (document) =>
      isOn('codeLens', document) ? lensesOf(readings.peek(document), learned, document) : [],
  };
  return vscode.Disposable.from(
    changed,
    readings.onDidRead(() => changed.fire()),
    learned.onDidChange(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('shrinknets.codeLens')) changed.fire();
    }),
    vscode.languages.registerCodeLensProvider(MODEL_DOCUMENTS, provider),
  );
}

function registerInlayHints(readings: Readings, learned: LearnedStore): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.InlayHintsProvider = {
    onDidChangeInlayHints: changed.event,
    provideInlayHints: (document) => {
      const held = readings.peek(document);
      if (held?.current !== true || !isOn('inlayHints', document)) return [];
      return learned.widthsIn(held.reading.file, held.reading).flatMap(({ end, label }) => {
        const here = rangeHere(held, document, { start: end, end });
        if (here === undefined) return [];
        const hint = new vscode.InlayHint(here.end, label);
        hint.paddingLeft = true;
        return [hint];
      });
    },
  };
  return vscode.Disposable.from(
    changed,
    learned.onDidChange(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('shrinknets.inlayHints')) changed.fire();
    }),
    vscode.languages.registerInlayHintsProvider(MODEL_DOCUMENTS, provider),
  );
}
