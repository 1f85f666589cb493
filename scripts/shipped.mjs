// What of other people's ships with the programs: the packages in the bundles, and the files that are copied beside them.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The packages that bundles were made of.
 *
 * @param metafiles what esbuild says of its bundles
 * @param copied names of packages of which files are copied
 * @returns name, version, licence and folder of each, by name
 */
export async function shippedPackages(root, metafiles, copied) {
  const folders = new Set(copied.map((name) => path.join('node_modules', name)));
  for (const { outputs } of metafiles)
    for (const { inputs } of Object.values(outputs))
      for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
        if (folder !== undefined && bytesInOutput > 0) folders.add(path.normalize(folder));
      }
  const packages = [];
  for (const folder of folders) {
    const { name, version, license, author } = JSON.parse(
      await readFile(path.join(root, folder, 'package.json'), 'utf8'),
    );
    const by = typeof author === 'string' ? author : author?.name;
    packages.push({
      name,
      version,
      license,
      folder: folder.split(path.sep).join('/'),
      ...(by === undefined ? {} : { author: by.replace(/\s*[<(].*$/, '') }),
    });
  }
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The notices that the packages' licences ask for: who wrote them, and the words of their licences. */
export async function writeNotices(root, packages) {
  const parts = [
    '# Notices',
    'ShrinkNets is built with the work of others. What ships with it, and under which licences:',
    packages.map(({ name, version, license }) => `- ${name} ${version}: ${license}`).join('\n'),
  ];
  for (const shipped of packages) {
    const text = await licenceText(root, shipped);
    parts.push(
      `## ${shipped.name} ${shipped.version} (${shipped.license})`,
      `\`\`\`\n${text.trim()}\n\`\`\``,
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** Its own licence files, or the standard words where it names a licence and has no file. */
async function licenceText(root, { name, folder, license, author }) {
  const own = (await readdir(path.join(root, folder)))
    .filter((file) => /^(licen[cs]e|notices?|copying|thirdpartynotices)(\.(md|txt))?$/i.test(file))
    .sort();
  const texts = await Promise.all(own.map((file) => readFile(path.join(root, folder, file), 'utf8')));
  if (texts.length > 0) return texts.join('\n\n');
  const words = [];
  for (const one of license.split(/ AND /)) {
    const file = path.join(root, 'scripts', 'licences', `${one}.txt`);
    if (!existsSync(file))
      throw new Error(`${name} has no licence file, and scripts/licences has no text of ${one}`);
    words.push((await readFile(file, 'utf8')).replace('{holder}', author ?? `the authors of ${name}`));
  }
  return words.join('\n\n');
}
