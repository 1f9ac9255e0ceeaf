import { type Command, Option } from 'commander';
import { NO_EFFECT } from '../app/benchmarks.ts';
import { type ChoiceOptions, type Chosen, chosen } from '../app/choice.ts';
import { type EvaluateOptions, evaluate } from '../app/evaluation/evaluate.ts';
import { type EvaluationRecord, summarize } from '../app/evaluation/evaluation.ts';
import { evaluationToJson } from '../app/evaluation/result.ts';
import { dataNamedAgain } from '../app/own-files.ts';
import { checkRunSettings, type Setup } from '../app/setup.ts';
import { type ReadStudy, readStudy, setUpFinal } from '../app/study.ts';
import { lookUpTest } from '../app/table-search.ts';
import { invalid } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { plural, showCount, showMetric, showSeconds } from '../report/numbers.ts';
import type { Choice } from '../study/choice.ts';
import { testedObjective } from '../study/objectives.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { type Output, table } from '../terminal/output.ts';
import { createTrainingsView, type TrainingsView } from '../terminal/trainings.ts';
import { TrainingFailure } from '../train/failure.ts';
import { bestTable } from './best.ts';
import { addChoice, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addOwnData, addSettingsOfStudy, givenSettings } from './flags.ts';

/** The option of `evaluate` and `run`. */
export const NO_SAMPLES = ['--no-samples', 'do not store sample predictions on the test split for the report'] as const;

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
  ).addOption(
    new Option('--seeds <n>', 'number of training runs, each with its own seed').argParser(numberIfItIsOne).default(3),
  );
  addChoice(command)
    .option('--no-baselines', 'skip the hand-designed baselines')
    .option(...NO_SAMPLES);
  addOwnData(command);
  addSettingsOfStudy(command, [
    'dataDir',
    'testData',
    'epochs',
    'workers',
    'threads',
    'device',
    'memory',
    'layout',
  ]).action(async (dir: string, options: EvaluateOptions & ChoiceOptions, command: Command) => {
    const output = outputOf(command, shell);
    checkSeeds(options);
    const study = await readStudy(dir);
    const given = givenSettings(command);
    const own = dataNamedAgain(`study "${dir}"`, study.settings, given);
    const settings = checkRunSettings(study.settings, { ...given, ...own });
    const best = chosen(study, dir, options);
    const setup = await setUpFinal(study, dir, settings, own);
    const { estimator } = setup;
    if (estimator.kind === 'table' && command.getOptionValueSource('seeds') === 'cli')
      throw invalid('--seeds', String(options.seeds), NO_EFFECT);
    noteChoice(study, best.choice, output);
    const record =
      estimator.kind === 'table'
        ? await lookUpTest(dir, setup, estimator.table, best)
        : await interruptible(
            () => output.note('Interrupted. Completed training runs are kept: run the command again to continue.'),
            (signal) => evaluateInView(dir, setup, best, options, output, signal),
          );
    const result = evaluationToJson(dir, setup, best, record);
    output.result(result, evaluationText(setup, best, record));
  });
}

export function checkSeeds({ seeds }: Pick<EvaluateOptions, 'seeds'>): void {
  if (!isWhole(seeds, 1, 1000)) throw invalid('--seeds', String(seeds), 'must be a whole number from 1 to 1,000');
}

/** Of several objectives: the front, which network of it is taken, and how to take another. */
export function noteChoice(study: ReadStudy, choice: Choice, output: Output): void {
  const text = choiceText(choice, study.problem.objectives);
  if (text !== undefined) output.note(`${bestTable(study)}\n${text}`);
}

/** `evaluate`, with a view of its trainings. */
export async function evaluateInView(
  dir: string,
  setup: Setup,
  best: Chosen,
  options: EvaluateOptions,
  output: Output,
  signal: AbortSignal,
): Promise<EvaluationRecord> {
  let view: TrainingsView | undefined;
  try {
    return await evaluate(
      dir,
      setup,
      best,
      options,
      {
        onBegin(trainings, kept) {
          if (kept > 0) output.note(`${plural(kept, 'final training')} of an earlier evaluation kept.`);
          if (trainings > 0) view = createTrainingsView('final training on train + validation data', trainings, output);
        },
        onRetry: (name, reason) => view?.say(`${name}: ${reason}. It continues in a new process.`),
        onProgress: (name, { epoch, epochs, loss }) =>
          view?.onProgress(name, epoch, epochs, loss === undefined ? undefined : `loss ${loss.toFixed(4)}`),
        onDone(name, result) {
          if (result instanceof TrainingFailure) {
            view?.ended(name, `${name}: failed: ${result.message}`);
            return;
          }
          const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
          const value = showMetric(metric, result.metrics[metric]);
          view?.ended(name, `${name}: test ${metric} ${value} (${showSeconds(result.seconds)})`);
        },
      },
      signal,
    );
  } finally {
    view?.close();
  }
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
    const { mean = Number.NaN, sd = Number.NaN } = summarize(metrics)[metric] ?? {};
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
