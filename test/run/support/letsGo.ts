import { startRun, type StartSettings } from '../../../src/client/runs';

/** A program that starts a run and lets go of it, or watches it to its end; then it has nothing more to do. */
const { settings, detach } = JSON.parse(process.argv[2] ?? '') as {
  settings: StartSettings;
  detach: boolean;
};
const handle = await startRun(settings);
process.stdout.write(`${handle.folder}\n`);
if (detach) await handle.detach();
process.stdout.write(`${(await handle.closed).state}\n`);
