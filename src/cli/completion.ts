import { Argument, type Command } from 'commander';
import { ALL_STRATEGIES } from '../app/strategies.ts';
import { unknownName } from '../common/closest.ts';
import { ENVIRONMENTS } from '../control/index.ts';
import { DATASETS } from '../data/catalog.ts';
import { TARGET_NAMES } from '../device/index.ts';
import { GENOME_SPACES } from '../space/genome/definition.ts';
import { SPACES } from '../space/spaces/index.ts';
import { ESTIMATORS } from '../study/spec.ts';
import { type Completed, completionScript, SHELLS, type ShellName } from '../terminal/completion.ts';
import { define, outputOf, type Shell } from './command.ts';

/** Values of flags and arguments that may also be something else, such as a file. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '--data': Object.keys(DATASETS),
  '--environment': Object.keys(ENVIRONMENTS),
  '--space': Object.keys({ ...SPACES, ...GENOME_SPACES }),
  '--strategy': Object.keys(ALL_STRATEGIES),
  '--estimator': ESTIMATORS,
  '--device-target': TARGET_NAMES,
};
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'spaces name': Object.keys({ ...SPACES, ...GENOME_SPACES }),
  'samples space': Object.keys(SPACES),
  'strategies name': Object.keys(ALL_STRATEGIES),
  'data get name': Object.keys(DATASETS),
};

/**
 * `netsmith completion SHELL`: { shell, script }. The script holds all names, so that a press of Tab starts no program; it is made of
 * the program's own commands and flags.
 */
export function addCompletion(program: Command, shell: Shell): void {
  define(program, 'completion', 'Print a script that completes commands and flags in your shell', [
    'netsmith completion bash >> ~/.bashrc',
    'netsmith completion zsh >> ~/.zshrc',
    'netsmith completion fish > ~/.config/fish/completions/netsmith.fish',
    'netsmith completion powershell >> $PROFILE',
  ])
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS).argParser(shellNamed))
    .action((name: ShellName, _options: unknown, command: Command) => {
      const script = completionScript(name, completedOf(program, ''));
      outputOf(command, shell).result({ shell: name, script }, script);
    });
}

/** Throws UserError for a shell that has no completion. */
function shellNamed(text: string): ShellName {
  const name = SHELLS.find((known) => known === text);
  if (name === undefined) throw unknownName('unknown shell', text, SHELLS);
  return name;
}

function completedOf(command: Command, path: string): Completed[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const flags = help.visibleOptions(command).flatMap(({ long, description, argChoices = [], flags }) => {
    // `--layout <auto|portable>`: the words that a value may be.
    const listed = /<([a-z-]+(?:\|[a-z-]+)+)>/.exec(flags)?.[1]?.split('|') ?? [];
    const words = NAMES[long ?? ''] ?? listed.filter((word) => word !== 'name' && word !== 'file');
    return typeof long !== 'string'
      ? []
      : [{ name: long, summary: description, choices: argChoices.length > 0 ? argChoices : words }];
  });
  const words = [
    ...below.map((one) => one.name()),
    ...command.registeredArguments.flatMap(
      (argument) => argument.argChoices ?? ARGUMENTS[`${path} ${argument.name()}`] ?? [],
    ),
  ];
  return [
    { path, summary: command.description(), flags, words },
    ...below.flatMap((one) => completedOf(one, path === '' ? one.name() : `${path} ${one.name()}`)),
  ];
}
