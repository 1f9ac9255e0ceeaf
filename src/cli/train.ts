import type { Command } from 'commander';
import { architectureFrom, foundIn } from '../app/given-architecture.ts';
import { checkOut } from '../app/model-file.ts';
import { ownFilesOf } from '../app/own-files.ts';
import { type Setup, setUp, treeOf } from '../app/setup.ts';
import { loadSpace } from '../app/space-file.ts';
import { trainOne } from '../app/train-one.ts';
import type { TrainedOne, TrainOneOptions } from '../app/trained-one.ts';
import { costsOf } from '../measure/index.ts';
import { showCount, showMetric, showSeconds } from '../report/numbers.ts';
import { type Architecture, checkArchitecture, formatArchitecture } from '../space/index.ts';
import { parseDuration } from '../study/quantities.ts';
import { type SettingName, TRAINING_NAMES } from '../study/spec.ts';
import { interruptible } from '../terminal/interrupt.ts';
import type { Output } from '../terminal/output.ts';
import { createTrainingsView, type TrainingsView } from '../terminal/trainings.ts';
import { define, outputOf, type Shell } from './command.ts';
import { parityText } from './export.ts';
import { addSettings, configOption, DATA, givenSettings, readSettings } from './flags.ts';

/** The settings of one training run; the rest of a study's are about the search. */
const SETTINGS: readonly SettingName[] = [
  ...(['environment', 'trainer', 'trainerOptions', 'envSteps', 'episodes', 'recurrent'] as const),
  ...([
    'data',
    'dataDir',
    'validData',
    'testData',
    'label',
    'regression',
    'imageSize',
    'imageChannels',
    'exclude',
  ] as const),
  ...(['task', 'text', 'tokens', 'vocabulary', 'textLength'] as const),
  ...(['validShare', 'trainSamples', 'space', 'spaceOptions', ...TRAINING_NAMES, 'loss', 'metric'] as const),
  'initFrom',
  ...(['seed', 'threads', 'device', 'memory', 'layout'] as const),
];

interface TrainOptions {
  readonly arch?: string;
  readonly test: boolean;
  readonly out?: string;
}

/** `netsmith train`: { architecture, text, params, flops, searched?: { params, flops }, epochs: [{ epoch, loss, valid, seconds, spent }], test?, model?: { file, about, parity, samples } } */
export function addTrain(program: Command, shell: Shell): void {
  const command = define(program, 'train', 'Train one given architecture', [
    'netsmith train --space small-cnn --epochs 20 --arch "depth1=1, depth2=1, ..." --test',
    'netsmith train --space resnet --space-options depth=8 --epochs 5',
    'netsmith train --space resnet --space-options depth=8 --time 2m --test',
    'netsmith train --space darts --space-options cells=20,channels=36,auxiliary=0.4,dropPath=0.2 --arch DARTS_V2',
    'netsmith train --environment cart-pole --arch "value=shared, depth=1, layer/0/width=32, activation=tanh" --test',
    'netsmith train --arch runs/digits-darts-1 --space-options cells=20,channels=36 --test --out large.onnx',
  ])
    .option(
      '--arch <text|dir>',
      "architecture, in the space's notation or as JSON, or a study whose best is taken, with the study's space (not needed if the space has only one)",
    )
    .option('--test', 'evaluate on the test split at the end', false)
    .option('--out <file>', 'write the trained network to this ONNX file, after verifying its outputs')
    .option('--time <duration>', 'time of the whole command: trains as many epochs as fit, --epochs at most if set')
    .addOption(configOption());
  addSettings(command.argument(...DATA), SETTINGS).action(
    async (_: string | undefined, options: TrainOptions, command: Command) => {
      const output = outputOf(command, shell);
      const { out } = options;
      if (out !== undefined) checkOut(out);
      let isCapped = false;
      const found = await foundIn(options.arch);
      const given = await readSettings(command, ({ epochs }) => {
        isCapped = epochs !== undefined;
        return found ? { space: found.space } : {};
      });
      const read = { ...given, spaceOptions: { ...found?.spaceOptions, ...given.spaceOptions } };
      // The time in a configuration file is that of a search.
      const seconds = givenSettings(command).time === undefined ? undefined : parseDuration(read.time ?? '');
      const time = seconds === undefined ? undefined : { seconds, elapsed: shell.elapsed, isCapped };
      const setup = await setUp(read, await loadSpace(read.space), false, ownFilesOf(read));
      const space = treeOf(setup);
      const architecture = found ? checkArchitecture(space, found.architecture) : architectureFrom(space, options.arch);
      const { params = 0, flops = 0 } = costsOf(space, architecture);
      for (const note of setup.dataset.search.info.notes) output.note(note);
      output.note(
        `${formatArchitecture(space, architecture) || space.name}: ${showCount(params)} parameters, ${showCount(flops)} FLOPs`,
      );
      const before = found && { params: found.costs.params ?? 0, flops: found.costs.flops ?? 0 };
      const searched = before?.params === params && before.flops === flops ? undefined : before;
      if (searched)
        output.note(`as searched: ${showCount(searched.params)} parameters, ${showCount(searched.flops)} FLOPs`);
      const ended = await interruptible(
        () => output.note('Interrupted.'),
        (signal) =>
          trainInView(
            setup,
            architecture,
            { test: options.test, ...(out !== undefined && { out }), ...(time && { time }), signal },
            output,
          ),
      );
      const { epochs, test, model } = ended;
      const text = formatArchitecture(space, architecture);
      output.result(
        {
          architecture,
          text,
          params,
          flops,
          ...(searched && { searched }),
          epochs: epochs.map(({ spent, ...epoch }) => ({ ...epoch, ...(spent && { spent: { ...spent } }) })),
          ...(test !== undefined && { test }),
          ...(model && { model }),
        },
        [
          ...(model ? [`${model.file} (${parityText(model)})`] : []),
          test === undefined
            ? `valid: ${showMetrics(epochs.at(-1)?.valid ?? {}) || 'none'}`
            : `test: ${showMetrics(test)}`,
        ].join('\n'),
      );
    },
  );
}

/** `trainOne`, with a view of the training. */
export async function trainInView(
  setup: Setup,
  architecture: Architecture,
  options: TrainOneOptions,
  output: Output,
): Promise<TrainedOne> {
  let view: TrainingsView | undefined;
  try {
    return await trainOne(setup, architecture, options, output, {
      onProgress(epoch, epochs) {
        view ??= createTrainingsView(`training ${setup.space.name} on ${setup.dataset.search.info.name}`, 1, output);
        view.onProgress('training', epoch, epochs);
      },
      onEpoch({ epoch, loss, valid, seconds }) {
        const measured = showMetrics(valid) || 'no validation samples';
        view?.say(`epoch ${epoch}: training loss ${loss.toFixed(4)}, ${measured} (${showSeconds(seconds)})`);
      },
      onTrained() {
        view?.close();
        view = undefined;
      },
    });
  } finally {
    view?.close();
  }
}

/** `accuracy 97.20 %, loss 0.1`; the first few. */
export function showMetrics(metrics: Readonly<Record<string, number>>): string {
  const shown = ['accuracy', 'r2', 'mse', 'return', 'success', 'loss'].filter((name) => metrics[name] !== undefined);
  return shown.map((name) => `${name} ${showMetric(name, metrics[name])}`).join(', ');
}
