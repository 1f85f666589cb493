/**
 * The supervisor process: `supervisor.cjs <folder of a run> [options of Node.js] backend.cjs`. Leads the process group in
 * which the backend lives, and starts the backend again when it dies by itself, whether anybody watches or not.
 */
import { supervise } from './supervise';

const [folder, ...command] = process.argv.slice(2);
if (folder === undefined || command.length === 0) {
  console.error('usage: supervisor <folder of a run> [options of Node.js] <backend>');
  process.exit(2);
}
void supervise(folder, command).then((code) => process.exit(code));
