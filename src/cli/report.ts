import type { Command } from 'commander';
import { writeReport } from '../app/report.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith report DIR`: { file } */
export function addReport(program: Command, shell: Shell): void {
  define(program, 'report <dir>', 'Write an HTML report of a study (one self-contained file)', [
    'netsmith report runs/digits-small-cnn-1',
    'netsmith report runs/digits-small-cnn-1 --out report.html',
  ])
    .option('--out <file>', 'output file (default: report.html in the study folder)')
    .action(async (dir: string, options: { readonly out?: string }, command: Command) => {
      const file = await writeReport(dir, options.out);
      outputOf(command, shell).result({ file }, file);
    });
}
