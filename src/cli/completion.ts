import { Argument, type Command } from 'commander';
import { DATASETS } from '../data/catalogue.ts';
import { SPACES } from '../space/spaces/index.ts';
import { STRATEGIES } from '../strategy/index.ts';
import { ESTIMATORS } from '../study/spec.ts';
import { define, outputOf, type Shell } from './command.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
type ShellName = (typeof SHELLS)[number];

/** Values of flags and arguments that a person may also give as something else, such as a file. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '--data': Object.keys(DATASETS),
  '--space': Object.keys(SPACES),
  '--strategy': Object.keys(STRATEGIES),
  '--estimator': ESTIMATORS,
};
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'samples space': Object.keys(SPACES),
  'strategies name': Object.keys(STRATEGIES),
  'data get name': Object.keys(DATASETS),
};

/** A command as a shell completes it. */
interface Completed {
  /** `search`, `data get`; '' is the program itself. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly { readonly name: string; readonly summary: string; readonly choices: readonly string[] }[];
  /** Commands and arguments that come next. */
  readonly words: readonly string[];
}

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
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .action((name: ShellName, _options: unknown, command: Command) => {
      const script = SCRIPTS[name](completedOf(program, ''));
      outputOf(command, shell).result({ shell: name, script }, script);
    });
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
      : [{ name: long, summary: plain(description), choices: argChoices.length > 0 ? argChoices : words }];
  });
  const words = [
    ...below.map((one) => one.name()),
    ...command.registeredArguments.flatMap(
      (argument) => argument.argChoices ?? ARGUMENTS[`${path} ${argument.name()}`] ?? [],
    ),
  ];
  return [
    { path, summary: plain(command.description()), flags, words },
    ...below.flatMap((one) => completedOf(one, path === '' ? one.name() : `${path} ${one.name()}`)),
  ];
}

/** Without anything that a quoted word of one of the shells could read as its own. */
function plain(text: string): string {
  return text
    .replaceAll(/[`'"$\\[\]:{}<>\n]/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();
}

const SCRIPTS: Readonly<Record<ShellName, (commands: readonly Completed[]) => string>> = {
  bash: (commands) => `# netsmith completion for bash
${posixTable(commands)}
_netsmith() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command='' next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${command:+$command }\${COMP_WORDS[i]}"
    if _netsmith_flags "$next" > /dev/null; then command="$next"; else break; fi
  done
  local words
  words="$(_netsmith_choices "$command" "$prev")"
  if [[ -z "$words" && "$cur" == -* ]]; then words="$(_netsmith_flags "$command")"; fi
  if [[ -z "$words" && "$cur" != -* ]]; then words="$(_netsmith_words "$command")"; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _netsmith netsmith
`,
  zsh: (commands) => `#compdef netsmith
# netsmith completion for zsh
${posixTable(commands)}
_netsmith() {
  local command='' next choices
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    next="\${command:+$command }\${words[i]}"
    if _netsmith_flags "$next" > /dev/null; then command="$next"; else break; fi
  done
  choices="$(_netsmith_choices "$command" "\${words[CURRENT-1]}")"
  if [[ -z "$choices" && "\${words[CURRENT]}" == -* ]]; then choices="$(_netsmith_flags "$command")"; fi
  if [[ -z "$choices" && "\${words[CURRENT]}" != -* ]]; then choices="$(_netsmith_words "$command")"; fi
  if [[ -n "$choices" ]]; then compadd -- \${=choices}; else _files; fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _netsmith "$@"; else (( $+functions[compdef] )) && compdef _netsmith netsmith; fi
`,
  fish: (commands) => `# netsmith completion for fish
function __netsmith_command
  set -l known ${commands.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join(' ')}
  set -l command ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$command $word")
    if contains -- $next $known
      set command $next
    else
      break
    end
  end
  test "$command" = "$argv[1]"
end
${commands.flatMap((command) => fishLines(command, commands)).join('\n')}
`,
  powershell: (commands) => `# netsmith completion for PowerShell
Register-ArgumentCompleter -Native -CommandName netsmith -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $flags = @{
${commands.map(({ path, flags }) => `    '${path}' = @(${flags.map(({ name }) => `'${name}'`).join(', ')})`).join('\n')}
  }
  $words = @{
${commands.map(({ path, words }) => `    '${path}' = @(${words.map((word) => `'${word}'`).join(', ')})`).join('\n')}
  }
  $choices = @{
${choicesOf(commands)
  .map(({ path, name, choices }) => `    '${path} ${name}' = @(${choices.map((word) => `'${word}'`).join(', ')})`)
  .join('\n')}
  }
  $command = ''
  $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
  foreach ($word in ($before | Select-Object -Skip 1)) {
    $next = "$command $word".Trim()
    if ($flags.ContainsKey($next)) { $command = $next } else { break }
  }
  $found = $choices["$command $($before[-1])"]
  if (-not $found) { $found = if ($wordToComplete.StartsWith('-')) { $flags[$command] } else { $words[$command] } }
  $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`,
};

function choicesOf(commands: readonly Completed[]) {
  return commands.flatMap(({ path, flags }) =>
    flags.flatMap(({ name, choices }) => (choices.length === 0 ? [] : [{ path, name, choices }])),
  );
}

/** Functions that print the words after a command, its flags, and the values of a flag. They fail where there is none. */
function posixTable(commands: readonly Completed[]): string {
  const cases = (name: string, value: string, rows: readonly (readonly [key: string, words: readonly string[]])[]) =>
    [
      `${name}() {`,
      `  case "${value}" in`,
      ...rows.map(([key, words]) => `    '${key}') echo '${words.join(' ')}' ;;`),
      '    *) return 1 ;;',
      '  esac',
      '}',
    ].join('\n');
  return [
    cases(
      '_netsmith_words',
      '$1',
      commands.map(({ path, words }) => [path, words]),
    ),
    cases(
      '_netsmith_flags',
      '$1',
      commands.map(({ path, flags }) => [path, flags.map(({ name }) => name)]),
    ),
    cases(
      '_netsmith_choices',
      '$1 $2',
      choicesOf(commands).map(({ path, name, choices }) => [`${path} ${name}`, choices]),
    ),
  ].join('\n');
}

function fishLines({ path, flags, words }: Completed, all: readonly Completed[]): string[] {
  const when = `complete -c netsmith -n "__netsmith_command '${path}'"`;
  const summaryOf = (word: string) =>
    all.find((one) => one.path === (path === '' ? word : `${path} ${word}`))?.summary ?? '';
  return [
    ...words.map((word) => `${when} -f -a '${word}' -d '${summaryOf(word)}'`),
    ...flags.map(({ name, summary, choices }) => {
      const values = choices.length === 0 ? '' : ` -x -a '${choices.join(' ')}'`;
      return `${when} -l ${name.slice(2)}${values} -d '${summary}'`;
    }),
  ];
}
