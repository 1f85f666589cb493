import * as vscode from 'vscode';
import type { Range } from '../../core/errors';
import type { Plan } from '../../core/plan';
import type { PlainReading } from '../reader/messages';
import type { RunState, RunSummary } from '../../run/listRuns';
import { change } from '../../shell/format';
import type { RunView } from '../../shell/runView';
import { inBackground } from '../failure';
import type { RunStore } from './runStore';

/** A width before and after training. */
export interface LearnedWidth {
  readonly layerType: string;
  readonly before: number;
  readonly after: number;
}

/** What the newest run of a model learned, by site of its source. */
export interface LearnedModel {
  readonly run: string;
  readonly folder: string;
  readonly state: RunState;
  readonly siteCount: number;
  readonly sites: ReadonlyMap<number, LearnedWidth>;
  /** Every network that the model's finished runs have learned, newest and chosen ones first. */
  readonly networks: readonly LearnedNetwork[];
}

/** One size of a finished run. */
export interface LearnedNetwork {
  readonly run: string;
  readonly folder: string;
  readonly siteCount: number;
  /** Widths that changed, by site. */
  readonly widths: Readonly<Record<number, { readonly before: number; readonly after: number }>>;
}

/** The network whose widths a source has; undefined where it has those from before the newest run, or others. */
export function appliedNetwork(
  known: LearnedModel,
  sites: readonly { readonly width?: number }[],
): LearnedNetwork | undefined {
  const isOfBefore = [...known.sites].every(([id, { before }]) => sites[id]?.width === before);
  if (isOfBefore) return undefined;
  return known.networks.find(({ siteCount, widths }) => {
    const wanted = Object.entries(widths);
    return (
      siteCount === sites.length &&
      wanted.length > 0 &&
      wanted.every(([id, { after }]) => sites[Number(id)]?.width === after)
    );
  });
}

/** "512 → 37 (−93 %)" */
export function learnedLabel({ before, after }: LearnedWidth): string {
  return `${before} → ${after} (${change(before, after)})`;
}

/** Runs of a model that are looked at, newest first, until one has widths. */
const MOST_TRIED = 5;
/** Finished runs of a model whose widths are known again where a source has them, newest first. */
const MOST_NETWORKS_OF = 20;
/** Live widths are shown at most this often. */
const LIVE_MS = 500;

/** What was learned for the models of open files. Answers from memory; looks it up when it is first asked. */
export class LearnedStore implements vscode.Disposable {
  private readonly models = new Map<string, LearnedModel | undefined>();
  private readonly plans = new Map<string, Plan>();
  private readonly networks = new Map<string, readonly LearnedNetwork[]>();
  private readonly looking = new Set<string>();
  private readonly changed$ = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.changed$.event;

  constructor(
    private readonly runs: RunStore,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.subscriptions = [
      runs.onDidChangeList(() => this.lookAgain()),
      runs.onDidChangeRun(() => this.lookLater()),
    ];
  }

  /** Of the newest run that has widths; undefined while that is not known. */
  peek(file: string, model: string): LearnedModel | undefined {
    const key = keyOf(file, model);
    if (!this.models.has(key)) {
      this.models.set(key, undefined);
      this.look(key);
    }
    return this.models.get(key);
  }

  /** The learned width of the layer at an offset, as a sentence. */
  at(
    file: string,
    reading: PlainReading,
    offset: number,
  ): { readonly sentence: string; readonly range: Range } | undefined {
    for (const model of reading.models) {
      const site = model.sites.find(
        ({ file: own, widthFile = own, widthRange }) =>
          widthFile === reading.file &&
          widthRange !== undefined &&
          widthRange.start <= offset &&
          offset <= widthRange.end,
      );
      const known = this.peek(file, model.name);
      const width = site === undefined ? undefined : known?.sites.get(site.id);
      if (site?.widthRange === undefined || known === undefined || width === undefined) continue;
      const sentence =
        width.before === width.after
          ? vscode.l10n.t('ShrinkNets kept this width: {0}. Run `{1}`.', width.after, known.run)
          : vscode.l10n.t('ShrinkNets learned this width: {0}. Run `{1}`.', learnedLabel(width), known.run);
      return { sentence, range: site.widthRange };
    }
    return undefined;
  }

  /** Labels behind the widths that differ from the learned ones. */
  widthsIn(file: string, reading: PlainReading): { readonly end: number; readonly label: string }[] {
    return reading.models.flatMap((model) => {
      const known = this.peek(file, model.name);
      return model.sites.flatMap((site) => {
        const width = known?.sites.get(site.id);
        const isHere = (site.widthFile ?? site.file) === reading.file;
        if (!isHere || site.widthRange === undefined || width === undefined || width.after === site.width)
          return [];
        return [{ end: site.widthRange.end, label: `→ ${width.after}` }];
      });
    });
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed$.dispose();
  }

  private lookLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.lookAgain();
    }, LIVE_MS);
  }

  private lookAgain(): void {
    for (const key of this.models.keys()) this.look(key);
  }

  private look(key: string): void {
    if (this.looking.has(key)) return;
    this.looking.add(key);
    const work = this.find(key).then((found) => {
      const before = this.models.get(key);
      this.models.set(key, found);
      if (JSON.stringify(plain(before)) !== JSON.stringify(plain(found))) this.changed$.fire();
    });
    inBackground(
      this.log,
      'look up learned widths',
      work.finally(() => this.looking.delete(key)),
    );
  }

  private async find(key: string): Promise<LearnedModel | undefined> {
    const candidates = this.runs.all
      .filter((run) => keyOf(run.file, run.model) === key)
      .sort((a, b) => b.startedAt - a.startedAt);
    for (const run of candidates.slice(0, MOST_TRIED)) {
      const view = await this.runs.view(run.folder).catch(() => undefined);
      if (view === undefined || view.layers.length === 0) continue;
      const plan = await this.planOf(run.folder);
      if (plan === undefined) continue;
      return { ...learnedOf(run.id, run.folder, view, plan), networks: await this.networksOf(candidates) };
    }
    return undefined;
  }

  /** @param runs newest first */
  private async networksOf(runs: readonly RunSummary[]): Promise<LearnedNetwork[]> {
    const networks: LearnedNetwork[] = [];
    for (const run of runs.filter(({ state }) => state === 'done').slice(0, MOST_NETWORKS_OF)) {
      const known = this.networks.get(run.folder) ?? (await this.readNetworks(run));
      this.networks.set(run.folder, known);
      networks.push(...known);
    }
    return networks;
  }

  private async readNetworks({ id, folder }: RunSummary): Promise<LearnedNetwork[]> {
    const { allSizes, readRunResult } = await import('../../shell/results');
    const plan = await this.planOf(folder);
    const result = await readRunResult(folder).catch(() => undefined);
    if (plan === undefined || result === undefined) return [];
    return allSizes(result).map(({ layers }) => {
      const changed = layers.flatMap(({ siteId, before, after }) =>
        siteId === null || before === after ? [] : [[siteId, { before, after }] as const],
      );
      return { run: id, folder, siteCount: plan.sites.length, widths: Object.fromEntries(changed) };
    });
  }

  private async planOf(folder: string): Promise<Plan | undefined> {
    const known = this.plans.get(folder);
    if (known !== undefined) return known;
    const { readPlan } = await import('../../run/runFolder');
    const plan = await readPlan(folder).catch(() => undefined);
    if (plan !== undefined) this.plans.set(folder, plan);
    return plan;
  }
}

function learnedOf(run: string, folder: string, view: RunView, plan: Plan): Omit<LearnedModel, 'networks'> {
  const sites = new Map<number, LearnedWidth>();
  for (const layer of view.layers) {
    const id = view.siteOf.get(layer.name);
    const site = id === undefined ? undefined : plan.sites[id];
    if (site === undefined || id === undefined) continue;
    const after = view.learnedWidths[layer.name] ?? layer.start;
    sites.set(id, { layerType: site.layerType, before: layer.start, after });
  }
  return { run, folder, state: view.state, siteCount: plan.sites.length, sites };
}

function plain(model: LearnedModel | undefined): unknown {
  return model === undefined ? undefined : { ...model, sites: [...model.sites] };
}

function keyOf(file: string, model: string): string {
  return `${process.platform === 'win32' ? file.toLowerCase() : file}\0${model}`;
}
