import { Command } from 'commander';
import { commandName } from '../app/invocation.ts';
import { createOutput, type Output, type Streams } from '../terminal/output.ts';

/** What a command is given besides its arguments. */
export interface Shell {
  readonly streams: Streams;
  /** Seconds since the command began. */
  elapsed(): number;
  /** What the process exits with when nothing is thrown; 0 unless a command sets it. */
  exitCode: number;
}

/** Adds a command with the options that all have. `examples` are shown at the end of its help. */
export function define(program: Command, usage: string, summary: string, examples: readonly string[]): Command {
  return program
    .command(usage)
    .description(summary)
    .option('--json', 'print the result as JSON on stdout', false)
    .option('--quiet', 'hide progress output', false)
    .addHelpText('after', () => {
      const name = commandName();
      const typed = examples.map((line) => `  $ ${line.replace(/^netsmith\b/, name)}`);
      return `\nExample:\n${typed.join('\n')}\n`;
    });
}

/** Output options of this command. */
export function outputOf(command: Command, shell: Shell, options: object = command.opts()): Output {
  return createOutput(shell.streams, options);
}

/** The whole program, without any command. */
export function createProgram(shell: Shell, version: string): Command {
  return new Command('netsmith')
    .description('Search for a neural network architecture, train it, and export it to ONNX.')
    .version(version, '-V, --version', 'print the version')
    .configureOutput({ writeOut: shell.streams.out, writeErr: shell.streams.err })
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride();
}
