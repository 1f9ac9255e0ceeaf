import { type Command, Option } from 'commander';
import { NO_EFFECT } from '../app/benchmarks.ts';
import { type ChoiceOptions, type Chosen, chosen } from '../app/choice.ts';
import { learnedFrom } from '../app/control/final.ts';
import { type EvaluateOptions, evaluate } from '../app/evaluation/evaluate.ts';
import type { EvaluationRecord } from '../app/evaluation/evaluation.ts';
import { evaluationToJson } from '../app/evaluation/result.ts';
import { BASELINE_SECONDS, limitsOf } from '../app/evaluation/run.ts';
import { evaluationText } from '../app/evaluation/text.ts';
import { DATA_PATHS, trainingNamedAgain } from '../app/own-files.ts';
import { checkRunSettings, type Setup } from '../app/setup.ts';
import { type ReadStudy, readStudy, setUpFinal } from '../app/study.ts';
import { lookUpTest } from '../app/table-search.ts';
import { invalid } from '../common/errors.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { shownValue } from '../common/text.ts';
import { plural, showMetric, showSeconds } from '../report/numbers.ts';
import type { Choice } from '../study/choice.ts';
import { testedObjective } from '../study/objectives.ts';
import { interruptible } from '../terminal/interrupt.ts';
import type { Output } from '../terminal/output.ts';
import { createTrainingsView, type TrainingsView } from '../terminal/trainings.ts';
import { TrainingFailure } from '../train/failure.ts';
import { baselinesInView, baselinesText } from './baselines.ts';
import { bestTable } from './best.ts';
import { addChoice, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettingsOfStudy, addTrainingFiles, givenSettings } from './flags.ts';

const FINAL_SETTINGS = [
  ...([...DATA_PATHS, 'epochs', 'workers'] as const),
  ...(['threads', 'device', 'memory', 'layout'] as const),
];

/** The option of `evaluate` and `run`. */
export const NO_SAMPLES = ['--no-samples', 'do not store sample predictions on the test split for the report'] as const;

/** `netsmith evaluate DIR`: { study, trial, choice, architecture, text, test, kept, valid, gap, baselines, classical, ... } */
export function addEvaluate(program: Command, shell: Shell): void {
  const command = define(
    program,
    'evaluate <dir>',
    'Retrain the best architecture on train + validation data with several seeds and evaluate it on the test split',
    [
      'netsmith evaluate runs/digits-residual-cnn-1 --seeds 3',
      'netsmith evaluate runs/digits-residual-cnn-1 --epochs 50 --no-baselines',
      'netsmith evaluate runs/digits-residual-cnn-1 --time 5m',
      'netsmith evaluate runs/accuracy-and-params --choose knee',
    ],
  ).addOption(
    new Option('--seeds <n>', 'number of training runs, each with its own seed').argParser(numberIfItIsOne).default(3),
  );
  addChoice(command)
    .option('--time <duration>', 'time of the whole evaluation: each training has a share, and as many epochs as fit')
    .option('--no-baselines', 'skip the baselines: hand-designed networks, boosted trees, linear, nearest neighbor')
    .option('--retry-failed', 'retrain baselines that failed in an earlier evaluation', false)
    .option(...NO_SAMPLES);
  addTrainingFiles(command);
  addSettingsOfStudy(command, FINAL_SETTINGS).action(
    async (dir: string, options: EvaluateOptions & ChoiceOptions, command: Command) => {
      const output = outputOf(command, shell);
      checkSeeds(options);
      const study = await readStudy(dir);
      const given = givenSettings(command);
      const own = trainingNamedAgain(`study "${dir}"`, study.settings, given);
      const settings = checkRunSettings(study.settings, { ...given, ...own });
      const best = chosen(study, dir, options);
      const setup = await setUpFinal(study, dir, settings, own);
      const { estimator } = setup;
      if (estimator.kind === 'table' && command.getOptionValueSource('seeds') === 'cli')
        throw invalid('--seeds', String(options.seeds), NO_EFFECT);
      noteChoice(study, best.choice, output);
      const limited = given.time === undefined ? undefined : limitsOf(setup, options, given.epochs, shell.elapsed());
      if (estimator.kind === 'table') {
        const record = await lookUpTest(dir, setup, estimator.table, best);
        output.result(evaluationToJson(dir, setup, best, record), evaluationText(setup, best, record));
        return;
      }
      const { record, rows } = await interruptible(
        () => output.note('Interrupted. Completed training runs are kept: run the command again to continue.'),
        async (signal) => {
          const record = await evaluateInView(
            dir,
            setup,
            best,
            { ...options, ...(limited && { time: limited.time, isAsLong: given.epochs !== undefined }) },
            output,
            signal,
          );
          const wanted = { test: true, seconds: limited?.baselineSeconds ?? BASELINE_SECONDS };
          const fits = options.baselines && setup.control === undefined;
          return { record, rows: fits ? await baselinesInView(dir, setup, wanted, output, signal) : [] };
        },
      );
      const others = baselinesText(dir, setup, rows);
      output.result(
        { ...evaluationToJson(dir, setup, best, record), ...(options.baselines && { classical: rows }) },
        [evaluationText(setup, best, record), ...(others === undefined ? [] : ['', others])].join('\n'),
      );
    },
  );
}

export function checkSeeds({ seeds }: Pick<EvaluateOptions, 'seeds'>): void {
  if (!isWhole(seeds, 1, 1000)) throw invalid('--seeds', shownValue(seeds), 'must be a whole number from 1 to 1,000');
}

/** With several objectives: prints the front, which network of it is taken, and how to take another. */
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
          const from = learnedFrom(setup) ?? 'train + validation data';
          if (trainings > 0) view = createTrainingsView(`final training on ${from}`, trainings, output);
        },
        onSkip: (name, reason) =>
          output.note(`${name}: failed before: ${reason}. \`netsmith evaluate --retry-failed\` trains it again.`),
        onRetry: (name, reason) => view?.say(`${name}: ${reason}. It continues in a new process.`),
        onProgress(name, { epoch, epochs, loss }) {
          // Before its first epoch nobody knows how many fit into a time.
          const likely = epoch === 0 && options.time !== undefined ? undefined : epochs;
          view?.onProgress(name, epoch, likely, loss === undefined ? undefined : `loss ${loss.toFixed(4)}`);
        },
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
