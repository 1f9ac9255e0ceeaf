import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { type ChoiceOptions, type Chosen, chosen } from '../app/choice.ts';
import { learnedFrom } from '../app/control/final.ts';
import { readEvaluation } from '../app/evaluation/evaluation.ts';
import { seedsText } from '../app/evaluation/text.ts';
import { type ExportEvents, type Exported, type ExportWanted, epochsText, exportBest } from '../app/export.ts';
import { hint } from '../app/invocation.ts';
import { againWords, DATA_PATHS, trainingNamedAgain } from '../app/own-files.ts';
import { checkRunSettings, type Setup } from '../app/setup.ts';
import { readStudy, setUpFinal } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { showDeviation, showMetric } from '../report/numbers.ts';
import { testedObjective } from '../study/objectives.ts';
import { interruptible } from '../terminal/interrupt.ts';
import type { Output } from '../terminal/output.ts';
import { createTrainingsView, type TrainingsView } from '../terminal/trainings.ts';
import { addChoice } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { noteChoice } from './evaluate.ts';
import { addSettingsOfStudy, addTrainingFiles, givenSettings } from './flags.ts';

/** `netsmith export DIR`: { file, about, parity, samples, card?, trial, choice, epochs, seed, test?, tested? } */
export function addExport(program: Command, shell: Shell): void {
  const command = define(
    program,
    'export <dir>',
    'Export the best network, trained on train + validation data, to ONNX, and verify the file against the trained network',
    [
      'netsmith export runs/digits-residual-cnn-1',
      'netsmith export runs/digits-residual-cnn-1 --out model.onnx --epochs 50',
      'netsmith export runs/accuracy-and-params --choose knee',
    ],
  ).option('--out <file>', 'output file (default: best/model.onnx in the study folder)');
  addSettingsOfStudy(addTrainingFiles(addChoice(command)), [
    ...DATA_PATHS,
    'epochs',
    'threads',
    'device',
    'memory',
    'layout',
  ]).action(async (dir: string, options: ChoiceOptions & { readonly out?: string }, command: Command) => {
    const output = outputOf(command, shell);
    const study = await readStudy(dir);
    const given = givenSettings(command);
    const own = trainingNamedAgain(`study "${dir}"`, study.settings, given);
    const settings = checkRunSettings(study.settings, { ...given, ...own });
    const best = chosen(study, dir, options, readEvaluation(dir)?.trial);
    if (options.out !== undefined && !existsSync(dirname(options.out))) {
      throw invalid('--out', `"${options.out}"`, 'the folder of the file must exist');
    }
    const setup = await setUpFinal(study, dir, settings, own);
    if (setup.estimator.kind === 'table')
      throw invalid(
        `study "${dir}"`,
        `searched the table ${settings.benchmark}`,
        'a tabular benchmark has no network to export',
      );
    noteChoice(study, best.choice, output);
    const wanted = { ...(options.out !== undefined && { out: options.out }), mustTrain: given.epochs !== undefined };
    const result = await interruptible(
      () => output.note('Interrupted; no model was written.'),
      (signal) => exportInView(dir, setup, best, wanted, output, signal),
    );
    output.result(result, `${result.file} (${parityText(result)})\n${weightsText(setup, result)}`);
  });
}

/** `verified: ...`: the result of checking the file. */
export function parityText({ parity }: Pick<Exported, 'parity'>): string {
  return `verified: outputs match the trained network, max. relative difference ${parity.toExponential(1)}`;
}

/** Which training the weights are from, and their metrics on the test split. */
function weightsText(setup: Setup, exported: Exported): string {
  const { epochs, seed } = exported;
  if (epochs === 0) return `Weights of the genome: ${testText(setup, exported)}`;
  const trained = `Weights of seed ${seed}, ${epochsText(epochs)}`;
  return `${trained}: ${testText(setup, exported)}`;
}

/** `test accuracy 97.90 % (this file), 98.98 % ± 0.32 (mean of 3 seeds)` */
export function testText(setup: Setup, { test, tested }: Exported): string {
  const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const { mean, sd = 0, values = [] } = tested?.[metric] ?? {};
  const spread = values.length > 1 ? ` ± ${showDeviation(metric, sd)}` : '';
  const all = `${showMetric(metric, mean)}${spread} (${values.length > 1 ? 'mean of ' : ''}${seedsText(values.length)})`;
  if (test === undefined) {
    const others = values.length > 0 ? `; the evaluation reached test ${metric} ${all}` : '';
    return `not tested yet (netsmith evaluate tests the weights it keeps)${others}`;
  }
  const file = `test ${metric} ${showMetric(metric, test[metric])} (this file)`;
  return values.length > 1 ? `${file}, ${all}` : file;
}

/** `exportBest`, with a view of the training that it may need. */
export async function exportInView(
  dir: string,
  setup: Setup,
  best: Chosen,
  wanted: ExportWanted,
  output: Output,
  signal: AbortSignal,
): Promise<Exported> {
  let view: TrainingsView | undefined;
  const events: ExportEvents = {
    onTraining(others, epochs) {
      const found =
        others === undefined
          ? `No trained weights found (${hint('evaluate', dir, ...againWords(setup.settings))} stores them)`
          : `The stored weights were trained for ${epochsText(others)}`;
      const from = learnedFrom(setup);
      const what = from === undefined ? `for ${epochsText(epochs)} on train + validation data` : `on ${from}`;
      output.note(`${found}; training ${what}.`);
      view = createTrainingsView(`final training on ${from ?? 'train + validation data'}`, 1, output);
    },
    onEpoch: ({ epoch, loss }) =>
      view?.onProgress(`trial ${best.trial.trial}`, epoch, setup.training.epochs, `loss ${loss.toFixed(4)}`),
  };
  try {
    return await exportBest(dir, setup, best, wanted, events, signal);
  } finally {
    view?.close();
  }
}
