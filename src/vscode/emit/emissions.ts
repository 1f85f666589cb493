import path from 'node:path';
import * as vscode from 'vscode';
import { badInput } from '../../core/errors';
import { changesOf } from '../../shell/changesOf';
import type { Emission, FileChange } from '../../shell/emission';
import { setContext } from '../runs/runsView';

const SCHEME = 'shrinknets-emit';

/** An emission that is shown and waits for a word. */
interface Shown {
  readonly emission: Emission;
  readonly document: vscode.TextDocument;
  readonly version: number;
  readonly preview: vscode.Uri;
}

/** Shows what would change in a source, and writes it as one step that one undo takes back. */
export class Emissions implements vscode.Disposable {
  private shown: Shown | undefined;
  private readonly contents = new Map<string, string>();
  private readonly changed$ = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  private count = 0;

  constructor() {
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.changed$.event,
        provideTextDocumentContent: (uri) => this.contents.get(uri.toString()) ?? '',
      }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        if (closed.some((tab) => this.isPreview(tab))) this.forget();
      }),
    ];
  }

  /**
   * Opens the difference and asks. Nothing is written before somebody says so.
   *
   * @param version of the document when the emission was planned
   */
  async show(emission: Emission, document: vscode.TextDocument, version: number): Promise<void> {
    const [first] = changesOf(emission);
    if (first === undefined) {
      const name = path.basename(emission.file);
      await vscode.window.showInformationMessage(vscode.l10n.t('{0} has the learned widths already.', name));
      return;
    }
    await this.close();
    const name = path.basename(first.file);
    this.count += 1;
    // A name of its own each time: the editor keeps contents by name.
    const preview = vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: String(this.count) });
    this.contents.set(preview.toString(), first.after);
    this.shown = { emission, document, version, preview };
    setContext('emissionShown', true);
    const title = vscode.l10n.t('{0}: source ↔ learned widths', name);
    const source = first === emission ? document.uri : vscode.Uri.file(first.file);
    await vscode.commands.executeCommand('vscode.diff', source, preview, title, { preview: true });
    const apply = vscode.l10n.t('Apply');
    const discard = vscode.l10n.t('Discard');
    // Not awaited by the command: the question may stay while the difference is read.
    void vscode.window.showInformationMessage(askToWrite(emission), apply, discard).then(async (chosen) => {
      if (this.shown?.preview !== preview) return;
      if (chosen === apply) await vscode.commands.executeCommand('shrinknets.applyEmission');
      if (chosen === discard) await this.close();
    });
  }

  /** Writes what is shown. @throws ShrinkError `nothing-shown`, `source-changed` or `edit-failed` */
  async apply(): Promise<void> {
    const { shown } = this;
    if (shown === undefined)
      throw badInput('nothing-shown', vscode.l10n.t('No learned widths are shown; emit them first.'));
    const { emission, document, version } = shown;
    if (document.version !== version) throw sourceChanged(emission.file);
    const edit = new vscode.WorkspaceEdit();
    const changed: { change: FileChange; target: vscode.TextDocument }[] = [];
    for (const change of changesOf(emission)) {
      const target =
        change === emission
          ? document
          : await vscode.workspace.openTextDocument(vscode.Uri.file(change.file));
      if (target.getText() !== change.before) throw sourceChanged(change.file);
      changed.push({ change, target });
      for (const { range, text } of change.edits) {
        const at = new vscode.Range(target.positionAt(range.start), target.positionAt(range.end));
        edit.replace(target.uri, at, text);
      }
    }
    const written = await vscode.workspace.applyEdit(edit);
    const failed = changed.find(({ change, target }) => !written || target.getText() !== change.after);
    if (failed !== undefined)
      throw badInput(
        'edit-failed',
        vscode.l10n.t('{0} could not be changed; is it read-only?', failed.change.file),
      );
    await this.close();
    await vscode.window.showTextDocument(document, { preview: false });
  }

  /** Closes the difference; nothing is written. */
  async close(): Promise<void> {
    const tabs = vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter((tab) => this.isPreview(tab));
    this.forget();
    if (tabs.length > 0) await vscode.window.tabGroups.close(tabs);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed$.dispose();
  }

  private isPreview(tab: vscode.Tab): boolean {
    return tab.input instanceof vscode.TabInputTextDiff && tab.input.modified.scheme === SCHEME;
  }

  private forget(): void {
    if (this.shown !== undefined) this.contents.delete(this.shown.preview.toString());
    this.shown = undefined;
    setContext('emissionShown', false);
  }
}

function askToWrite(emission: Emission): string {
  const changes = changesOf(emission);
  const names = changes.map(({ file }) => path.basename(file)).join(', ');
  const widths = changes.reduce((sum, { edits }) => sum + edits.length, 0);
  return widths === 1
    ? vscode.l10n.t('Write 1 changed number into {0}?', names)
    : vscode.l10n.t('Write {0} changed numbers into {1}?', widths, names);
}

function sourceChanged(file: string): Error {
  return badInput(
    'source-changed',
    vscode.l10n.t('{0} changed while its widths were shown; emit them again.', file),
  );
}
