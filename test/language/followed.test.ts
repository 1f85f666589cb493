import { describe, expect, it } from 'vitest';
import { followSource, makePlan, readSource, type SourceReading } from '../../src/language';
import type { Syntax } from '../../src/language/syntax';
import { parsers } from './support/parsers';

/** What is read after edits is what would be read of the text alone. SHRINKNETS_FUZZ=n takes n times as many edits. */

const EDITS = 150 * Number(process.env['SHRINKNETS_FUZZ'] ?? 1);

const SCRIPT = `import * as tf from '@tensorflow/tfjs';

const hidden = 32;
// @shrink-model data=./data.mjs epochs=3
export function makeSmall(width = 10) {
  const model = tf.sequential();
  // @shrink min=4
  model.add(tf.layers.dense({ inputShape: [8], units: hidden, activation: 'relu' }));
  // @shrink
  model.add(tf.layers.dense({ units: 16 }));
  model.add(tf.layers.dense({ units: 2 }));
  return model;
}

class Builder {
  constructor(private readonly units: number) {}
  build() {
    const made = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 12 })] });
    this.model = made;
    return made;
  }
}

function helper(model: tf.Sequential, units: number) {
  model.add(tf.layers.dense({ units }));
}

const other = tf.sequential();
other.add(tf.layers.dense({ inputShape: [4], units: 24 }));
helper(other, 6);
other.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
export default new Builder(3);
`;

const PYTHON = `import torch
from torch import nn

WIDTH = 32

# @shrink-model data=./digits.npz
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        # @shrink min=4
        self.first = nn.Linear(8, WIDTH)
        self.second = nn.Linear(WIDTH, 10)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


small = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
`;

/** Pieces that make and mend broken code, in both languages. */
const PIECES = [
  ...['(', ')', '{', '}', '[', ']', "'", '"', '`', ';', ':', ',', '=', '.', ' ', '    ', '\n', '\r\n'],
  ...['x', '7', '// @shrink\n', '# @shrink\n', '/*', '*/', '"""', 'return', 'const a = 1;\n', 'b = 2\n'],
  ...['other.add(tf.layers.dense({ units: 5 }));\n', 'def f():\n    pass\n', 'ü', '😀'],
];

function* edits(text: string, seed: number): Generator<string> {
  let state = seed;
  const below = (count: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  let now = text;
  for (let i = 0; i < EDITS; i += 1) {
    // Often from a whole text, so that many texts are whole.
    if (below(3) === 0) now = text;
    const at = below(now.length);
    const removed = below(3) === 0 ? below(12) : 0;
    const added = below(4) === 0 ? '' : (PIECES[below(PIECES.length)] ?? '');
    now = now.slice(0, at) + added + now.slice(at + removed);
    yield now;
  }
}

function isWhole(reading: SourceReading): boolean {
  const { root } = reading.internal;
  return root?.walk().some((node) => node.missing || node.type === 'ERROR') === false;
}

function dump(node: Syntax): string {
  const inner = node.children.map(dump).join(' ');
  return `(${node.fieldName ?? ''} ${node.type} ${node.start} ${node.end} ${inner})`;
}

function plansOf(reading: SourceReading): unknown[] {
  return reading.models.map((model) => {
    try {
      return makePlan(reading, model.name);
    } catch (thrown) {
      return String(thrown);
    }
  });
}

describe.each([
  ['TypeScript', '/project/model.ts', SCRIPT],
  ['Python', '/project/model.py', PYTHON],
])('a followed %s source', (_, file, text) => {
  it('reads after every edit as if it were read alone', () => {
    const source = followSource(parsers, file);
    source.read(text);
    let whole = 0;
    for (const edited of edits(text, 20_261_123)) {
      const followed = source.read(edited);
      const alone = readSource(parsers, { file, text: edited });
      // Where code is broken the parser guesses, and may guess by what stood there before.
      if (!isWhole(alone) && !isWhole(followed)) continue;
      whole += 1;
      const [a, b] = [followed, alone].map(({ internal }) => internal.root as Syntax);
      expect(dump(a as Syntax), edited).toBe(dump(b as Syntax));
      const plain = ({ models, hints, problems }: SourceReading) => ({ models, hints, problems });
      expect(plain(followed), edited).toEqual(plain(alone));
      expect(plansOf(followed), edited).toEqual(plansOf(alone));
    }
    source.close();
    expect(whole).toBeGreaterThan(EDITS / 5);
  });

  it('copies only what an edit touched', () => {
    const source = followSource(parsers, file);
    const before = [...(source.read(text).internal.root?.children ?? [])];
    const at = text.indexOf('16');
    const after = source.read(`${text.slice(0, at)}4${text.slice(at)}`).internal.root?.children ?? [];
    const kept = after.filter((piece) => before.includes(piece));
    expect(after).toHaveLength(before.length);
    expect(kept).toHaveLength(before.length - 1);
    source.close();
  });
});
