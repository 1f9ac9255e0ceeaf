import { type Command, Option } from 'commander';
import { type GivenTask, taskFrom } from '../app/given-task.ts';
import { contestantNamed } from '../app/measure/contestants.ts';
import { COST_NAMES, measureNetworks } from '../app/measure/measure.ts';
import { measuredText, measurementToJson } from '../app/measure/measured-text.ts';
import { checkMeasure, costNamed, type MeasureOptions, targetsNamed } from '../app/measure/request.ts';
import { scored } from '../app/measure/score-model.ts';
import { spaceFor } from '../app/setup.ts';
import { loadSpace } from '../app/space-file.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { CO2_PER_KWH, PRICE_PER_KWH, WATTS } from '../device/energy.ts';
import { TARGET_NAMES } from '../device/index.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettings, givenSettings } from './flags.ts';

/** What a study has, too. */
const SETTINGS = [
  ...(['space', 'spaceOptions', 'dataDir', 'validData', 'testData', 'label', 'imageSize', 'seed'] as const),
  ...(['deviceCommand', 'deviceThreads', 'deviceBatch', 'deviceTimeout'] as const),
];

/**
 * `netsmith measure A B`: { devices: { TARGET: text }, batch, threads, watts?, pricePerKwh, co2PerKwh, cost, lambda?, networks: [{ name, kind, target,
 * untrained, params, flops?, fileBytes, value?, taken?, error?, score? }] }. The exit code is 1 where a network cannot be run.
 */
export function addMeasure(program: Command, shell: Shell): void {
  const command = define(
    program,
    'measure <networks...>',
    'Put networks side by side on a device (studies, ONNX files, architectures of a space): latency, memory, energy, accuracy',
    [
      'netsmith measure runs/digits-residual-cnn-1 runs/digits-mlp-1 --lambda 0.01',
      'netsmith measure a.onnx b.onnx --data digits --device-target node,browser',
      'netsmith measure DARTS_V2 PC_DARTS_cifar --space darts --device-batch 8 --device-threads 2',
    ],
  );
  addSettings(command, SETTINGS, { space: 'none' })
    .option('--data <name|path>', 'score exported ONNX files on the test samples of these data')
    .addOption(
      new Option('--device-target <a,b>', `where they run: ${TARGET_NAMES.join(', ')}; several with commas`)
        .argParser(targetsNamed)
        .default(['node'], 'node'),
    )
    .option('--browser <path>', 'Chromium or Chrome, where it is not at a usual place')
    .option('--watts <n>', `of a busy core, or of another device (default: counters, or ${WATTS})`, numberIfItIsOne)
    .option('--price-per-kwh <n>', 'price of electricity', numberIfItIsOne, PRICE_PER_KWH)
    .option('--co2-per-kwh <n>', 'grams of CO2 of electricity', numberIfItIsOne, CO2_PER_KWH)
    .option('--lambda <n>', 'sort by V - lambda C: the accuracy less what the cost is worth', numberIfItIsOne)
    .option(
      `--cost <${COST_NAMES.join('|')}>`,
      'the C, and what is sorted by: ms or mJ for each sample, or millions of parameters',
      costNamed,
      'latency',
    )
    .option('--input <shape>', 'of architectures: channels,height,width or a number of features (default: 3,32,32)')
    .option('--outputs <n>', 'of architectures: classes or targets (default: 10)', numberIfItIsOne)
    .option('--regression', 'the task of architectures and data is a regression', false)
    .action(async (names: readonly string[], options: MeasureOptions & GivenTask, command: Command) => {
      const output = outputOf(command, shell);
      const { settings, devices } = checkMeasure(options, givenSettings(command));
      const isSpace = command.getOptionValueSource('space') === 'cli';
      const space = isSpace ? spaceFor(await loadSpace(settings.space), taskFrom(options), settings) : undefined;
      const named = await Promise.all(names.map((name) => contestantNamed(name, space)));
      const tariff = { pricePerKwh: options.pricePerKwh, co2PerKwh: options.co2PerKwh };
      const { watts, lambda, cost } = options;
      const asked = {
        devices,
        tariff,
        cost,
        ...(watts !== undefined && { watts }),
        ...(lambda !== undefined && { lambda }),
      };
      const measurement = await interruptible(
        () => output.note('Interrupted.'),
        async (signal) => {
          const contestants = options.data === undefined ? named : await scored(named, settings, signal);
          const onStart = (name: string, target: string) => output.note(`${name} on ${target}`);
          return measureNetworks({ ...asked, contestants, signal, onStart });
        },
      );
      output.result(measurementToJson(measurement, asked), measuredText(measurement, asked));
      if (measurement.networks.some(({ error }) => error !== undefined)) shell.exitCode = 1;
    });
}
