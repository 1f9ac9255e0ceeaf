import type { Command } from 'commander';
import { openEngine } from '../app/engine.ts';
import { memoryOfProcess, memoryOfPrograms } from '../app/memory.node.ts';
import { forecastTraining } from '../app/preflight.ts';
import { setUp } from '../app/setup.ts';
import { rng } from '../common/random.ts';
import { costsOf } from '../measure/index.ts';
import { showCount, showMetric, showSeconds } from '../report/numbers.ts';
import { formatArchitecture, resolve, resolveHyperparameters } from '../space/index.ts';
import { type SettingName, TRAINING_NAMES } from '../study/spec.ts';
import { type Training, trainNetwork } from '../train/loop.ts';
import { openPrograms } from '../train/programs.ts';
import { withHyperparameters } from '../train/settings.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettings, readSettings } from './flags.ts';
import { interruptible } from './interrupt.ts';
import { architectureFrom } from './show.ts';
import { loadSpace } from './space-file.ts';
import { createTrainingsView } from './trainings.ts';

/** The settings of one training run; the rest of a study's are about the search. */
const SETTINGS: readonly SettingName[] = [
  'data',
  'dataDir',
  'label',
  'regression',
  'imageSize',
  'imageChannels',
  'exclude',
  'validShare',
  'trainSamples',
  'space',
  'spaceOptions',
  ...TRAINING_NAMES,
  'seed',
  'threads',
  'device',
  'memory',
  'layout',
];

/** `netsmith train`: { architecture, text, params, flops, epochs: [{ epoch, loss, valid, seconds, spent }], test? } */
export function addTrain(program: Command, shell: Shell): void {
  const command = define(program, 'train', 'Train one given architecture', [
    'netsmith train --space small-cnn --epochs 20 --arch "depth1=1, depth2=1, ..." --test',
    'netsmith train --space resnet --space-options depth=8 --epochs 5',
  ])
    .option('--arch <text>', "architecture, in the space's notation or as JSON (not needed if the space has only one)")
    .option('--test', 'evaluate on the test split at the end', false)
    .option('--config <file>', 'file with settings (default: netsmith.config.ts, .js or .json, if it exists)');
  addSettings(command, SETTINGS).action(
    async (options: { readonly arch?: string; readonly test: boolean }, command: Command) => {
      const output = outputOf(command, shell);
      const read = await readSettings(command);
      const { settings, dataset, space, training } = await setUp(read, await loadSpace(read.space));
      const architecture = architectureFrom(space, options.arch);
      const network = resolve(space, architecture);
      const { info, train, valid } = dataset.search;
      const { params = 0, flops = 0 } = costsOf(space, architecture);
      for (const note of info.notes) output.note(note);
      output.note(
        `${formatArchitecture(space, architecture) || space.name}: ${showCount(params)} parameters, ${showCount(flops)} FLOPs`,
      );
      const engine = await openEngine(settings, 1);
      const ended = await interruptible(
        () => output.note('Interrupted.'),
        async (signal) => {
          const request = {
            engine,
            programs: openPrograms(engine, { memory: memoryOfPrograms(memoryOfProcess(settings, 1)) }),
            network,
            info,
            train,
            ...(valid.count > 0 && { valid }),
            settings: withHyperparameters(training, resolveHyperparameters(space, architecture)),
            rng: (...labels: readonly (string | number)[]) => rng(settings.seed, 'train', ...labels),
            signal,
          };
          await forecastTraining(request, settings, output);
          const { epochs, batchSize } = request.settings;
          const steps = Math.max(1, Math.floor(train.count / batchSize));
          const view = createTrainingsView(`training ${space.name} on ${info.name}`, 1, output);
          let trained: Training;
          try {
            view.onProgress('training', 0, epochs);
            trained = await trainNetwork({
              ...request,
              onStep: (epoch, step) => view.onProgress('training', epoch - 1 + Math.min(1, step / steps), epochs),
              onEpoch: ({ epoch, loss, valid, seconds }) => {
                view.onProgress('training', epoch, epochs);
                const measured = showMetrics(valid) || 'no validation samples';
                view.say(`epoch ${epoch}: training loss ${loss.toFixed(4)}, ${measured} (${showSeconds(seconds)})`);
              },
            });
          } finally {
            view.close();
          }
          try {
            const test = options.test ? (await trained.measure(await dataset.openTest())).metrics : undefined;
            return { epochs: trained.history, test };
          } finally {
            await trained.dispose();
          }
        },
      );
      const { epochs, test } = ended;
      const text = formatArchitecture(space, architecture);
      output.result(
        {
          architecture,
          text,
          params,
          flops,
          epochs: epochs.map(({ spent, ...epoch }) => ({ ...epoch, ...(spent && { spent: { ...spent } }) })),
          ...(test !== undefined && { test }),
        },
        test === undefined
          ? `valid: ${showMetrics(epochs.at(-1)?.valid ?? {}) || 'none'}`
          : `test: ${showMetrics(test)}`,
      );
    },
  );
}

/** `accuracy 97.20 %, loss 0.1`; the first few, for people. */
export function showMetrics(metrics: Readonly<Record<string, number>>): string {
  const shown = ['accuracy', 'r2', 'mse', 'loss'].filter((name) => metrics[name] !== undefined);
  return shown.map((name) => `${name} ${showMetric(name, metrics[name])}`).join(', ');
}
