import { attachRun, startRun, type StartSettings } from '../../../src/client/runs';

/**
 * A program that starts (or, given a folder, watches) a run as the command line does, says so, and waits. The
 * tests kill it.
 */
const settings = JSON.parse(process.argv[2] ?? '') as StartSettings | { readonly watch: string };
const handle = 'watch' in settings ? await attachRun(settings.watch) : await startRun(settings);
handle.onProgress(() => undefined);
for await (const event of handle.events)
  if (event.type === 'epoch') {
    process.stdout.write(
      `${JSON.stringify({ folder: handle.folder, pid: handle.pid, group: handle.group })}\n`,
    );
    break;
  }
await handle.closed;
