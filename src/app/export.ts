import { join } from 'node:path';
import type { Metrics } from '../common/metrics.ts';
import type { Engine } from '../engine/engine.ts';
import { networkCosts } from '../network/costs.ts';
import { isPlainTask } from '../report/export/metadata.ts';
import { modelCard } from '../report/export/model-card.ts';
import { isNeatSpace, type NeatSpace } from '../space/genome/neat.ts';
import { formatArchitecture, resolve, resolveHyperparameters } from '../space/index.ts';
import type { Choice } from '../study/choice.ts';
import { writeInStudy } from '../study/store/files.node.ts';
import { taskOf } from '../task/index.ts';
import type { EpochRecord } from '../train/checkpoint.ts';
import { openPrograms } from '../train/programs.ts';
import { withHyperparameters } from '../train/settings.ts';
import { trainUntil } from '../train/trainable.ts';
import type { Chosen } from './choice.ts';
import type { OpenedEnvironment } from './control/environment.ts';
import { isTrained, learnedFrom, openFinalPolicy } from './control/final.ts';
import { genomeModel } from './control/model.ts';
import { openEngine } from './engine.ts';
import {
  checkKeeps,
  encodeWeights,
  readEvaluation,
  readWeights,
  type Summary,
  summarize,
  writeWeights,
} from './evaluation/evaluation.ts';
import { openFinalTraining } from './evaluation/final.ts';
import { validMetrics } from './evaluation/result.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import { aboutModel, besideModel, checkOurs, checkOut, modelOf, writeModel } from './model-file.ts';
import { type Setup, treeOf } from './setup.ts';
import { netsmithVersion } from './versions.ts';

/** `3 epochs`, `40 epochs of 6,400 samples` */
export function epochsText(epochs: number, samples = 0): string {
  const count = epochs === 1 ? '1 epoch' : `${epochs} epochs`;
  return samples === 0 ? count : `${count} of ${samples.toLocaleString('en-US')} samples`;
}

/** `on train + validation data for 10 epochs` */
function trainingText(setup: Setup, epochs: number, ofTrial = false): string {
  const { control } = setup;
  if (control?.training !== undefined)
    return `by ${control.training.trainer} for ${learnedFrom(setup)}, in the environment ${control.environment.name}`;
  const data = ofTrial ? 'training data, as a trial of the search,' : 'train + validation data';
  return `on ${data} for ${epochsText(epochs, setup.training.epochSamples)}`;
}

/** Progress of the training that an export needs when no weights were kept. */
export interface ExportEvents {
  /** Before it: the epochs of the weights that are kept and are not wanted, if there are any, and its own. */
  onTraining?(others: number | undefined, epochs: number): void;
  onEpoch?(record: EpochRecord): void;
}

/** What is to be exported. */
export interface ExportWanted {
  /** Default: `best/model.onnx` in the study. */
  readonly out?: string;
  /** The weights must be those of a final training of `setup.training.epochs`. */
  readonly mustTrain?: boolean;
  /** Weights that a search trial left (`keepWeightsOf`) will do. */
  readonly ofTrial?: boolean;
}

/** What was exported, from which training. */
export interface Exported {
  readonly file: string;
  /** The JSON file beside it that says how to feed the model and read its answer. */
  readonly about: string;
  /** The largest difference to the training engine over the largest output, on this many samples. */
  readonly parity: number;
  readonly samples: number;
  readonly card?: string;
  readonly trial: number;
  readonly choice: Choice;
  readonly epochs: number;
  /** The repetition of the training whose weights the file has. */
  readonly seed: number;
  /** The weights are those of the search trial: there has been no final training yet. */
  readonly ofTrial?: true;
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
  wanted: ExportWanted,
  events: ExportEvents,
  signal: AbortSignal,
): Promise<Exported> {
  let engine: Promise<Engine> | undefined;
  const open = () => {
    engine ??= openEngine(setup.settings, 1);
    return engine;
  };
  try {
    const { control, space } = setup;
    return control !== undefined && isNeatSpace(space)
      ? await exportPlayed(open, dir, setup, control, space, best, wanted)
      : await exportOn(open, dir, setup, best, wanted, events, signal);
  } finally {
    await (await engine?.catch(() => undefined))?.dispose();
  }
}

/** Exports a genome. It contains its weights, so no training is needed. */
async function exportPlayed(
  open: () => Promise<Engine>,
  dir: string,
  setup: Setup,
  control: OpenedEnvironment,
  space: NeatSpace,
  { trial: { architecture, trial, costs }, metrics: valid, choice }: Chosen,
  { out }: ExportWanted,
): Promise<Exported> {
  const file = out ?? join(dir, 'best', 'model.onnx');
  const beside = besideModel(file);
  if (out === undefined) {
    checkKeeps(dir);
    checkOurs(beside);
  } else checkOut(out);
  const record = readEvaluation(dir);
  const tested = record?.trial === trial ? record.metrics : undefined;
  const training = { strategy: setup.settings.strategy, trial, metrics: { ...valid } };
  const { model, parity, samples } = await genomeModel(await open(), control, space, architecture, training);
  const exported: Exported = {
    ...{ file, about: beside, parity, samples, trial, choice, epochs: 0, seed: 0 },
    ...(tested?.[0] !== undefined && { test: tested[0], tested: summarize(tested) }),
  };
  const { metadata, text } = aboutModel(file, model);
  if (out !== undefined) {
    writeModel(out, model);
    return exported;
  }
  writeInStudy(dir, ['best', 'model.onnx'], model);
  writeInStudy(dir, ['best', 'model.json'], text);
  const { info, task } = setup.dataset.search;
  const { params = 0 } = costs;
  const card = modelCard({
    file: 'model.onnx',
    info,
    own: { task: taskOf(info, task), tensors: metadata.tensors },
    space: space.name,
    architecture: space.format(architecture),
    // One product for each connection.
    costs: { params, flops: params, activationBytes: 0 },
    size: model.length,
    parity: { parity, samples },
    validation: valid,
    training: `Found by ${setup.settings.strategy} in the environment ${control.environment.name}; its weights are part of the genome.`,
    version: netsmithVersion(),
    ...(tested?.[0] !== undefined && { testOfFile: tested[0], test: tested }),
  });
  writeInStudy(dir, ['best', 'MODEL_CARD.md'], card);
  return { ...exported, card: join(dir, 'best', 'MODEL_CARD.md') };
}

async function exportOn(
  open: () => Promise<Engine>,
  dir: string,
  setup: Setup,
  best: Chosen,
  { out, mustTrain = false, ofTrial = false }: ExportWanted,
  events: ExportEvents,
  signal: AbortSignal,
): Promise<Exported> {
  const { settings, dataset, training, control } = setup;
  const space = treeOf(setup);
  const { info, valid, task } = dataset.search;
  const { architecture, trial } = best.trial;
  const left = readWeights(dir, architecture);
  const isFinal = left !== undefined && (left.ofTrial === undefined || ofTrial);
  const fits = isFinal && (!mustTrain || left.epochs === training.epochs);
  if (out === undefined || !fits) checkKeeps(dir);
  const file = out ?? join(dir, 'best', 'model.onnx');
  const beside = besideModel(file);
  if (out === undefined) checkOurs(beside);
  else checkOut(out);
  const engine = await open();
  const network = resolve(space, architecture);
  const kept = fits ? left : await trainAgain(left?.epochs);
  const { tensors: weights, epochs, seed, test } = kept;
  const trainedOn = learnedFrom(setup) ?? (kept.ofTrial ? 'train' : 'train + valid');

  async function trainAgain(others: number | undefined): Promise<NonNullable<typeof left>> {
    const { epochs } = training;
    events.onTraining?.(others, epochs);
    const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryOfProcess(settings, 1)) });
    const pretrained = setup.pretrained?.weights;
    const run = { engine, programs, dataset, training, seed: settings.seed, repetition: 0, signal, pretrained };
    const about = { architecture, epochs, seed: 0 };
    const final = isTrained(control)
      ? await openFinalPolicy(setup, control, network, { engine, programs, epochs, repetition: 0, signal })
      : await openFinalTraining({ space, architecture }, run);
    try {
      await trainUntil(final, epochs, (record) => events.onEpoch?.(record));
      const tensors = await final.weights();
      writeWeights(dir, about, encodeWeights(tensors));
      return { ...about, tensors };
    } finally {
      await final.dispose();
    }
  }

  const text = formatArchitecture(space, architecture);
  const record = readEvaluation(dir);
  const evaluated = record?.trial === trial && record.epochs === epochs ? record : undefined;
  const version = netsmithVersion();
  // A training with a time limit has laid its schedule out over the epochs that it had.
  const warmupEpochs = Math.min(training.warmupEpochs, (training.warmupEpochs * epochs) / training.epochs);
  const trained = withHyperparameters(
    { ...training, epochs, warmupEpochs },
    resolveHyperparameters(space, architecture),
  );
  // `test` is what the file has; `metrics`, one element a seed, what this architecture has.
  const how =
    control?.training === undefined
      ? trained
      : { ...control.training, epochs, options: { ...control.training.options } };
  const about = { ...how, trainedOn, seed, test: test ?? null, metrics: evaluated?.metrics ?? [] };
  const request = { engine, setup, architecture, weights, training: about, samples: valid };
  const { model, parity, samples } = await modelOf(request);
  const { metadata, text: described } = aboutModel(file, model);
  if (out === undefined) {
    writeInStudy(dir, ['best', 'model.onnx'], model);
    writeInStudy(dir, ['best', 'model.json'], described);
  } else writeModel(out, model);
  const exported: Exported = {
    file,
    about: beside,
    parity,
    samples,
    trial,
    choice: best.choice,
    epochs,
    seed,
    ...(kept.ofTrial && { ofTrial: true as const }),
    ...(test !== undefined && { test }),
    ...(evaluated !== undefined && { tested: summarize(evaluated.metrics) }),
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
      // With another loss or metric of the user's own, a known task is still one.
      ...(!isPlainTask(info.kind) && { own: { task: taskOf(info, task), tensors: metadata.tensors } }),
      space: space.name,
      architecture: text,
      costs: { params, flops, activationBytes },
      size: model.length,
      parity: { parity, samples },
      validation: validMetrics(setup, best),
      training: `Trained ${trainingText(setup, epochs, kept.ofTrial)}, study seed ${settings.seed}, training seed ${seed}.`,
      version,
      ...(test !== undefined && { testOfFile: test }),
      ...(evaluated !== undefined && { test: evaluated.metrics }),
    }),
  );
  return { ...exported, card };
}
