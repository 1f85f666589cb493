// Packs the extension: one file for every platform, of at most 5 MB.
// The README's pictures of VS Code are made by SHRINKNETS_PICTURES=1 npm run test:vscode -- newest story
import { execFileSync } from 'node:child_process';
import { mkdtemp, cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MOST_BYTES = 5_000_000;
const root = path.dirname(import.meta.dirname);
const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
const out = path.join(root, `shrinknets-${manifest.version}.vsix`);

execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });

// A copy of its own, so that what is packed has no scripts, no command line and no dependencies to install.
const staging = await mkdtemp(path.join(tmpdir(), 'shrinknets-package-'));
try {
  for (const name of [
    'dist',
    'media',
    'l10n',
    '.vscodeignore',
    'package.nls.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ])
    await cp(path.join(root, name), path.join(staging, name), { recursive: true });
  await cp(path.join(root, 'dist', 'THIRD-PARTY-NOTICES.md'), path.join(staging, 'THIRD-PARTY-NOTICES.md'));
  const {
    scripts: _s,
    devDependencies: _d,
    optionalDependencies: _o,
    bin: _b,
    private: _p,
    ...kept
  } = manifest;
  await writeFile(path.join(staging, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`);
  if (kept.repository === undefined) {
    const readme = await readFile(path.join(staging, 'README.md'), 'utf8');
    await writeFile(path.join(staging, 'README.md'), await standAlone(readme));
  }
  const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  execFileSync(
    process.execPath,
    [
      vsce,
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--no-rewrite-relative-links',
      '--out',
      out,
    ],
    { cwd: staging, stdio: 'inherit' },
  );
} finally {
  await rm(staging, { recursive: true, force: true });
}

const { size } = await stat(out);
if (size > MOST_BYTES) throw new Error(`${out} has ${size} bytes; at most ${MOST_BYTES} are allowed`);
console.log(`${out}: ${(size / 1e6).toFixed(2)} MB`);

/**
 * Without a public repository a relative picture or link of the README leads nowhere: pictures are put into the text
 * itself (an extension's page shows no SVG), links become their words.
 */
async function standAlone(readme) {
  let text = readme.replaceAll(/^!\[[^\]]*\]\((?!https:)[^)]*\.svg\)\n+/gm, '');
  for (const [whole, words, file] of text.matchAll(/!\[([^\]]*)\]\((?!https:)([^)]*\.png)\)/g)) {
    const bytes = await readFile(path.join(root, file)).catch((error) => {
      // The run that makes the pictures needs the package first.
      if (process.env.SHRINKNETS_PICTURES === undefined) throw error;
      return Buffer.alloc(0);
    });
    text = text.replace(whole, () => `![${words}](data:image/png;base64,${bytes.toString('base64')})`);
  }
  return text.replaceAll(/(?<!!)\[([^\]]*)\]\((?!https:|#)[^)]*\)/g, '$1');
}
