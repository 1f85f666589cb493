import * as vscode from 'vscode';
import type { Problem, Severity } from '../../core/errors';
import { toRange } from './documents';
import type { Readings } from './readings';

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
    else collection.set(document.uri, problemsOf(held.reading).map(toDiagnostic(document)));
  });
  return vscode.Disposable.from(collection, subscription);
}

/** Problems that lie in the document itself. */
function problemsOf(reading: { readonly file: string; readonly problems: readonly Problem[] }): Problem[] {
  return reading.problems.filter((problem) => problem.file === undefined || problem.file === reading.file);
}

function toDiagnostic(document: vscode.TextDocument): (problem: Problem) => vscode.Diagnostic {
  return (problem) => {
    const range = toRange(document, problem.range);
    const diagnostic = new vscode.Diagnostic(range, problem.message, SEVERITIES[problem.severity]);
    diagnostic.source = 'ShrinkNets';
    diagnostic.code = problem.code;
    return diagnostic;
  };
}

/** Quick fixes of the problems that touch a range. */
export function quickFixes(
  document: vscode.TextDocument,
  problems: readonly Problem[],
  at: vscode.Range,
  shown: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  return problems.flatMap((problem) => {
    const range = toRange(document, problem.range);
    if (problem.fix === undefined || range.intersection(at) === undefined) return [];
    const action = new vscode.CodeAction(problem.fix.title, vscode.CodeActionKind.QuickFix);
    action.edit = new vscode.WorkspaceEdit();
    for (const edit of problem.fix.edits)
      action.edit.replace(document.uri, toRange(document, edit.range), edit.text);
    action.diagnostics = shown.filter(
      (diagnostic) => diagnostic.code === problem.code && diagnostic.range.isEqual(range),
    );
    action.isPreferred = true;
    return [action];
  });
}
