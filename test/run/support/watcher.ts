import { attachRun } from '../../../src/client/runs';
import { RunView } from '../../../src/shell/runView';

/**
 * A program that watches a run to its end as the extension does, with a view, and with a second listener that comes
 * when it has seen many events. Prints what each of them heard.
 */
const handle = await attachRun(process.argv[2] ?? '');
const view = new RunView(128);
let inOrder = true;
let late = 0;
handle.onEvent((event) => {
  inOrder &&= event.seq === view.events;
  view.take(event);
  if (view.events === 1_000)
    handle.onEvent((again) => {
      inOrder &&= again.seq === late;
      late += 1;
    });
});
const { state } = await handle.closed;
process.stdout.write(JSON.stringify({ state, shown: view.state, events: view.events, late, inOrder }));
