import * as vscode from 'vscode';
import type { Range } from '../../core/errors';
import type { ModelReading, ReadSite } from '../../language';
import { appliedNetwork, learnedLabel } from '../runs/learned';
import type { LearnedModel, LearnedNetwork, LearnedStore } from '../runs/learned';
import type { HeldReading } from './readings';

/** The lenses of a document, from memory alone: where the text moved since it was read, they move along. */
export function lensesOf(
  held: HeldReading | undefined,
  learned: LearnedStore,
  document: vscode.TextDocument,
): vscode.CodeLens[] {
  if (held === undefined || document.uri.scheme.startsWith('shrinknets-')) return [];
  let last = { offset: -1, at: document.positionAt(0) };
  const lens: MakeLens = (offset, title, command, tooltip, args) => {
    if (offset !== last.offset)
      last = { offset, at: document.positionAt(held.here(pointAt(offset))?.start ?? 0) };
    const { at } = last;
    return new vscode.CodeLens(new vscode.Range(at, at), { title, command, tooltip, arguments: args });
  };
  const isHere = (offset: number): boolean => held.here(pointAt(offset)) !== undefined;
  const words = texts();
  return held.reading.models.flatMap((model) => {
    const known = learned.peek(held.reading.file, model.name);
    // What is not on this machine cannot be trained here: it has its hints only.
    const isLocal = held.source.uri.scheme === 'file';
    const isWhole = isLocal && model.partOf.length === 0 && isHere(model.range.start);
    const wholes = isWhole ? modelLenses(document, model, known, lens) : [];
    // Layers of other files and cells have their lenses there.
    const here = model.sites.filter((site) => site.file === held.reading.file && isHere(site.range.start));
    const applied = known === undefined ? undefined : appliedNetwork(known, model.sites);
    return [
      ...wholes,
      ...here.flatMap((site) =>
        known === undefined
          ? []
          : applied === undefined
            ? siteLenses(model, site, known, lens, words)
            : appliedLenses(site, applied, known, lens, words),
      ),
    ];
  });
}

function pointAt(offset: number): Range {
  return { start: offset, end: offset };
}

type MakeLens = (
  offset: number,
  title: string,
  command: string,
  tooltip: string,
  args: unknown[],
) => vscode.CodeLens;

function modelLenses(
  document: vscode.TextDocument,
  model: ModelReading,
  known: LearnedModel | undefined,
  lens: MakeLens,
): vscode.CodeLens[] {
  const at = model.range.start;
  const target = [{ uri: document.uri.toString(), model: model.name }];
  const train = lens(
    at,
    vscode.l10n.t('Train with ShrinkNets'),
    'shrinknets.train',
    vscode.l10n.t('Learn its layer sizes'),
    target,
  );
  const sweep = lens(
    at,
    vscode.l10n.t('Sweep λ'),
    'shrinknets.sweep',
    vscode.l10n.t('Train with one strength of the penalty after the other, and compare the sizes'),
    target,
  );
  if (known === undefined) return [train, sweep];
  const run = [{ folder: known.folder }];
  const panel = lens(
    at,
    vscode.l10n.t('Panel'),
    'shrinknets.openPanel',
    vscode.l10n.t('Widths, accuracy and sizes of its run'),
    run,
  );
  const stop = lens(
    at,
    vscode.l10n.t('Stop'),
    'shrinknets.stop',
    vscode.l10n.t('Keep what was learned and stop'),
    run,
  );
  return known.state === 'running' ? [stop, panel] : [train, sweep, panel];
}

/** Texts that every layer repeats, looked up once. */
function texts() {
  return {
    apply: vscode.l10n.t('apply'),
    applyAbout: vscode.l10n.t('Write the learned widths into the source'),
    compare: vscode.l10n.t('compare'),
    compareAbout: vscode.l10n.t('Compare the runs of this model'),
    revert: vscode.l10n.t('revert'),
    revertAbout: vscode.l10n.t('Put the widths from before training back'),
  };
}

/** Above the layers of a source that has learned widths already, of whichever run and size. */
function appliedLenses(
  site: ReadSite,
  applied: LearnedNetwork,
  newest: LearnedModel,
  lens: MakeLens,
  words: ReturnType<typeof texts>,
): vscode.CodeLens[] {
  const width = applied.widths[site.id];
  if (width === undefined) return [];
  const at = site.range.start;
  const run = [{ folder: applied.folder }];
  const title =
    applied.folder === newest.folder
      ? vscode.l10n.t('{0} was {1}', width.after, width.before)
      : vscode.l10n.t('{0} was {1} · of run {2}', width.after, width.before, applied.run);
  return [
    lens(at, title, 'shrinknets.openPanel', applied.run, run),
    lens(at, words.revert, 'shrinknets.revert', words.revertAbout, run),
  ];
}

function siteLenses(
  model: ModelReading,
  site: ReadSite,
  known: LearnedModel,
  lens: MakeLens,
  words: ReturnType<typeof texts>,
): vscode.CodeLens[] {
  const width = known.sites.get(site.id);
  if (width === undefined || width.before === width.after) return [];
  const at = site.range.start;
  const run = [{ folder: known.folder }];
  const stale = known.siteCount !== model.sites.length || width.layerType !== site.layerType;
  const isEmitted = site.width === width.after;
  const isChanged = site.width !== undefined && site.width !== width.before && !isEmitted;
  const show = (title: string): vscode.CodeLens => lens(at, title, 'shrinknets.openPanel', known.run, run);
  if (stale || isChanged)
    return [show(vscode.l10n.t('{0} · stale: the source changed', learnedLabel(width)))];
  if (known.state === 'running') return [show(vscode.l10n.t('{0} so far', learnedLabel(width)))];
  if (known.state !== 'done') return [show(learnedLabel(width))];
  if (isEmitted)
    return [
      show(vscode.l10n.t('{0} was {1}', width.after, width.before)),
      lens(at, words.revert, 'shrinknets.revert', words.revertAbout, run),
    ];
  return [
    show(learnedLabel(width)),
    lens(at, words.apply, 'shrinknets.emit', words.applyAbout, run),
    lens(at, words.compare, 'shrinknets.compareRuns', words.compareAbout, run),
  ];
}
