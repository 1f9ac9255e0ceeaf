import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { invalid } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import { networkCosts } from '../network/costs.ts';
import { modelCard } from '../report/export/model-card.ts';
import { exportOnnx } from '../report/export/onnx.ts';
import { checkParity } from '../report/export/parity.ts';
import { sealModel } from '../report/export/seal.node.ts';
import { formatArchitecture, resolve, resolveHyperparameters } from '../space/index.ts';
import { checkWritable, writeInStudy, writeWhole } from '../study/store/files.node.ts';
import type { EpochRecord } from '../train/checkpoint.ts';
import { openPrograms } from '../train/programs.ts';
import { withHyperparameters } from '../train/settings.ts';
import { define, outputOf, type Shell } from './command.ts';
import { openEngine } from './engine.ts';
import { type Chosen, chosen, validMetrics } from './evaluate.ts';
import { checkKeeps, type EvaluationRecord, readEvaluation, readWeights, retrain, writeWeights } from './evaluation.ts';
import { addSettings, givenSettings, numberIfItIsOne } from './flags.ts';
import { interruptible } from './interrupt.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import type { Output } from './output.ts';
import { checkRunSettings, type Setup } from './setup.ts';
import { readStudy, setUpAgain } from './study.ts';
import { createTrainingsView } from './trainings.ts';
import { netsmithVersion } from './versions.ts';

/** `netsmith export DIR`: { file, parity, samples, card? } */
export function addExport(program: Command, shell: Shell): void {
  const command = define(
    program,
    'export <dir>',
    'Write the best network as ONNX, trained on train + valid; checked against the training engine first',
    ['netsmith export runs/digits-small-cnn-1', 'netsmith export runs/digits-small-cnn-1 --out model.onnx --epochs 50'],
  )
    .option('--out <file>', 'the file to write (default: best/model.onnx in the study)')
    .addOption(new Option('--trial <n>', 'this trial instead of the best').argParser(numberIfItIsOne));
  addSettings(command, ['dataDir', 'epochs', 'threads', 'device', 'memory', 'layout']).action(
    async (dir: string, options: { readonly out?: string; readonly trial?: number }, command: Command) => {
      const output = outputOf(command, shell);
      const study = await readStudy(dir);
      const settings = checkRunSettings(study.settings, givenSettings(command));
      const best = chosen(study, dir, options.trial);
      if (options.out !== undefined && !existsSync(dirname(options.out))) {
        throw invalid('--out', `"${options.out}"`, 'its folder must exist');
      }
      const setup = await setUpAgain(study, dir, settings);
      if (setup.estimator.kind === 'table')
        throw invalid(`study "${dir}"`, `is of the table ${settings.benchmark}`, 'which holds no network to export');
      const result = await interruptible(
        () => output.note('Interrupted; no model was written.'),
        (signal) => exportBest(dir, setup, best, options.out, output, signal),
      );
      output.result(result, `${result.file} (differs from the training engine by ${result.parity.toExponential(1)})`);
    },
  );
}

/**
 * Exports the chosen architecture with the weights that `evaluate` left, or trains it on train + valid if there are none.
 * The parity with the training engine, on validation samples, is checked before anything is written; that it can be written,
 * before anything is trained.
 */
export async function exportBest(
  dir: string,
  setup: Setup,
  best: Chosen,
  out: string | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<{ readonly file: string; readonly parity: number; readonly samples: number; readonly card?: string }> {
  const { settings, dataset, space, training } = setup;
  const { info, valid } = dataset.search;
  const { architecture } = best.trial;
  let weights = readWeights(dir, architecture, settings.epochs);
  if (out === undefined || weights === undefined) checkKeeps(dir);
  if (out !== undefined) checkWritable(dirname(out));
  const engine = await openEngine(settings, 1);
  const network = resolve(space, architecture);
  if (weights === undefined) {
    output.note(`Training it on train + valid for ${settings.epochs} epochs (no evaluation has left its weights).`);
    const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryOfProcess(settings, 1)) });
    const view = createTrainingsView('final training on train + valid', 1, output);
    const { epochs } = settings;
    const onEpoch = ({ epoch, loss }: EpochRecord) =>
      view.onProgress(`trial ${best.trial.trial}`, epoch, epochs, `loss ${loss.toFixed(4)}`);
    const run = { engine, programs, dataset, training, seed: settings.seed, repetition: 0, signal, onEpoch };
    try {
      weights = (await retrain({ space, architecture }, run)).weights;
    } finally {
      view.close();
    }
    writeWeights(dir, architecture, settings.epochs, weights);
  }
  const text = formatArchitecture(space, architecture);
  const evaluated = evaluationOf(dir, setup, best);
  const version = netsmithVersion();
  const trained = withHyperparameters(training, resolveHyperparameters(space, architecture));
  const about = { ...trained, trainedOn: 'train + valid', metrics: evaluated?.metrics ?? [] };
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
  if (out !== undefined) return { file, parity, samples };
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
      training: `Trained on train + valid for ${settings.epochs} epochs, seed ${settings.seed}.`,
      version,
      ...(evaluated !== undefined && { test: evaluated.metrics }),
    }),
  );
  return { file, parity, samples, card };
}

/** The evaluation of this very architecture and length of training, if there is one. */
function evaluationOf(dir: string, { settings }: Setup, { trial }: Chosen): EvaluationRecord | undefined {
  const record = readEvaluation(dir);
  return record?.trial === trial.trial && record.epochs === settings.epochs ? record : undefined;
}
