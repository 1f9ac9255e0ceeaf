import type { Command } from 'commander';
import { writeReport } from '../app/report.ts';
import { OPEN, openFile } from '../terminal/open.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith report DIR`: { file } */
export function addReport(program: Command, shell: Shell): void {
  define(program, 'report <dir>', 'Write an HTML report of a study (one self-contained file)', [
    'netsmith report runs/digits-residual-cnn-1',
    'netsmith report runs/digits-residual-cnn-1 --out report.html --open',
  ])
    .option('--out <file>', 'output file (default: report.html in the study folder)')
    .option(...OPEN)
    .action(async (dir: string, options: { readonly out?: string; readonly open: boolean }, command: Command) => {
      const output = outputOf(command, shell);
      const file = await writeReport(dir, options.out);
      output.result({ file }, file);
      if (options.open) await openFile(file, output);
    });
}
