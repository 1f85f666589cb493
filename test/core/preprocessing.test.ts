import { expect, it } from 'vitest';
import { ChannelSets } from '../../src/core/channels';
import { ruleFor } from '../../src/core/rules/table';

function flowOf(config: Record<string, unknown>): unknown {
  const layer = { name: 'r', className: 'Rescaling', config, calls: [] };
  const input = { shape: [null, 4], axis: 1, ids: Int32Array.of(0, 1, 2, 3) };
  const facts = ruleFor(layer)(layer, [input], new ChannelSets());
  expect(facts.outputs).toEqual([input]);
  return facts.flow;
}

it('rescaling keeps zeros and factors unless it shifts', () => {
  expect(flowOf({ scale: 1 / 255 })).toEqual({ kind: 'carries', zero: true, scaling: 'linear' });
  expect(flowOf({ scale: 2, offset: 0 })).toEqual({ kind: 'carries', zero: true, scaling: 'linear' });
  expect(flowOf({ scale: 2, offset: -1 })).toEqual({ kind: 'carries', zero: false, scaling: 'none' });
});
