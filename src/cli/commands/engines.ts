import { askBackend } from '../../client/query';
import { badInput } from '../../core/errors';
import { engineParts } from '../../shell/engineText';
import { installOnnxRuntime, userEngineHome } from '../../shell/installEngine/install';
import { attachedBackend } from '../backend';
import { Output } from '../output';

interface EnginesFlags {
  readonly json?: boolean;
  readonly install?: string;
}

/** `shrinknets engines`: what can compute here, and the command that would get what is missing. */
export async function enginesCommand(flags: EnginesFlags): Promise<void> {
  const output = new Output();
  if (flags.install !== undefined) await installEngine(flags.install, output);
  const engines = await askBackend({ kind: 'engines' }, attachedBackend());
  if (flags.json === true) {
    for (const engine of engines) process.stdout.write(`${JSON.stringify(engine)}\n`);
    return;
  }
  const { green, dim } = output.colors;
  const width = Math.max(...engines.map((engine) => engine.name.length));
  for (const engine of engines) {
    const name = engine.name.padEnd(width);
    if (engine.available) output.line(`${green(name)}  ${engineParts(engine).join(', ')}`);
    else
      output.line(
        `${dim(name)}  ${engine.missing}${engine.install === null ? '' : `; get it with: ${engine.install}`}`,
      );
  }
}

/** @throws ShrinkError `not-installable` and those of installOnnxRuntime */
async function installEngine(name: string, output: Output): Promise<void> {
  if (name !== 'onnxruntime')
    throw badInput(
      'not-installable',
      `Only onnxruntime can be installed like this, not ${name}; shrinknets engines says how to get the others.`,
    );
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const { folder, fresh } = await installOnnxRuntime({
      home: userEngineHome(),
      signal: stop.signal,
      onProgress: (what, share) => output.status(`${(share * 100).toFixed(0)} %  ${what}`),
    });
    output.error(fresh ? `Installed in ${folder}` : `It is in ${folder} already`);
  } finally {
    process.removeListener('SIGINT', interrupt);
    output.clearStatus();
  }
}
