/** The command line of a benchmark. */
import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * The values of these flags, as `parseArgs` gives them (`--no-NAME`: false). `--help` prints the comment at the head of the script and ends it; a flag that
 * it does not have ends it with exit code 2.
 */
export function parseFlags<const T extends Options>(options: T) {
  answerHelp();
  try {
    return parseArgs<{ options: T; allowNegative: true }>({ options, allowNegative: true }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error} (--help says what there is)\n`);
    process.exit(2);
  }
}

/** `--help` prints the comment at the head of the script, and ends it. */
export function answerHelp(): void {
  if (!process.argv.includes('--help')) return;
  process.stdout.write(`${headOf(process.argv[1] ?? '')}\n`);
  process.exit(0);
}

/** The first block comment of a file, without its stars. */
function headOf(file: string): string {
  const [, text = ''] = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8')) ?? [];
  return text.replace(/^ *\* ?/gm, '').trim();
}
