import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { type ChoiceOptions, type Chosen, chosen } from '../app/choice.ts';
import { openEngine } from '../app/engine.ts';
import {
  checkKeeps,
  readEvaluation,
  readWeights,
  retrain,
  type Summary,
  summarise,
  writeWeights,
} from '../app/evaluation/evaluation.ts';
import { memoryOfProcess, memoryOfPrograms } from '../app/memory.node.ts';
import { checkRunSettings, type Setup } from '../app/setup.ts';
import { readStudy, setUpFinal } from '../app/study.ts';
import { netsmithVersion } from '../app/versions.ts';
import { invalid } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import type { Metrics } from '../common/metrics.ts';
import { networkCosts } from '../network/costs.ts';
import { modelCard } from '../report/export/model-card.ts';
import { exportOnnx } from '../report/export/onnx.ts';
import { checkParity } from '../report/export/parity.ts';
import { sealModel } from '../report/export/seal.node.ts';
import { showDeviation, showMetric } from '../report/numbers.ts';
import { formatArchitecture, resolve, resolveHyperparameters } from '../space/index.ts';
import type { Choice } from '../study/choice.ts';
import { testedObjective } from '../study/objectives.ts';
import { checkWritable, writeInStudy, writeWhole } from '../study/store/files.node.ts';
import type { EpochRecord } from '../train/checkpoint.ts';
import { openPrograms } from '../train/programs.ts';
import { withHyperparameters } from '../train/settings.ts';
import { addChoice } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { noteChoice, seedsText, validMetrics } from './evaluate.ts';
import { addSettingsOfStudy, givenSettings } from './flags.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';
import { createTrainingsView } from './trainings.ts';

/** `netsmith export DIR`: { file, parity, samples, card?, trial, choice, epochs, seed, test?, tested? } */
export function addExport(program: Command, shell: Shell): void {
  const command = define(
    program,
    'export <dir>',
    'Write the best network as ONNX, trained on train + validation data; checked against the trained network first',
    [
      'netsmith export runs/digits-small-cnn-1',
      'netsmith export runs/digits-small-cnn-1 --out model.onnx --epochs 50',
      'netsmith export runs/accuracy-and-params --choose knee',
    ],
  ).option('--out <file>', 'the file to write (default: best/model.onnx in the study)');
  addSettingsOfStudy(addChoice(command), ['dataDir', 'epochs', 'threads', 'device', 'memory', 'layout']).action(
    async (dir: string, options: ChoiceOptions & { readonly out?: string }, command: Command) => {
      const output = outputOf(command, shell);
      const study = await readStudy(dir);
      const given = givenSettings(command);
      const settings = checkRunSettings(study.settings, given);
      const best = chosen(study, dir, options, readEvaluation(dir)?.trial);
      if (options.out !== undefined && !existsSync(dirname(options.out))) {
        throw invalid('--out', `"${options.out}"`, 'its folder must exist');
      }
      const setup = await setUpFinal(study, dir, settings);
      if (setup.estimator.kind === 'table')
        throw invalid(`study "${dir}"`, `is of the table ${settings.benchmark}`, 'which holds no network to export');
      noteChoice(study, best.choice, output);
      const wanted = { ...(options.out !== undefined && { out: options.out }), mustTrain: given.epochs !== undefined };
      const result = await interruptible(
        () => output.note('Interrupted; no model was written.'),
        (signal) => exportBest(dir, setup, best, wanted, output, signal),
      );
      output.result(result as unknown as Json, `${result.file} (${parityText(result)})\n${weightsText(setup, result)}`);
    },
  );
}

/** `verified: ...`: what the check of the file came to. */
export function parityText({ parity }: Pick<Exported, 'parity'>): string {
  return `verified: outputs match the trained network, max. relative difference ${parity.toExponential(1)}`;
}

const epochsText = (epochs: number) => (epochs === 1 ? '1 epoch' : `${epochs} epochs`);

/** Which training the weights are from, and what they come to on the test split. */
function weightsText(setup: Setup, exported: Exported): string {
  const { epochs, seed } = exported;
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
    const others = values.length > 0 ? `; the evaluation's came to test ${metric} ${all}` : '';
    return `these weights have not been tested (netsmith evaluate)${others}`;
  }
  const file = `test ${metric} ${showMetric(metric, test[metric])} (this file)`;
  return values.length > 1 ? `${file}, ${all}` : file;
}

/** What was exported, from which training. */
export interface Exported {
  readonly file: string;
  /** The largest difference to the training engine over the largest output, on this many samples. */
  readonly parity: number;
  readonly samples: number;
  readonly card?: string;
  readonly trial: number;
  readonly choice: Choice;
  readonly epochs: number;
  /** The repetition of the training whose weights the file has. */
  readonly seed: number;
  /** Metrics of these very weights on the test split; absent: they were trained for the export alone. */
  readonly test?: Metrics;
  /** The evaluation of this architecture over all its seeds, where there is one of the same number of epochs. */
  readonly tested?: Summary;
}

/**
 * Exports the chosen architecture with the weights that `evaluate` left, of however many epochs, or trains it on
 * train + valid for `setup.training.epochs`: if there are none, or if `mustTrain` and they are of other epochs. The parity
 * with the training engine, on validation samples, is checked before anything is written; that it can be written, before
 * anything is trained.
 */
export async function exportBest(
  dir: string,
  setup: Setup,
  best: Chosen,
  { out, mustTrain = false }: { readonly out?: string; readonly mustTrain?: boolean },
  output: Output,
  signal: AbortSignal,
): Promise<Exported> {
  const { settings, dataset, space, training } = setup;
  const { info, valid } = dataset.search;
  const { architecture, trial } = best.trial;
  const left = readWeights(dir, architecture);
  const fits = left !== undefined && (!mustTrain || left.epochs === training.epochs);
  if (out === undefined || !fits) checkKeeps(dir);
  if (out !== undefined) checkWritable(dirname(out));
  const engine = await openEngine(settings, 1);
  const network = resolve(space, architecture);
  const kept = fits ? left : await trainAgain(left?.epochs);
  const { tensors: weights, epochs, seed, test } = kept;

  async function trainAgain(others: number | undefined): Promise<NonNullable<typeof left>> {
    const { epochs } = training;
    const found =
      others === undefined
        ? 'No trained weights found (run `netsmith evaluate` to keep them)'
        : `The weights that are kept are of ${epochsText(others)}`;
    output.note(`${found}; training for ${epochsText(epochs)} on train + validation data.`);
    const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryOfProcess(settings, 1)) });
    const view = createTrainingsView('final training on train + valid', 1, output);
    const onEpoch = ({ epoch, loss }: EpochRecord) =>
      view.onProgress(`trial ${trial}`, epoch, epochs, `loss ${loss.toFixed(4)}`);
    const run = { engine, programs, dataset, training, seed: settings.seed, repetition: 0, signal, onEpoch };
    const about = { architecture, epochs, seed: 0 };
    try {
      const { weights: tensors } = await retrain({ space, architecture }, run);
      writeWeights(dir, about, tensors);
      return { ...about, tensors };
    } finally {
      view.close();
    }
  }

  const text = formatArchitecture(space, architecture);
  const record = readEvaluation(dir);
  const evaluated = record?.trial === trial && record.epochs === epochs ? record : undefined;
  const version = netsmithVersion();
  const trained = withHyperparameters({ ...training, epochs }, resolveHyperparameters(space, architecture));
  // `test` is what the file has; `metrics`, one element a seed, what this architecture has.
  const about = { ...trained, trainedOn: 'train + valid', seed, test: test ?? null, metrics: evaluated?.metrics ?? [] };
  const model = sealModel(
    exportOnnx({
      network,
      info,
      weights,
      about: { version, space: space.name, architecture: text, training: about as unknown as Json },
    }),
  );
  const { parity, samples } = await checkParity({ engine, network, info, weights, model, samples: valid });
  const file = out ?? join(dir, 'best', 'model.onnx');
  if (out === undefined) writeInStudy(dir, ['best', 'model.onnx'], model);
  else writeWhole(file, model);
  const exported: Exported = {
    file,
    parity,
    samples,
    trial,
    choice: best.choice,
    epochs,
    seed,
    ...(test !== undefined && { test }),
    ...(evaluated !== undefined && { tested: summarise(evaluated.metrics) }),
  };
  if (out !== undefined) return exported;
  const { params, flops, activationBytes } = networkCosts(network, space.task);
  const card = join(dir, 'best', 'MODEL_CARD.md');
  writeInStudy(
    dir,
    ['best', 'MODEL_CARD.md'],
    modelCard({
      file: 'model.onnx',
      info,
      space: space.name,
      architecture: text,
      costs: { params, flops, activationBytes },
      size: model.length,
      parity: { parity, samples },
      validation: validMetrics(setup, best),
      training: `Trained on train + valid for ${epochsText(epochs)}, study seed ${settings.seed}, training seed ${seed}.`,
      version,
      ...(test !== undefined && { testOfFile: test }),
      ...(evaluated !== undefined && { test: evaluated.metrics }),
    }),
  );
  return { ...exported, card };
}
