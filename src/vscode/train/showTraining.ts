import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Progress } from '../../core/events';
import type { SweepPlace } from '../../core/sweep';
import { count, percent, seconds } from '../../shell/format';
import { inBackground } from '../failure';
import type { LiveRun } from '../runs/runStore';
import type { Services } from '../services';

/** The one notification of a run or a sweep: where it stands, with a button that stops it; then what came out. */
export function showTraining(services: Services, first: LiveRun, model: string): void {
  const isSweep = services.runs.find(first.folder)?.sweep !== undefined;
  let live = first;
  const shown = vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: isSweep ? vscode.l10n.t('Sweeping λ of {0}', model) : vscode.l10n.t('Training {0}', model),
      cancellable: true,
    },
    async (report, cancelled) => {
      let done = 0;
      const subscription = services.runs.onDidChangeRun((folder) => {
        const { progress } = live.view;
        if (folder !== live.folder || progress === undefined) return;
        const sweep = services.runs.find(folder)?.sweep;
        const share = shareDone(progress, sweep) * 100;
        const message = `${describeTrial(sweep)}${describeProgress(progress)}`;
        report.report({ message, increment: Math.max(0, share - done) });
        done = Math.max(done, share);
      });
      const stop = (): void => inBackground(services.log, 'stop a run', live.handle.stop());
      cancelled.onCancellationRequested(stop);
      try {
        for (let next = await live.followed; next !== undefined; next = await next.followed) {
          live = next;
          // Asked for while one trial gave way to the next.
          if (cancelled.isCancellationRequested) stop();
        }
      } finally {
        subscription.dispose();
      }
    },
  );
  inBackground(
    services.log,
    'show a run',
    Promise.resolve(shown).then(() => (isSweep ? tellSweep(services, live) : tellEnd(services, live))),
  );
}

function shareDone(progress: Progress, sweep: SweepPlace | undefined): number {
  const share = progress.steps > 0 ? progress.step / progress.steps : 0;
  return sweep === undefined ? share : (sweep.trial + share) / sweep.lambdas.length;
}

/** "λ 0.003, 2 of 5 · " */
function describeTrial(sweep: SweepPlace | undefined): string {
  if (sweep === undefined) return '';
  const { trial, lambdas } = sweep;
  return `${vscode.l10n.t('λ {0}, {1} of {2}', lambdas[trial] ?? 0, trial + 1, lambdas.length)} · `;
}

/** "epoch 3 of 8 · loss 0.1234 · 20 s left" */
export function describeProgress(progress: Progress): string {
  const left = progress.secondsLeft >= 1 ? [vscode.l10n.t('{0} left', seconds(progress.secondsLeft))] : [];
  switch (progress.phase) {
    case 'loading':
      return vscode.l10n.t('loading model and data');
    case 'measuring':
      return vscode.l10n.t('measuring the result');
    case 'trunk':
      return [
        vscode.l10n.t('epoch {0} of {1}', progress.epoch, progress.epochs),
        vscode.l10n.t('loss {0}', progress.loss.toFixed(4)),
        ...left,
      ].join(' · ');
    case 'finish':
      return [
        vscode.l10n.t(
          'finishing {0} parameters, epoch {1} of {2}',
          count(progress.params),
          progress.epoch,
          progress.epochs,
        ),
        ...left,
      ].join(' · ');
  }
}

/** What a sweep came to. @param last the trial that ended it */
async function tellSweep(services: Services, last: LiveRun): Promise<void> {
  const { readTrials } = await import('../runs/sweepTrials');
  const rows = await readTrials(services.runs, last.folder);
  const done = rows.flatMap(({ point }) => (point === null ? [] : [point.params]));
  // Nothing was learned at all: the message about the trial says why.
  if (done.length === 0) {
    await tellEnd(services, last);
    return;
  }
  const sizes = vscode.l10n.t(
    '{0} of {1} trials are done: {2} to {3} parameters.',
    ...[done.length, rows.length, count(Math.min(...done)), count(Math.max(...done))],
  );
  const panel = vscode.l10n.t('Open Panel');
  const chosen = await vscode.window.showInformationMessage(`${last.view.header.model}: ${sizes}`, panel);
  if (chosen === panel) await vscode.commands.executeCommand('shrinknets.openPanel', { folder: last.folder });
}

/** What a run that this window started came to. */
async function tellEnd(services: Services, live: LiveRun): Promise<void> {
  const { view, folder } = live;
  const { result } = view;
  if (result !== undefined) {
    const emit = vscode.l10n.t('Write into Source…');
    const panel = vscode.l10n.t('Open Panel');
    const quality = percent(result.metrics.test.accuracy);
    const sizes = vscode.l10n.t(
      '{0} → {1} parameters',
      count(result.params.before),
      count(result.params.after),
    );
    const start = result.baseline;
    const before =
      start?.test.accuracy === undefined || start.epochs === undefined
        ? ''
        : vscode.l10n.t(
            ' ({0} at the start size, trained for {1} epochs)',
            percent(start.test.accuracy),
            Math.round(start.epochs),
          );
    const text =
      result.metrics.test.accuracy === undefined
        ? vscode.l10n.t('{0}: {1}.', result.model, sizes)
        : vscode.l10n.t('{0}: {1}, {2} right on test data{3}.', result.model, sizes, quality, before);
    const chosen = await vscode.window.showInformationMessage(text, emit, panel);
    if (chosen === emit) await vscode.commands.executeCommand('shrinknets.emit', { folder });
    if (chosen === panel) await vscode.commands.executeCommand('shrinknets.openPanel', { folder });
    return;
  }
  if (view.state === 'failed' && view.layers.length === 0) {
    // Input that could not be used leaves nothing behind.
    await rm(folder, { recursive: true, force: true });
    services.runs.forget(folder);
    await services.runs.refresh();
  }
  if (view.state === 'failed' || view.state === 'interrupted') {
    const log = vscode.l10n.t('Show Log');
    const resume = vscode.l10n.t('Resume');
    services.log.error(`${live.id}: ${view.message}`);
    const canResume = view.layers.length > 0 && existsSync(folder);
    const actions = canResume ? [resume, log] : [log];
    const chosen = await vscode.window.showErrorMessage(firstLine(view.message), ...actions);
    if (chosen === resume) await vscode.commands.executeCommand('shrinknets.resume', { folder });
    if (chosen === log) services.log.show();
  }
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
