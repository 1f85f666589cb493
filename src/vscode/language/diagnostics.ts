import * as vscode from 'vscode';
import type { Problem, Severity } from '../../core/errors';
import { toRange } from './documents';
import { rangeHere, type HeldReading, type Readings } from './readings';

const SEVERITIES: Readonly<Record<Severity, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

/** Shows what is wrong with hints and models, whenever a document was read. */
export function showDiagnostics(readings: Readings): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('shrinknets');
  const subscription = readings.onDidRead((document) => {
    const held = readings.peek(document);
    if (held === undefined) collection.delete(document.uri);
    else collection.set(document.uri, diagnosticsOf(held, document));
  });
  return vscode.Disposable.from(collection, subscription);
}

/** Problems that lie in the document itself. */
function problemsOf(reading: { readonly file: string; readonly problems: readonly Problem[] }): Problem[] {
  return reading.problems.filter((problem) => problem.file === undefined || problem.file === reading.file);
}

function diagnosticsOf(held: HeldReading, document: vscode.TextDocument): vscode.Diagnostic[] {
  return problemsOf(held.reading).flatMap((problem) => {
    const range = rangeHere(held, document, problem.range);
    if (range === undefined) return [];
    const diagnostic = new vscode.Diagnostic(range, problem.message, SEVERITIES[problem.severity]);
    diagnostic.source = 'ShrinkNets';
    diagnostic.code = problem.code;
    return [diagnostic];
  });
}

/** Quick fixes of the problems that touch a range. */
export function quickFixes(
  document: vscode.TextDocument,
  held: HeldReading,
  at: vscode.Range,
  shown: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  return held.reading.problems.flatMap((problem) => {
    const range = rangeHere(held, document, problem.range);
    if (problem.fix === undefined || range?.intersection(at) === undefined) return [];
    const action = new vscode.CodeAction(problem.fix.title, vscode.CodeActionKind.QuickFix);
    action.edit = new vscode.WorkspaceEdit();
    for (const edit of problem.fix.edits) {
      const place = held.source.placeOf(edit.range);
      if (place === undefined) return [];
      action.edit.replace(place.document.uri, toRange(place.document, place.range), edit.text);
    }
    action.diagnostics = shown.filter(
      (diagnostic) => diagnostic.code === problem.code && diagnostic.range.isEqual(range),
    );
    action.isPreferred = true;
    return [action];
  });
}
