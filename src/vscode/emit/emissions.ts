import path from 'node:path';
import * as vscode from 'vscode';
import { badInput } from '../../core/errors';
import { changesOf } from '../../shell/changesOf';
import type { Emission, FileChange } from '../../shell/emission';
import { toRange } from '../language/documents';
import {
  columnOf,
  openEditorSource,
  showSource,
  takeAgain,
  type EditorSource,
} from '../language/editorSource';
import { setContext } from '../runs/runsView';

const SCHEME = 'shrinknets-emit';

/** An emission that is shown and waits for a word. */
interface Shown {
  readonly emission: Emission;
  /** The source as it was when the emission was planned. */
  readonly source: EditorSource;
  readonly preview: vscode.Uri;
}

/** Shows what would change in a source, and writes it as one step that one undo takes back. */
export class Emissions implements vscode.Disposable {
  private shown: Shown | undefined;
  private readonly contents = new Map<string, string>();
  private readonly changed$ = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  private count = 0;
  /** What a question on the screen is about. */
  private asked: vscode.Uri | undefined;

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
   * @param source as it was when the emission was planned
   */
  async show(emission: Emission, source: EditorSource): Promise<void> {
    const [first] = changesOf(emission);
    if (first === undefined) {
      const name = path.basename(emission.file);
      await vscode.window.showInformationMessage(vscode.l10n.t('{0} has the learned widths already.', name));
      return;
    }
    await this.close();
    const name = path.basename(first.file);
    this.count += 1;
    const isCells = first === emission && source.isNotebook;
    // A name of its own each time: the editor keeps contents by name.
    const hold = (side: string, content: string): vscode.Uri => {
      const shown = isCells ? `${name}.py` : name;
      const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${shown}`, query: `${this.count}${side}` });
      this.contents.set(uri.toString(), content);
      return uri;
    };
    const preview = hold('', first.after);
    this.shown = { emission, source, preview };
    setContext('emissionShown', true);
    const title = vscode.l10n.t('{0}: source ↔ learned widths', name);
    // Cells are compared as the one source that they were read as.
    const written = first === emission ? source.uri : vscode.Uri.file(first.file);
    const before = isCells ? hold('-before', first.before) : written;
    // Over the source, not over the panel from which it was asked for.
    const place = { preview: true, viewColumn: columnOf(written) };
    await vscode.commands.executeCommand('vscode.diff', before, preview, title, place);
    const apply = vscode.l10n.t('Apply');
    const discard = vscode.l10n.t('Discard');
    // Not awaited by the command: the question may stay while the difference is read.
    this.asked = preview;
    void vscode.window.showInformationMessage(askToWrite(emission), apply, discard).then(async (chosen) => {
      if (this.asked === preview) this.asked = undefined;
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
    const { emission, source } = shown;
    const edit = new vscode.WorkspaceEdit();
    const changed: { change: FileChange; target: EditorSource }[] = [];
    for (const change of changesOf(emission)) {
      const target =
        change === emission ? await takeAgain(source) : await openEditorSource(vscode.Uri.file(change.file));
      const isOlder = change === emission && target.version !== source.version;
      if (isOlder || target.text !== change.before) throw sourceChanged(change.file);
      changed.push({ change, target });
      for (const { range, text } of change.edits) {
        const place = target.placeOf(range);
        if (place === undefined) throw sourceChanged(change.file);
        edit.replace(place.document.uri, toRange(place.document, place.range), text);
      }
    }
    const written = await vscode.workspace.applyEdit(edit);
    for (const { change, target } of changed)
      if (!written || (await takeAgain(target)).text !== change.after)
        throw badInput(
          'edit-failed',
          vscode.l10n.t('{0} could not be changed; is it read-only?', change.file),
        );
    await this.close();
    await showSource(source);
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
    // A command answered it, or the difference was closed. There is no way to take back that message alone.
    if (this.asked !== undefined) void vscode.commands.executeCommand('notifications.hideToasts');
    this.asked = undefined;
    this.contents.clear();
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
