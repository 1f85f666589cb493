/**
 * Compares the gradients of every layer on every engine that is here with the reference, and prints a table.
 *
 *     npm run engines:matrix [-- --write]     (--write puts it into docs/engines.md)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../src/core/errors';
import type { EngineProvider } from '../../src/engine/engine';
import { findEngine, providers } from '../../src/engine/registry';
import { layerCases, randomCases, type LayerCase } from '../../test/engine/layerCases';
import { gradientsOn, worstError } from '../../test/engine/support';

const DOCUMENT = 'docs/engines.md';
const TOLERANCE = 1e-4;

/** The relative error, or what went wrong. */
async function compare(provider: EngineProvider, spec: LayerCase): Promise<number | string> {
  const reference = await gradientsOn(await findEngine('cpu').load(), spec);
  try {
    const found = await gradientsOn(await provider.load(), spec);
    return worstError(found, reference);
  } catch (thrown) {
    return messageOf(thrown).slice(0, 60);
  } finally {
    await findEngine('cpu').load();
  }
}

const tested: EngineProvider[] = [];
const notes: string[] = [];
for (const provider of providers) {
  if (provider.name === 'cpu') continue;
  const status = await provider.probe();
  if (status.available) {
    tested.push(provider);
    notes.push(`- ${provider.name}: ${status.description.device}, version ${status.description.version}`);
  } else notes.push(`- ${provider.name}: not here, ${status.missing}`);
}

let wrong = 0;
const lines = [
  `| layer | ${tested.map((provider) => provider.name).join(' | ')} |`,
  `|---|${tested.map(() => '---').join('|')}|`,
];
// The random layers draw from one stream, which every comparison would have to start anew: test/engine/randomSteps
// compares them.
for (const spec of layerCases) {
  const cells: string[] = [];
  for (const provider of tested) {
    const error = await compare(provider, spec);
    if (typeof error === 'string' || error > TOLERANCE) wrong += 1;
    cells.push(typeof error === 'string' ? error : error.toExponential(0));
  }
  lines.push(`| ${spec.name} | ${cells.join(' | ')} |`);
}
const table = [...notes, '', ...lines].join('\n');
console.log(table);
console.log(`${layerCases.length} cases and ${randomCases.length} random ones apart, ${wrong} wrong`);
if (process.argv.includes('--write')) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const begin = '<!-- matrix -->\n';
  const end = '\n<!-- /matrix -->';
  const from = document.indexOf(begin) + begin.length;
  writeFileSync(
    DOCUMENT,
    document.slice(0, from) + '\n' + table + '\n' + document.slice(document.indexOf(end)),
  );
}
process.exit(wrong > 0 ? 1 : 0);
