import { type Command, Option } from 'commander';
import { profileSpace } from '../app/device/profile.ts';
import { profileText } from '../app/device/profile-result.ts';
import { type GivenTask, taskFrom } from '../app/given-task.ts';
import { spaceFor } from '../app/setup.ts';
import { loadSpace } from '../app/space-file.ts';
import { invalid } from '../common/errors.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { latencySettings } from '../study/latency.ts';
import { checkSettings, flagOf } from '../study/spec.ts';
import { checkFile } from '../study/store/files.node.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettings, givenSettings } from './flags.ts';

interface ProfileOptions extends GivenTask {
  readonly out: string;
  readonly blocks: number;
  readonly calibrate: number;
  readonly check: number;
}

/** What is counted, with the least and the most of it. */
const COUNTS = { blocks: [1, 1_000_000], calibrate: [0, 10_000], check: [0, 10_000] } as const;

/**
 * `netsmith profile`: { file, device, blocks, found, complete, noise, calibrated, check?: { networks, tau, flopsTau, medianError, error90, fastest, slowest,
 * known } }
 */
export function addProfile(program: Command, shell: Shell): void {
  const command = define(
    program,
    'profile',
    'Measure the latencies of the blocks of a space on a device, once, so that searches look them up (--latency-table)',
    [
      'netsmith profile --space mobilenet --input 3,64,64 --outputs 10 --device-target node --out mobilenet-node.json',
      'netsmith profile --space residual-cnn --device-target command --device-command "ssh board ./time.sh {model}" --out board.json',
      'netsmith search photos --image-size 64 --space mobilenet --max-latency 5ms --latency-table mobilenet-node.json',
    ],
  );
  addSettings(command, ['space', 'spaceOptions', 'seed'])
    .option('--input <shape>', 'input shape, as channels,height,width or as a number of features (default: 3,32,32)')
    .addOption(new Option('--outputs <n>', 'number of classes or targets (default: 10)').argParser(numberIfItIsOne))
    .option('--regression', 'the task is a regression', false)
    .requiredOption('--out <file>', 'the table, a .json file; if it is there, what it lacks is measured')
    .option(
      '--blocks <n>',
      'time at most this many blocks; of a larger space, others are predicted',
      numberIfItIsOne,
      1500,
    )
    .option('--calibrate <n>', 'whole networks that the sums of blocks are corrected by', numberIfItIsOne, 100)
    .option('--check <n>', 'other networks that the table is checked by', numberIfItIsOne, 50);
  addSettings(command, ['deviceTarget', 'deviceCommand', 'deviceThreads', 'deviceBatch', 'deviceTimeout']).action(
    async (options: ProfileOptions, command: Command) => {
      const output = outputOf(command, shell);
      const { out, blocks, calibrate, check } = options;
      if (!out.endsWith('.json')) throw invalid('--out', `"${out}"`, 'must end in .json');
      checkFile(out, '--out');
      for (const [name, [least, most]] of Object.entries(COUNTS)) {
        const value = { blocks, calibrate, check }[name];
        if (!isWhole(value, least, most))
          throw invalid(`--${name}`, `${value}`, `must be a whole number from ${least} to ${most}`);
      }
      const settings = checkSettings({ deviceTarget: 'node', ...givenSettings(command) }, flagOf);
      const space = spaceFor(await loadSpace(settings.space), taskFrom(options), settings);
      const latency = latencySettings(settings);
      if (latency === undefined) throw new Error('a profile takes latencies');
      output.note(`Timing on ${latency.target}; measurements are kept in ${out}.`);
      let told = '';
      const onProgress = (done: number, all: number, what: string) => {
        const text = `${Math.floor((10 * done) / all) * 10} % of ${all} ${what} timed`;
        if (text !== told) output.note(text);
        told = text;
      };
      const profile = await interruptible(
        () => output.note(`Interrupted. The measurements are in ${out}; the same command continues.`),
        (signal) =>
          profileSpace({
            space,
            settings: latency,
            out,
            blocks,
            calibrate,
            check,
            seed: settings.seed,
            signal,
            onProgress,
          }),
      );
      const { table, found, complete, noise, check: checked } = profile;
      const calibrated = table.networks.filter(({ purpose }) => purpose === 'calibration').length;
      output.result(
        {
          ...{
            file: out,
            device: table.device,
            blocks: Object.keys(table.blocks).length,
            found,
            complete,
            noise,
            calibrated,
          },
          ...(checked && { check: { ...checked } }),
        },
        profileText(out, profile),
      );
    },
  );
}
