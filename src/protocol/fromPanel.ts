import { z } from 'zod';
import type { ExportFormat, FromPanel, PanelAction } from './webview';

/** What a panel may say. It shows text that came from files, so nothing it sends is taken on trust. */

/** Longest export, in characters: a picture of a chart has about a hundredth of it. */
const MAX_EXPORT_CHARACTERS = 64 * 1024 * 1024;

const ACTIONS: Readonly<Record<PanelAction, PanelAction>> = {
  stop: 'stop',
  kill: 'kill',
  resume: 'resume',
  emit: 'emit',
  revert: 'revert',
  openSource: 'openSource',
  exportRun: 'exportRun',
  showLog: 'showLog',
  openFolder: 'openFolder',
};
const FORMATS: Readonly<Record<ExportFormat, ExportFormat>> = {
  png: 'png',
  svg: 'svg',
  csv: 'csv',
  json: 'json',
};
/** Of a run beside the shown one: a name, never a path. */
const run = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/);

/** A message without a schema does not compile. */
const schemas: { readonly [Type in FromPanel['type']]: z.ZodType<Extract<FromPanel, { type: Type }>> } = {
  ready: z.strictObject({ type: z.literal('ready'), version: z.number().int() }),
  action: z.strictObject({ type: z.literal('action'), action: z.enum(ACTIONS) }),
  emitPoint: z.strictObject({ type: z.literal('emitPoint'), budget: z.number().min(0) }),
  showTrial: z.strictObject({ type: z.literal('showTrial'), run }),
  emitTrial: z.strictObject({ type: z.literal('emitTrial'), run }),
  channels: z.strictObject({ type: z.literal('channels'), layer: z.string().max(1_000) }),
  export: z.strictObject({
    type: z.literal('export'),
    format: z.enum(FORMATS),
    name: z.string().max(200),
    content: z.string().max(MAX_EXPORT_CHARACTERS),
  }),
  problem: z.strictObject({ type: z.literal('problem'), message: z.string().max(20_000) }),
};

/** @returns undefined if it is none of the messages of the protocol */
export function parseFromPanel(message: unknown): FromPanel | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  const { type } = message;
  if (typeof type !== 'string' || !Object.hasOwn(schemas, type)) return undefined;
  return schemas[type as FromPanel['type']].safeParse(message).data;
}
