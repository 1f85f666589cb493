import { Command, Option } from 'commander';
import { MODEL_OPTIONS, type OptionSpec } from '../core/optionTable';
import { describeType } from '../core/parseOptions';
import { DEFAULT_LAMBDAS } from '../core/sweep';
import { VERSION } from '../core/version';
import { checkCommand } from './commands/check';
import { emitCommand } from './commands/emit';
import { enginesCommand } from './commands/engines';
import { pruneCommand, resumeCommand, runsCommand, stopCommand, watchCommand } from './commands/runs';
import { sweepCommand } from './commands/sweep';
import { trainCommand } from './commands/train';
import { kebab } from './flagNames';

export function makeProgram(): Command {
  const program = new Command('shrinknets')
    .description(
      'Learns a neural network’s layer sizes while it trains, and writes them back into the source.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(shrinknets --help lists everything)')
    .addHelpText(
      'after',
      `
Examples:
  shrinknets train src/model.ts                 train the model of a file, as its hints say
  shrinknets train src/model.ts --budget 40k    reach one size
  shrinknets sweep src/model.ts                 try several strengths of the penalty
  shrinknets emit last --write                  write the learned widths into the source
  shrinknets check src                          what can be sized, and what cannot and why

Exit codes: 0 done, 1 training failed, 2 bad input.`,
    );

  training(program.command('train'))
    .description('train a model and learn its widths')
    .option('--write', 'write the learned widths into the source when training is done')
    .action(trainCommand);

  training(program.command('sweep'))
    .description('train a model with one λ after the other, and compare the sizes that come of it')
    .option('--lambdas <n,n>', `strengths of the penalty (default: ${DEFAULT_LAMBDAS})`)
    .action(sweepCommand);

  program
    .command('emit')
    .argument('<run>', 'id of a run, its folder, or "last"')
    .description('show or write the learned architecture')
    .option('--diff', 'show what would change (the default)')
    .option('--write', 'write the learned widths into the source')
    .option('--module <file>', 'write the learned architecture as a module of its own instead')
    .option('--library <name>', 'for --module: tfjs, keras or torch (default: the source’s own)')
    .option('--out <dir>', 'folder of the runs')
    .action(emitCommand);

  program
    .command('check')
    .argument('<file>', 'a model file, or a folder of them')
    .description('list hints, sites and problems; exit 1 if there is an error')
    .option('--json', 'print one object a line')
    .action(checkCommand);

  program
    .command('runs')
    .description('list the runs of this project with their states and sizes')
    .option('--out <dir>', 'folder of the runs')
    .option('--json', 'print one object a line')
    .action(runsCommand);

  program
    .command('resume')
    .argument('<run>', 'id of a run, its folder, or "last"')
    .description('go on with a run that was stopped or killed, or watch one that is running')
    .option('--out <dir>', 'folder of the runs')
    .option('--json', 'print one event a line and nothing else')
    .action(resumeCommand);

  program
    .command('watch')
    .argument('<run>', 'id of a run, its folder, or "last"')
    .description('look on at a run, whoever started it; Ctrl-C ends the looking on, not the run')
    .option('--out <dir>', 'folder of the runs')
    .option('--json', 'print one event a line and nothing else')
    .action(watchCommand);

  program
    .command('stop')
    .argument('<run>', 'id of a run, its folder, or "last"')
    .description('stop a run after a checkpoint and keep what was learned')
    .option(
      '--now',
      'end its processes within 2 s, whatever they do; it can be resumed from its last checkpoint',
    )
    .option('--out <dir>', 'folder of the runs')
    .action(stopCommand);

  program
    .command('prune')
    .argument('[run]', 'id of a run, its folder, or "last" (default: all that are not in training)')
    .description('give back disk space: delete the checkpoints that resuming does not need')
    .option('--out <dir>', 'folder of the runs')
    .action(pruneCommand);

  program
    .command('engines')
    .description('list what can compute here, and what is missing')
    .option('--install <name>', 'download an engine for this machine first: onnxruntime')
    .option('--json', 'print one object a line')
    .action(enginesCommand);

  for (const command of program.commands) command.exitOverride();
  return program;
}

/** What commands that train share. */
function training(command: Command): Command {
  command
    .argument('<file>', 'TypeScript, JavaScript or Python file with a model')
    .option('--model <name>', 'which model, if the file has several');
  for (const spec of MODEL_OPTIONS) command.addOption(flagFor(spec));
  return command
    .option(
      '--out <dir>',
      'folder for the runs (default: .shrinknets beside the nearest package.json or repository root)',
    )
    .option('--json', 'print one event a line and nothing else');
}

function flagFor(spec: OptionSpec): Option {
  return new Option(`--${kebab(spec.key)} <${placeholder(spec)}>`, describeFlag(spec));
}

function describeFlag(spec: OptionSpec): string {
  const type = spec.type.kind === 'choice' ? ` [${describeType(spec.type)}]` : '';
  const given = spec.default === undefined ? '' : ` (default: ${spec.default})`;
  return `${spec.about.charAt(0).toLowerCase()}${spec.about.slice(1).replace(/\.$/, '')}${type}${given}`;
}

function placeholder(spec: OptionSpec): string {
  switch (spec.type.kind) {
    case 'sizes':
      return 'n,n|n%';
    case 'choice':
      return 'name';
    case 'text':
      return spec.key === 'args' ? 'json' : 'value';
    case 'number':
    case 'integer':
      return 'n';
  }
}
