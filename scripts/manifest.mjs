// Writes the settings of core/options.ts into package.json and package.nls.json, and the extension's texts into
// l10n/bundle.l10n.json, from which translations are made.
import { build } from 'esbuild';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const built = await build({
  entryPoints: [path.join(root, 'src/vscode/settings/optionSettings.ts')],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const source = Buffer.from(built.outputFiles[0].contents).toString('base64');
const { allSettings, RESTRICTED } = await import(`data:text/javascript;base64,${source}`);
const { properties, words } = allSettings();

const manifestFile = path.join(root, 'package.json');
const manifest = JSON.parse(await readFile(manifestFile, 'utf8'));
const [training, editor] = manifest.contributes.configuration;
training.properties = properties;
const own = Object.entries(editor.properties)
  .filter(([, setting]) => setting.scope === 'machine')
  .map(([key]) => key);
manifest.capabilities.untrustedWorkspaces.restrictedConfigurations = [
  ...RESTRICTED.map((key) => `shrinknets.${key}`),
  ...own,
];
await writeFile(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);

const wordsFile = path.join(root, 'package.nls.json');
const others = Object.entries(JSON.parse(await readFile(wordsFile, 'utf8')));
const kept = Object.fromEntries(
  others.filter(([key]) => !key.startsWith('setting.') || key in words || isOwn(key)),
);
await writeFile(wordsFile, `${JSON.stringify({ ...kept, ...words }, null, 2)}\n`);

const folder = path.join(root, 'src', 'vscode');
const texts = new Set();
for (const name of (await readdir(folder, { recursive: true })).sort()) {
  if (!name.endsWith('.ts')) continue;
  const code = await readFile(path.join(folder, name), 'utf8');
  // The same pattern as in test/vscode/manifest.test.ts.
  for (const [, text] of code.matchAll(/l10n\.t\(\s*'((?:[^'\\]|\\.)*)'/g))
    texts.add(text.replaceAll(/\\(.)/g, '$1'));
}
await writeFile(
  path.join(root, 'l10n', 'bundle.l10n.json'),
  `${JSON.stringify(Object.fromEntries([...texts].map((text) => [text, text])), null, 2)}\n`,
);

function isOwn(key) {
  return key === 'setting.sizes' || `shrinknets.${key.slice('setting.'.length)}` in editor.properties;
}
