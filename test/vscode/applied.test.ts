import { expect, test, vi } from 'vitest';
import { appliedNetwork, type LearnedModel } from '../../src/vscode/runs/learned';

/** Which network a source has. The module imports the editor, of which nothing is asked here. */
vi.mock('vscode', () => import('../../bench/editor/vscodeStub'));

const network = (run: string, first: number, second: number) => ({
  run,
  folder: `/runs/${run}`,
  siteCount: 3,
  widths: { 0: { before: 128, after: first }, 1: { before: 64, after: second } },
});

const KNOWN: LearnedModel = {
  run: 'newest',
  folder: '/runs/newest',
  state: 'done',
  siteCount: 3,
  sites: new Map([
    [0, { layerType: 'dense', before: 128, after: 20 }],
    [1, { layerType: 'dense', before: 64, after: 10 }],
  ]),
  networks: [network('newest', 20, 10), network('newest', 40, 30), network('older', 50, 30)],
};

const sites = (...widths: number[]) => widths.map((width) => ({ width }));

test('widths of any run and size are recognised', () => {
  expect(appliedNetwork(KNOWN, sites(20, 10, 5))).toBe(KNOWN.networks[0]);
  expect(appliedNetwork(KNOWN, sites(40, 30, 5))).toBe(KNOWN.networks[1]);
  expect(appliedNetwork(KNOWN, sites(50, 30, 5))).toBe(KNOWN.networks[2]);
});

test('widths from before training, mixed ones and those of another number of layers are not', () => {
  expect(appliedNetwork(KNOWN, sites(128, 64, 5))).toBeUndefined();
  expect(appliedNetwork(KNOWN, sites(20, 30, 5))).toBeUndefined();
  expect(appliedNetwork(KNOWN, sites(20, 10))).toBeUndefined();
});

test('a run that trained an emitted network shows what it learned itself', () => {
  const again: LearnedModel = {
    ...KNOWN,
    sites: new Map([[0, { layerType: 'dense', before: 50, after: 45 }]]),
  };
  expect(appliedNetwork(again, sites(50, 30, 5))).toBeUndefined();
});
