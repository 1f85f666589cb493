/**
 * Does it find good networks? Accuracy at every size on Fashion-MNIST: the budget path against random static widths of
 * the same finish and the same number of multiply-accumulate operations, beside the figures of RECIPE.md.
 *
 *     npm run bench:front [-- --net dense|deep|cnn --seeds 3 --first-seed 1 --static equal|none
 *                             --epochs 16 --finish 4 --quick]
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/core/errors';
import type { Engine } from '../../src/engine/engine';
import { loadOnnxRuntime } from '../../src/engine/engines/onnxruntime';
import { wasm } from '../../src/engine/engines/wasm';
import { loadFashion } from './data';
import { frontNets } from './nets';
import { frontOf, hypervolume, mean, printTable, spread } from './report';
import { drawWidths, staticMacs, trainOurs, trainStatic, type Epochs, type Reached } from './train';

const { values: options } = parseArgs({
  options: {
    net: { type: 'string', default: 'dense' },
    seeds: { type: 'string', default: '3' },
    'first-seed': { type: 'string', default: '1' },
    static: { type: 'string', default: 'equal' },
    epochs: { type: 'string' },
    finish: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});

/** Training accuracy below which an epoch of the trunk counts as a collapse; chance is 0.1. */
const COLLAPSED = 0.5;

async function loadEngine(): Promise<Engine> {
  try {
    return await loadOnnxRuntime({ threads: 1 });
  } catch (thrown) {
    console.log(`onnxruntime is not usable (${messageOf(thrown)}); on wasm instead`);
    return wasm.load();
  }
}

const chosen = frontNets.find((candidate) => candidate.name === options.net);
if (chosen === undefined)
  throw new RangeError(`--net is one of ${frontNets.map(({ name }) => name).join(', ')}`);
const net = chosen;
const epochs: Epochs = {
  trunk: Number(options.epochs ?? (options.quick ? 3 : 16)),
  finish: Number(options.finish ?? (options.quick ? 1 : 4)),
};
const data = loadFashion(options.quick ? 6_000 : net.trainingRows, net.input);
const engine = await loadEngine();
const percent = (share: number): string => (100 * share).toFixed(2);
const { threads } = engine.describe();
console.log(
  `${net.name}: widths ${net.widths.join('-')}, ${data.train.count}/${data.validation.count}/${data.test.count} rows from ${data.notes.join()}, ` +
    `${epochs.trunk}+${epochs.finish} epochs, ${engine.name} (${threads} thread)`,
);

const ours: (readonly Reached[])[] = [];
const ourFronts: (readonly number[])[] = [];
const randomFronts: (readonly number[])[] = [];
const compute = { ours: 0, random: 0, nets: 0 };
let collapses = 0;
const firstSeed = Number(options['first-seed']);
for (let seed = firstSeed; seed < firstSeed + Number(options.seeds); seed += 1) {
  let began = performance.now();
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  const run = await trainOurs(engine, net, data, epochs, seed);
  const collapsed = run.worstEpoch < COLLAPSED || run.points.some((point) => point.test < COLLAPSED);
  if (collapsed) collapses += 1;
  ours.push(run.points);
  ourFronts.push(frontOf(run.points, net.budgets));
  compute.ours += run.macs;
  console.log(
    `seed ${seed}  ours ${seconds()}, ${(run.macs / 1e12).toFixed(2)} TMAC (+ ${(run.startMacs / 1e12).toFixed(2)} for the start size, ${percent(run.start)}), worst epoch ${percent(run.worstEpoch)}${collapsed ? ' COLLAPSED' : ''}`,
  );
  for (const point of run.points)
    console.log(
      `    ${String(point.params).padStart(7)}  ${point.widths.join('-').padEnd(20)} ${percent(point.test)}`,
    );
  if (options.static === 'none') continue;
  began = performance.now();
  const drawn: Reached[] = [];
  let macs = 0;
  // A size after the other, as many networks as fit into the same compute.
  for (let i = 0, passed = 0; passed < net.budgets.length; i += 1) {
    const size = net.budgets[i % net.budgets.length] ?? 0;
    const widths = drawWidths(net, size, seed * 1000 + i);
    const more = staticMacs(net, widths, epochs, data.train.count);
    const fits = macs + more <= run.macs;
    passed = fits ? 0 : passed + 1;
    if (!fits) continue;
    drawn.push(await trainStatic(engine, net, data, epochs, widths, seed * 1000 + i));
    macs += more;
  }
  compute.random += macs;
  compute.nets += drawn.length;
  randomFronts.push(frontOf(drawn, net.budgets));
  console.log(`    static ${seconds()}, ${(macs / 1e12).toFixed(2)} TMAC, ${drawn.length} networks`);
  for (const point of drawn)
    console.log(
      `    ${String(point.params).padStart(7)}  ${point.widths.join('-').padEnd(20)} ${percent(point.test)}`,
    );
}

const columns = net.budgets.map((_, i) => ours.map((points) => points[i]?.test ?? NaN));
const rows: (readonly [string, readonly string[]])[] = [
  ['ours', columns.map((column) => percent(mean(column)))],
  ['  standard deviation', columns.map((column) => percent(spread(column)))],
  ['RECIPE.md, ours', net.recipe.ours.map((figure) => figure.toFixed(1))],
  ['  difference', columns.map((column, i) => (100 * mean(column) - (net.recipe.ours[i] ?? NaN)).toFixed(2))],
];
const frontRow = (fronts: readonly (readonly number[])[]): number[] =>
  net.budgets.map((_, i) => mean(fronts.map((front) => front[i] ?? NaN)));
if (randomFronts.length > 0) {
  const [ourRow, randomRow] = [frontRow(ourFronts), frontRow(randomFronts)];
  rows.push(
    ['front of ours', ourRow.map(percent)],
    ['front of random static', randomRow.map(percent)],
    ['  ours above it by', ourRow.map((share, i) => percent(share - (randomRow[i] ?? NaN)))],
    [`RECIPE.md, random (${net.recipe.note})`, net.recipe.random.map((figure) => figure.toFixed(1))],
  );
}
console.log('');
printTable(net.budgets, rows);
const volume = (fronts: readonly (readonly number[])[]): string =>
  mean(fronts.map((front) => hypervolume(net.budgets, front))).toFixed(2);
console.log(
  `\nhypervolume (points over 80 % × octaves of size): ours ${volume(ourFronts)}${randomFronts.length > 0 ? `, random static ${volume(randomFronts)}` : ''}`,
);
if (compute.nets > 0)
  console.log(
    `compute: ours ${(compute.ours / 1e12).toFixed(2)} TMAC, random static ${(compute.random / 1e12).toFixed(2)} TMAC in ${compute.nets} networks`,
  );
console.log(`collapses: ${collapses} of ${ours.length} seeds`);
process.exit(0);
