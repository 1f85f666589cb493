import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MODEL_OPTIONS } from '../../src/core/optionTable';
import { allSettings, RESTRICTED } from '../../src/vscode/settings/optionSettings';

const root = path.resolve(import.meta.dirname, '../..');
const text = readFileSync(path.join(root, 'package.json'), 'utf8');

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly icon: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when?: string }[]>>;
    readonly configuration: readonly {
      readonly properties: Readonly<
        Record<string, { readonly scope: string; readonly type: string; readonly enum?: readonly string[] }>
      >;
    }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly media: { readonly markdown: string };
        readonly description: string;
      }[];
    }[];
  };
}

const manifest = JSON.parse(text) as Manifest;
const words = JSON.parse(readFileSync(path.join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
const sources = readdirSync(path.join(root, 'src', 'vscode'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(path.join(root, 'src', 'vscode', name), 'utf8'));

describe('the manifest', () => {
  const commands = manifest.contributes.commands.map(({ command }) => command);

  it('lists the commands of the table, and the table those of the manifest', () => {
    const main = readFileSync(path.join(root, 'src', 'vscode', 'main.ts'), 'utf8');
    const table = [...main.matchAll(/^ {2}'(shrinknets\.\w+)':/gm)].map(([, name]) => name);
    expect([...table].sort()).toEqual([...commands].sort());
  });

  it('names only commands that are there, in menus, texts and code', () => {
    const used = Object.values(manifest.contributes.menus)
      .flat()
      .map(({ command }) => command);
    const inTexts = [...JSON.stringify(words).matchAll(/command:(shrinknets\.\w+)/g)].map(
      ([, name]) => name ?? '',
    );
    const known = ['shrinknets.panel', 'shrinknets.runs', 'shrinknets.run', ...settingNames()];
    const contexts = [...sources.join('').matchAll(/'(shrinknets\.\w+)'/g)]
      .map(([, name]) => name ?? '')
      .filter((name) => !known.includes(name) && !/Folders$|pinnedRuns$/.test(name));
    for (const command of [...used, ...inTexts, ...contexts]) expect(commands).toContain(command);
  });

  it('has a text for every key, and no text without one', () => {
    const keys = [...text.matchAll(/%([\w.]+)%/g)].map(([, key]) => key ?? '');
    expect([...new Set(keys)].sort()).toEqual(Object.keys(words).sort());
  });

  it('has every text of the extension in the bundle for translations (npm run manifest writes it)', () => {
    const bundle = JSON.parse(readFileSync(path.join(root, 'l10n', 'bundle.l10n.json'), 'utf8')) as object;
    const code = sources.join('\n');
    const texts = [...code.matchAll(/l10n\.t\(\s*'((?:[^'\\]|\\.)*)'/g)].map(([, text]) =>
      (text ?? '').replaceAll(/\\(.)/g, '$1'),
    );
    expect(Object.keys(bundle).sort()).toEqual([...new Set(texts)].sort());
    // A text in other quotes, or put together, would be missed.
    expect(code.match(/l10n\.t\(/g)).toHaveLength(texts.length);
  });

  it('describes every option of core/options.ts as a setting (npm run manifest writes them)', () => {
    const { properties, words: descriptions } = allSettings();
    expect(manifest.contributes.configuration[0]?.properties).toEqual(properties);
    expect(words).toMatchObject(descriptions);
    expect(Object.keys(properties)).toHaveLength(MODEL_OPTIONS.length);
  });

  it('lets no untrusted folder set what is run or read', () => {
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
    for (const key of [...RESTRICTED, 'nodePath', 'maxMemory'])
      expect(restricted).toContain(`shrinknets.${key}`);
  });

  it('knows of every setting of free text whether it can name a program or a file', () => {
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
    // Names of columns and numbers: read as such, whatever they are.
    const harmless = ['target', 'input', 'budget'].map((key) => `shrinknets.${key}`);
    const free = manifest.contributes.configuration.flatMap(({ properties }) =>
      Object.entries(properties).filter(
        ([, setting]) => setting.type === 'string' && setting.enum === undefined,
      ),
    );
    expect(free.length).toBeGreaterThan(harmless.length);
    for (const [key, { scope }] of free) {
      if (harmless.includes(key)) continue;
      expect(restricted).toContain(key);
      // A program to run is not the folder's to name even when it is trusted.
      if (key.endsWith('Path')) expect(scope).toBe('machine');
    }
  });

  it('has the files that it names', () => {
    const files = manifest.contributes.walkthroughs.flatMap(({ steps }) =>
      steps.map(({ media }) => media.markdown),
    );
    for (const file of [manifest.icon, ...files]) expect(existsSync(path.join(root, file)), file).toBe(true);
  });

  it('is read only for settings that it has', () => {
    const read = [...sources.join('').matchAll(/settings\.(?:get|update)(?:<\w+>)?\('(\w+)'/g)].map(
      ([, key]) => key,
    );
    for (const key of read) expect(settingNames()).toContain(`shrinknets.${key}`);
  });
});

function settingNames(): string[] {
  return manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
}
