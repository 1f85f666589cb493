import path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { PANEL_VERSION, type FromPanel, type PanelAction, type ToPanel } from '../../protocol/webview';
import type { RunView } from '../../shell/runView';
import { ViewDelta } from '../../shell/viewDelta';
import { inBackground } from '../failure';
import type { RunStore } from '../runs/runStore';
import { saveExport } from './saveExport';

/** At most ten messages a second. */
const PERIOD_MS = 100;
/** Checkpoints of a run in training are looked at again this often. */
const CHANNELS_MS = 5_000;

/** Keeps one panel at the state of its run: everything when it asks, changes after that, nothing while hidden. */
export class PanelFeed implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  private lastSent = 0;
  /** The layer whose channels are shown, and when and in which state of the run they were read. */
  private shownLayer: string | undefined;
  private channelsAt = 0;
  private channelsState = '';
  private ready = false;
  private readonly delta = new ViewDelta();
  /** The trials that were sent last. */
  private trials = '[]';

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private shown: string,
    private readonly runs: RunStore,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.subscriptions = [
      panel.webview.onDidReceiveMessage((message: unknown) =>
        inBackground(log, 'read a message of a panel', this.check(message)),
      ),
      panel.onDidChangeViewState(() => {
        // A hidden page is thrown away; it says `ready` when it is made again.
        if (!panel.visible) this.ready = false;
      }),
      runs.onDidChangeRun((changed) => {
        if (changed === this.folder) this.soon();
      }),
      runs.onDidChangeList(() => {
        if (this.ready) inBackground(this.log, 'show a sweep', this.sendTrials());
      }),
      runs.onDidFollow(({ ended, next }) => {
        // Who looks at an earlier trial goes on doing so.
        if (ended.folder === this.folder) this.show(next.folder);
      }),
    ];
  }

  /** The folder of the run that is shown. */
  get folder(): string {
    return this.shown;
  }

  /** Shows another run: a trial of the same sweep. */
  show(folder: string): void {
    this.shown = folder;
    this.shownLayer = undefined;
    if (this.ready) inBackground(this.log, 'fill a panel', this.reset());
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async check(message: unknown): Promise<void> {
    const { parseFromPanel } = await import('../../protocol/fromPanel');
    const parsed = parseFromPanel(message);
    if (parsed === undefined) this.log.error('panel: a message that is none was left out');
    else this.receive(parsed);
  }

  private receive(message: FromPanel): void {
    switch (message.type) {
      case 'ready':
        if (message.version === PANEL_VERSION) inBackground(this.log, 'fill a panel', this.reset());
        break;
      case 'action':
        this.act(message.action);
        break;
      case 'emitPoint':
        this.run('shrinknets.emit', { folder: this.folder, budget: message.budget });
        break;
      case 'showTrial':
        this.show(this.trialFolder(message.run));
        break;
      case 'emitTrial':
        this.run('shrinknets.emit', { folder: this.trialFolder(message.run) });
        break;
      case 'channels':
        inBackground(this.log, 'read channels', this.sendChannels(message.layer));
        break;
      case 'export':
        inBackground(this.log, 'export', saveExport(message, this.folder));
        break;
      case 'problem':
        this.log.error(`panel: ${message.message}`);
        break;
    }
  }

  private act(action: PanelAction): void {
    const commands: Readonly<Record<PanelAction, string>> = {
      stop: 'shrinknets.stop',
      kill: 'shrinknets.kill',
      resume: 'shrinknets.resume',
      emit: 'shrinknets.emit',
      revert: 'shrinknets.revert',
      openSource: 'shrinknets.openRunSource',
      exportRun: 'shrinknets.exportRun',
      showLog: 'shrinknets.showLog',
      openFolder: 'shrinknets.openRunFolder',
    };
    this.run(commands[action], { folder: this.folder });
  }

  private run(command: string, target: unknown): void {
    inBackground(this.log, command, Promise.resolve(vscode.commands.executeCommand(command, target)));
  }

  /** Of another run in the same folder of runs; a name that is none of theirs shows that it is not there. */
  private trialFolder(run: string): string {
    return path.join(path.dirname(this.folder), path.basename(run));
  }

  private async reset(): Promise<void> {
    try {
      await this.sendWhole(await this.runs.view(this.folder));
      this.trials = '[]';
      await this.sendTrials();
    } catch (thrown) {
      await this.post({ type: 'gone', message: messageOf(thrown) });
    }
  }

  private async sendWhole(view: RunView): Promise<void> {
    this.ready = true;
    this.panel.title = vscode.l10n.t('ShrinkNets: {0}', view.header.model);
    await this.post({ type: 'reset', folder: this.folder, ...this.delta.whole(view) });
  }

  private async sendTrials(): Promise<void> {
    const { readTrials } = await import('../runs/sweepTrials');
    const trials = await readTrials(this.runs, this.folder);
    const text = JSON.stringify(trials);
    if (text === this.trials) return;
    this.trials = text;
    await this.post({ type: 'sweep', trials });
  }

  private soon(): void {
    if (!this.ready) return;
    const wait = Math.max(0, this.lastSent + PERIOD_MS - Date.now());
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      inBackground(this.log, 'feed a panel', this.sendChange());
    }, wait);
  }

  private async sendChange(): Promise<void> {
    if (!this.ready) return;
    const view = await this.runs.view(this.folder);
    if (this.delta.isNew(view)) await this.sendWhole(view);
    else await this.post({ type: 'delta', change: this.delta.change(view) });
    const isDue = Date.now() - this.channelsAt > CHANNELS_MS || view.state !== this.channelsState;
    if (this.shownLayer !== undefined && isDue) {
      this.channelsState = view.state;
      await this.sendChannels(this.shownLayer);
    }
  }

  private async sendChannels(layer: string): Promise<void> {
    this.shownLayer = layer;
    this.channelsAt = Date.now();
    try {
      const { readChannels } = await import('./channels');
      const channels = await readChannels(this.folder, layer);
      await this.post({ type: 'channels', channels: channels ?? null, message: '' });
    } catch (thrown) {
      await this.post({ type: 'channels', channels: null, message: messageOf(thrown) });
    }
  }

  private async post(message: ToPanel): Promise<void> {
    this.lastSent = Date.now();
    if (this.panel.visible) await this.panel.webview.postMessage(message);
  }
}
