import type { Command } from 'commander';
import { DATASETS, type DatasetEntry } from '../data/catalog.ts';
import { downloadDataset } from '../data/download.node.ts';
import { showBytes } from '../report/numbers.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/**
 * `netsmith data`: [{ name, description, task, origin, bytes }], where origin is embedded, download or own;
 * `netsmith data get NAME`: { name, dir }
 */
export function addData(program: Command, shell: Shell): void {
  const data = define(program, 'data', 'List the datasets, or download one', [
    'netsmith data',
    'netsmith data get fashion-mnist --dir data',
  ]).action((_options: unknown, command: Command) => {
    const sets = Object.entries(DATASETS).map(([name, { description, task, origin }]: [string, DatasetEntry]) => ({
      name,
      description,
      task,
      origin: origin.kind,
      bytes: origin.kind === 'download' ? origin.files.reduce((sum, { bytes }) => sum + bytes, 0) : 0,
    }));
    const rows = sets.map(({ name, origin, bytes, description }) => [
      name,
      origin === 'download' ? `${showBytes(bytes)} to download` : origin === 'own' ? 'your own' : 'in the package',
      description,
    ]);
    outputOf(command, shell).result(sets, table(['name', 'where', 'description'], rows));
  });

  define(data, 'get <name>', 'Download the official files of a dataset, or continue an interrupted download', [
    'netsmith data get cifar-10 --dir data',
  ])
    .option('--dir <folder>', 'parent folder; the dataset gets a subfolder in it', 'data')
    .action(async (name: string, { dir }: { readonly dir: string }, command: Command) => {
      // Options that the parent has too (--json, --quiet) are parsed there.
      const output = outputOf(command, shell, command.optsWithGlobals());
      let told = 0;
      const folder = await interruptible(
        () => output.note('Interrupted. Run the command again to continue the download.'),
        (signal) =>
          downloadDataset(name, dir, {
            signal,
            onProgress: ({ file, received, total }) => {
              if (received < total && Date.now() - told < 1000) return;
              told = Date.now();
              const share = Math.floor((100 * received) / total);
              output.note(`${file}: ${showBytes(received)} of ${showBytes(total)} (${share} %)`);
            },
          }),
      );
      output.result({ name, dir: folder }, `${name} is in ${folder}; use it with --data ${name} --data-dir ${folder}`);
    });
}
