import * as vscode from 'vscode';
import { messageOf, ShrinkError } from '../core/errors';

/** Thrown where a user backed out of a question: nothing is shown. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** Learned widths that cannot be written in place: the compact model can still be had as a file of its own. */
const REFUSED_EDITS = new Set(['edit-refused', 'read-back']);

/** Where every failure ends: the log gets all of it, the user a sentence and what to do. */
export async function reportFailure(
  log: vscode.LogOutputChannel,
  what: string,
  thrown: unknown,
  target?: unknown,
): Promise<void> {
  if (thrown instanceof Cancelled || thrown instanceof vscode.CancellationError) return;
  const known = thrown instanceof ShrinkError;
  log.error(
    `${what}: ${known ? `${thrown.code}: ${thrown.message}` : thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
  );
  const message = known
    ? thrown.message
    : vscode.l10n.t('ShrinkNets could not finish "{0}": {1}', what, messageOf(thrown));
  const showLog = vscode.l10n.t('Show Log');
  const manage = vscode.l10n.t('Manage Trust');
  const isTrust = known && thrown.code === 'restricted-mode';
  const asModule = vscode.l10n.t('Emit as Module');
  const isRefused = known && REFUSED_EDITS.has(thrown.code);
  const actions = isTrust ? [manage] : isRefused ? [asModule, showLog] : [showLog];
  const chosen = await vscode.window.showErrorMessage(message, ...actions);
  if (chosen === asModule) await vscode.commands.executeCommand('shrinknets.emitModule', target);
  if (chosen === showLog) log.show();
  if (chosen === manage) await vscode.commands.executeCommand('workbench.trust.manage');
}

/** Lets work go on by itself; its failure ends in the log alone. */
export function inBackground(log: vscode.LogOutputChannel, what: string, work: Promise<unknown>): void {
  work.catch((thrown: unknown) => {
    log.error(`${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  });
}

/** @throws ShrinkError `restricted-mode` before anything of the workspace is run */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new ShrinkError(
    'bad-input',
    'restricted-mode',
    vscode.l10n.t(
      'This needs a trusted folder: training runs your model and data files. Hints work without trust.',
    ),
  );
}
