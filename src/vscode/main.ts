import * as vscode from 'vscode';
import { Emissions } from './emit/emissions';
import { inBackground, reportFailure } from './failure';
import { registerLanguageFeatures } from './language/providers';
import { Readings } from './language/readings';
import { Panels } from './panel/panels';
import { LearnedStore } from './runs/learned';
import { RunStore } from './runs/runStore';
import { registerRunsView } from './runs/runsView';
import { registerStatusBar } from './runs/statusBar';
import type { RunTarget } from './runs/pickRun';
import type { Services } from './services';
import { engineHomeOf, setEngineHome } from './settings/settings';
import type { TrainTarget } from './train/trainCommand';

type Target = (RunTarget & TrainTarget & { readonly budget?: number }) | undefined;
type Command = (services: Services, target: Target) => Promise<void>;

const onRuns = async () => import('./runs/runCommands');

/** Every command. What a command needs is loaded when it is run. */
export const COMMANDS: Readonly<Record<`shrinknets.${string}`, Command>> = {
  'shrinknets.train': async (services, target) =>
    (await import('./train/trainCommand')).trainCommand(services, target),
  'shrinknets.sweep': async (services, target) =>
    (await import('./train/trainCommand')).sweepCommand(services, target),
  'shrinknets.stop': async (services, target) => (await onRuns()).stopCommand(services, target),
  'shrinknets.kill': async (services, target) => (await onRuns()).killCommand(services, target),
  'shrinknets.resume': async (services, target) => (await onRuns()).resumeCommand(services, target),
  'shrinknets.emit': async (services, target) =>
    (await import('./emit/emitCommands')).emitCommand(services, target),
  'shrinknets.emitModule': async (services, target) =>
    (await import('./emit/emitModule')).emitModuleCommand(services, target),
  'shrinknets.applyEmission': ({ emissions }) => emissions.apply(),
  'shrinknets.discardEmission': ({ emissions }) => emissions.close(),
  'shrinknets.revert': async (services, target) =>
    (await import('./emit/emitCommands')).revertCommand(services, target),
  'shrinknets.addHint': async ({ readings }) => (await import('./language/addHint')).addHintCommand(readings),
  'shrinknets.openPanel': async (services, target) => (await onRuns()).openPanelCommand(services, target),
  'shrinknets.compareRuns': async (services, target) => (await onRuns()).compareRunsCommand(services, target),
  'shrinknets.exportRun': async (services, target) => (await onRuns()).exportRunCommand(services, target),
  'shrinknets.selectEngine': async (services) => (await import('./engines')).selectEngineCommand(services),
  'shrinknets.installEngine': async (services) => (await import('./engines')).installEngineCommand(services),
  'shrinknets.openSample': async (services) => (await import('./sample')).openSampleCommand(services),
  'shrinknets.showLog': ({ log }) => Promise.resolve(log.show()),
  'shrinknets.copyDiagnostics': async (services) =>
    (await import('./copyDiagnostics')).copyDiagnosticsCommand(services),
  'shrinknets.refreshRuns': ({ runs }) => runs.refresh(),
  'shrinknets.pinRun': async (services, target) => (await onRuns()).pinCommand(services, target, true),
  'shrinknets.unpinRun': async (services, target) => (await onRuns()).pinCommand(services, target, false),
  'shrinknets.deleteRun': async (services, target) => (await onRuns()).deleteRunCommand(services, target),
  'shrinknets.pruneRun': async (services, target) => (await onRuns()).pruneRunCommand(services, target),
  'shrinknets.openRunFolder': async (services, target) =>
    (await onRuns()).openRunFolderCommand(services, target),
  'shrinknets.openRunSource': async (services, target) =>
    (await onRuns()).openRunSourceCommand(services, target),
  'shrinknets.runActions': async (services, target) => (await onRuns()).runActionsCommand(services, target),
};

export function activate(context: vscode.ExtensionContext): void {
  const started = performance.now();
  setEngineHome(engineHomeOf(context));
  const log = vscode.window.createOutputChannel('ShrinkNets', { log: true });
  const readings = new Readings(log);
  const runs = new RunStore(log, context.workspaceState);
  const learned = new LearnedStore(runs, log);
  const panels = new Panels(context, runs, log);
  const emissions = new Emissions();
  const services: Services = { context, log, readings, runs, panels, emissions };
  context.subscriptions.push(
    ...[log, readings, learned, panels, emissions, runs],
    registerLanguageFeatures(readings, learned),
    registerRunsView(runs),
    registerStatusBar(runs),
    readings.onDidRead((document) => {
      const held = readings.peek(document);
      if (held?.source.uri.scheme === 'file' && held.reading.models.length > 0)
        inBackground(log, 'find runs', runs.addFile(held.reading.file));
    }),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      // Another window or the command line may have worked on the same folder.
      if (focused) inBackground(log, 'read the runs', runs.refresh());
    }),
    ...Object.entries(COMMANDS).map(([name, command]) =>
      vscode.commands.registerCommand(name, async (target: Target) => {
        try {
          await command(services, target);
        } catch (thrown) {
          await reportFailure(log, name, thrown, target);
        }
      }),
    ),
  );
  // What is open already is read once the editor knows that the extension is there: others wait for that.
  const begin = setImmediate(() => {
    readings.start();
    inBackground(log, 'read the runs', runs.refresh());
  });
  context.subscriptions.push(new vscode.Disposable(() => clearImmediate(begin)));
  log.info(`active after ${(performance.now() - started).toFixed(0)} ms`);
}
