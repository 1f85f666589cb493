import { askBackend } from '../../client/query';
import { backendScript } from '../../shell/sources';
import { Output } from '../output';

/** `shrinknets engines`: what can compute here, and the command that would get what is missing. */
export async function enginesCommand(flags: { readonly json?: boolean }): Promise<void> {
  const engines = await askBackend({ kind: 'engines' }, { backendScript: backendScript() });
  if (flags.json === true) {
    for (const engine of engines) process.stdout.write(`${JSON.stringify(engine)}\n`);
    return;
  }
  const output = new Output();
  const { green, dim } = output.colors;
  const width = Math.max(...engines.map((engine) => engine.name.length));
  for (const engine of engines) {
    const name = engine.name.padEnd(width);
    if (engine.available)
      output.line(
        `${green(name)}  ${engine.device}, ${engine.version}, ${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}`,
      );
    else
      output.line(
        `${dim(name)}  ${engine.missing}${engine.install === null ? '' : `; get it with: ${engine.install}`}`,
      );
  }
}
