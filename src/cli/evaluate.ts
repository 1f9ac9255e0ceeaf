import { type Command, Option } from 'commander';
import { MEANS_NOTHING } from '../app/benchmarks.ts';
import { type ChoiceOptions, type Chosen, chosen } from '../app/choice.ts';
import type { EstimatorPlan } from '../app/estimators.ts';
import {
  type Contestant,
  checkKeeps,
  type EvaluationRecord,
  type Summary,
  summarise,
  writeEvaluation,
  writeWeights,
} from '../app/evaluation/evaluation.ts';
import { writePredictions } from '../app/evaluation/predictions.ts';
import { type Retrained, type RetrainJob, retrainAll } from '../app/evaluation/retraining.ts';
import { checkRunSettings, costsOf, type Setup } from '../app/setup.ts';
import { planOfSetup, type ReadStudy, readStudy, setUpFinal } from '../app/study.ts';
import { lookUpTest } from '../app/table-search.ts';
import { invalid, UserError } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import type { Metrics } from '../common/metrics.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { showCount, showMetric, showSeconds } from '../report/numbers.ts';
import { type Architecture, formatArchitecture } from '../space/index.ts';
import { BASELINES } from '../space/spaces/index.ts';
import type { Choice } from '../study/choice.ts';
import { testedObjective } from '../study/objectives.ts';
import { TrainingFailure } from '../train/failure.ts';
import { bestTable } from './best.ts';
import { addChoice, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettingsOfStudy, givenSettings } from './flags.ts';
import { interruptible } from './interrupt.ts';
import { type Output, table } from './output.ts';
import { createTrainingsView } from './trainings.ts';

/** The option of `evaluate` and `run`. */
export const NO_SAMPLES = ['--no-samples', 'keep no test samples with their predictions for the report'] as const;

export interface EvaluateOptions {
  /** Trainings from scratch, each with random streams of its own. */
  readonly seeds: number;
  readonly baselines: boolean;
  /** Whether some test samples are kept for the report. */
  readonly samples?: boolean;
}

/** `netsmith evaluate DIR`: { study, trial, choice, architecture, text, test, kept, valid, gap, baselines, ... } */
export function addEvaluate(program: Command, shell: Shell): void {
  const command = define(
    program,
    'evaluate <dir>',
    'Retrain the best architecture on train + validation data with several seeds and evaluate it on the test split',
    [
      'netsmith evaluate runs/digits-small-cnn-1 --seeds 3',
      'netsmith evaluate runs/digits-small-cnn-1 --epochs 50 --no-baselines',
      'netsmith evaluate runs/accuracy-and-params --choose knee',
    ],
  ).addOption(new Option('--seeds <n>', 'trainings, each with its own seed').argParser(numberIfItIsOne).default(3));
  addChoice(command)
    .option('--no-baselines', 'without the hand-designed baselines')
    .option(...NO_SAMPLES);
  addSettingsOfStudy(command, ['dataDir', 'epochs', 'workers', 'threads', 'device', 'memory', 'layout']).action(
    async (dir: string, options: EvaluateOptions & ChoiceOptions, command: Command) => {
      const output = outputOf(command, shell);
      checkSeeds(options);
      const study = await readStudy(dir);
      const settings = checkRunSettings(study.settings, givenSettings(command));
      const best = chosen(study, dir, options);
      const setup = await setUpFinal(study, dir, settings);
      const { estimator } = setup;
      if (estimator.kind === 'table' && command.getOptionValueSource('seeds') === 'cli')
        throw invalid('--seeds', String(options.seeds), MEANS_NOTHING);
      noteChoice(study, best.choice, output);
      const record =
        estimator.kind === 'table'
          ? await lookUpTest(dir, setup, estimator.table, best)
          : await interruptible(
              () => output.note('Interrupted; nothing was kept.'),
              (signal) => evaluate(dir, setup, best, options, output, signal),
            );
      const result = evaluationToJson(dir, setup, best, record);
      output.result(result as unknown as Json, evaluationText(setup, best, record));
    },
  );
}

export function checkSeeds({ seeds }: Pick<EvaluateOptions, 'seeds'>): void {
  if (!isWhole(seeds, 1, 1000)) throw invalid('--seeds', String(seeds), 'must be a whole number from 1 to 1,000');
}

/** Of several objectives: the front, which network of it is taken, and how to take another. */
export function noteChoice(study: ReadStudy, choice: Choice, output: Output): void {
  const text = choiceText(choice, study.problem.objectives);
  if (text !== undefined) output.note(`${bestTable(study)}\n${text}`);
}

const isTrained = ({ kind }: EstimatorPlan) => kind === 'train' || kind === 'table';

/** Metrics on the validation samples; none where the search has trained nothing. */
export function validMetrics({ estimator }: Pick<Setup, 'estimator'>, { metrics }: Chosen): Metrics {
  return isTrained(estimator) ? metrics : {};
}

/**
 * Trains the chosen architecture and the baselines, all from scratch on train + valid with the same settings and number
 * of epochs (`setup.training`), and measures them on the test part. Keeps the result and the weights of the first seed,
 * with what these came to on the test part, in `best/`, and throws, before it trains anything, where they cannot be
 * written (`writeWhole`).
 */
export async function evaluate(
  dir: string,
  setup: Setup,
  best: Chosen,
  options: EvaluateOptions,
  output: Output,
  signal: AbortSignal,
): Promise<EvaluationRecord> {
  const { epochs } = setup.training;
  const { architecture } = best.trial;
  checkKeeps(dir);
  const seeds = Array.from({ length: options.seeds }, (_, repetition) => repetition);
  const baselines = options.baselines ? baselinesFor(setup) : [];
  const entrants = [
    { architecture },
    ...baselines.map(([baseline, of]) => ({ baseline, architecture: of.architecture })),
  ];
  const results = new Map<RetrainJob, Retrained>();
  const jobs = entrants.flatMap((entrant) =>
    seeds.map((repetition): RetrainJob => {
      const sampled = options.samples === true && !('baseline' in entrant) && repetition === 0;
      return { ...entrant, repetition, epochs, ...(sampled && { sampled }) };
    }),
  );
  const nameOf = ({ baseline, repetition }: RetrainJob) =>
    `${baseline === undefined ? `trial ${best.trial.trial}` : `baseline ${baseline}`}, seed ${repetition}`;
  const view = createTrainingsView('final trainings on train + valid', jobs.length, output);
  try {
    await retrainAll(jobs, planOfSetup(setup), signal, {
      onRetry: (job, reason) => view.say(`${nameOf(job)}: ${reason}. It is trained once more.`),
      onProgress: (job, { epoch, epochs, loss }) =>
        view.onProgress(nameOf(job), epoch, epochs, loss === undefined ? undefined : `loss ${loss.toFixed(4)}`),
      onDone(job, result) {
        const name = nameOf(job);
        if (result instanceof TrainingFailure) {
          view.ended(name, `${name}: failed: ${result.message}`);
          return;
        }
        results.set(job, result);
        const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
        const value = showMetric(metric, result.metrics[metric]);
        view.ended(name, `${name}: test ${metric} ${value} (${showSeconds(result.seconds)})`);
      },
    });
  } finally {
    view.close();
  }

  const resultsOf = (name: string | undefined) =>
    jobs.filter(({ baseline }) => baseline === name).flatMap((job) => results.get(job) ?? []);
  const found = resultsOf(undefined);
  const [first] = found;
  if (first !== undefined) writeWeights(dir, { architecture, epochs, seed: 0, test: first.metrics }, first.weights);
  writePredictions(dir, best.trial.trial, epochs, first?.samples);
  const confusions = found.flatMap(({ confusion }) => (confusion === undefined ? [] : [confusion]));
  const record: EvaluationRecord = {
    trial: best.trial.trial,
    architecture,
    seeds,
    epochs,
    metrics: found.map(({ metrics }) => metrics),
    ...(confusions.length > 0 && { confusion: confusions.reduce(addMatrices) }),
    trainedOn: 'train + valid',
    baselines: baselines.flatMap(([name, { space, architecture }]) => {
      const { params = 0, flops = 0 } = costsOf(space, architecture);
      const metrics = resultsOf(name).map((result) => result.metrics);
      return metrics.length < seeds.length ? [] : [{ name, architecture, seeds, metrics, costs: { params, flops } }];
    }),
  };
  writeEvaluation(dir, record);
  return record;
}

/** The baselines that can serve this task: a ResNet needs images. */
function baselinesFor({ space: { task } }: Setup): readonly (readonly [string, Contestant])[] {
  return Object.entries(BASELINES).flatMap(([name, create]) => {
    try {
      return [[name, create(task)] as const];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

function addMatrices(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  return a.map((row, i) => row.map((count, j) => count + (b[i]?.[j] ?? 0)));
}

export interface EvaluationResult {
  readonly study: string;
  readonly trial: number;
  readonly choice: Choice;
  readonly architecture: Architecture;
  readonly text: string;
  readonly params: number;
  readonly flops: number;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly test: Summary;
  /** The seed whose weights are kept for `export`, and what they come to on the test split. Absent for a table. */
  readonly kept?: { readonly seed: number; readonly test: Metrics };
  /** Validation metrics of the search (of confirmed trials: the mean over their runs). Empty where it has trained nothing. */
  readonly valid: Metrics;
  /** What the search chose it by, where that is no training. */
  readonly estimate?: { readonly estimator: string; readonly metrics: Metrics };
  /** Validation minus mean test, for each metric that both have. */
  readonly gap: Metrics;
  readonly baselines: Readonly<
    Record<string, { readonly test: Summary; readonly params: number; readonly flops: number }>
  >;
}

export function evaluationToJson(
  study: string,
  setup: Setup,
  best: Chosen,
  record: EvaluationRecord,
): EvaluationResult {
  const test = summarise(record.metrics);
  const { space, estimator } = setup;
  const found = validMetrics(setup, best);
  const shared = Object.entries(found).filter(([name]) => test[name] !== undefined);
  const { params = 0, flops = 0 } = best.trial.costs;
  return {
    study,
    trial: record.trial,
    choice: best.choice,
    architecture: record.architecture,
    text: formatArchitecture(space, record.architecture),
    params,
    flops,
    epochs: record.epochs,
    seeds: record.seeds,
    test,
    ...(estimator.kind !== 'table' && { kept: { seed: record.seeds[0] ?? 0, test: record.metrics[0] ?? {} } }),
    valid: found,
    ...(!isTrained(estimator) && { estimate: { estimator: estimator.kind, metrics: best.metrics } }),
    gap: Object.fromEntries(shared.map(([name, valid]) => [name, valid - (test[name]?.mean ?? Number.NaN)])),
    baselines: Object.fromEntries(
      record.baselines.map(({ name, metrics, costs }) => [name, { test: summarise(metrics), ...costs }]),
    ),
  };
}

export const seedsText = (count: number) => (count === 1 ? '1 seed' : `${count} seeds`);

export function evaluationText(setup: Setup, best: Chosen, record: EvaluationRecord): string {
  const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const { length: count } = record.seeds;
  const row = (
    name: string,
    metrics: readonly Metrics[],
    { params, flops }: { readonly params: number; readonly flops: number },
  ) => {
    const { mean = Number.NaN, sd = Number.NaN } = summarise(metrics)[metric] ?? {};
    // One value has no deviation.
    const spread = count > 1 ? [showMetric(metric, sd)] : [];
    return [name, showMetric(metric, mean), ...spread, showCount(params), showCount(flops)];
  };
  const { params = 0, flops = 0 } = best.trial.costs;
  return table(
    [
      setup.estimator.kind === 'table' ? `test (${record.epochs} epochs)` : `test (${seedsText(count)})`,
      metric,
      ...(count > 1 ? ['deviation'] : []),
      'params',
      'FLOPs',
    ],
    [
      row(`trial ${record.trial}`, record.metrics, { params, flops }),
      ...record.baselines.map(({ name, metrics, costs }) => row(name, metrics, costs)),
    ],
  );
}
