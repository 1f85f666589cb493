// Writes the settings of core/options.ts into package.json and package.nls.json.
import { build } from 'esbuild';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const root = path.dirname(path.dirname(new URL(import.meta.url).pathname));
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

function isOwn(key) {
  return key === 'setting.sizes' || `shrinknets.${key.slice('setting.'.length)}` in editor.properties;
}
