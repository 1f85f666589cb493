import type * as vscode from 'vscode';
import type { Emissions } from './emit/emissions';
import type { Readings } from './language/readings';
import type { Panels } from './panel/panels';
import type { RunStore } from './runs/runStore';

/** What lives as long as the extension and is shared by its features. */
export interface Services {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly readings: Readings;
  readonly runs: RunStore;
  readonly panels: Panels;
  readonly emissions: Emissions;
}
