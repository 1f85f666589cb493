import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFromPanel } from '../../src/protocol/fromPanel';
import type { FromPanel } from '../../src/protocol/webview';

const GOOD: readonly FromPanel[] = [
  { type: 'ready', version: 1 },
  { type: 'action', action: 'stop' },
  { type: 'emitPoint', budget: 40_000 },
  { type: 'showTrial', run: '20261124-113000-mnist-2' },
  { type: 'emitTrial', run: '20261124-113000-mnist-2' },
  { type: 'channels', layer: 'dense_1' },
  { type: 'export', format: 'csv', name: 'loss', content: 'a,b\n' },
  { type: 'problem', message: 'it could not be drawn' },
];

describe('a message of the panel', () => {
  it.each(GOOD)('$type is taken as it is', (message) => {
    expect(parseFromPanel(message)).toEqual(message);
  });

  it.each([
    ['an unknown type', { type: 'open', folder: '/etc' }],
    ['a command by its name', { type: 'action', action: 'workbench.action.quit' }],
    ['a name of a prototype', { type: 'action', action: 'constructor' }],
    ['a folder beside an action', { type: 'action', action: 'openFolder', folder: '/etc' }],
    ['a path for a run', { type: 'showTrial', run: '../../etc' }],
    ['a name of every object', { type: 'toString' }],
    ['a size that is none', { type: 'emitPoint', budget: Number.NaN }],
    ['a path for a format', { type: 'export', format: '/../../x', name: 'a', content: '' }],
    ['a text without end', { type: 'problem', message: 'x'.repeat(20_001) }],
    ['no object', 'ready'],
    ['nothing', undefined],
  ])('with %s is refused', (_what, message) => {
    expect(parseFromPanel(message)).toBeUndefined();
  });

  it('is one of the protocol or nothing, whatever comes', () => {
    const types = GOOD.map(({ type }) => type);
    fc.assert(
      fc.property(fc.constantFrom(...GOOD), fc.string(), fc.jsonValue(), (good, key, value) => {
        for (const given of [value, { ...good, [key]: value }]) {
          const parsed = parseFromPanel(given);
          if (parsed !== undefined) expect(types).toContain(parsed.type);
        }
      }),
    );
  });
});
