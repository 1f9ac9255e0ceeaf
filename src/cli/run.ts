import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import { bestToJson, bestTrials } from '../app/best.ts';
import { type ChoiceOptions, chosen, ruleOf } from '../app/choice.ts';
import type { EvaluateOptions } from '../app/evaluation/evaluate.ts';
import { summarize } from '../app/evaluation/evaluation.ts';
import { evaluationToJson } from '../app/evaluation/result.ts';
import { hint } from '../app/invocation.ts';
import { againWords, OWN_FILES } from '../app/own-files.ts';
import { writeReport } from '../app/report.ts';
import type { StudyOptions } from '../app/search.ts';
import type { Setup } from '../app/setup.ts';
import { type ReadStudy, readStudy } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { showMetric } from '../report/numbers.ts';
import { testedObjective } from '../study/objectives.ts';
import type { Afterwards } from '../study/plan.ts';
import { SETTING_NAMES, type StudySettings } from '../study/spec.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { OPEN, openFile } from '../terminal/open.ts';
import type { Output } from '../terminal/output.ts';
import { TrainingFailure } from '../train/failure.ts';
import { bestTable, bestText } from './best.ts';
import { CHOOSE, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { checkSeeds, evaluateInView, evaluationText, NO_SAMPLES, seedsText } from './evaluate.ts';
import { exportInView, parityText, testText } from './export.ts';
import { readSettings } from './flags.ts';
import {
  addStudyOptions,
  endText,
  newStudyOfCommand,
  type SearchEnd,
  searchToItsEnd,
  tellInterrupted,
} from './search.ts';

/** What `run` does unless told otherwise: enough to be sure of the winner, short enough to wait for. */
const CONFIRM = 3;
const workers = () => Math.min(2, availableParallelism());
function presets({ estimator = 'train' }: Partial<StudySettings>): Partial<StudySettings> {
  return { confirm: estimator === 'train' ? CONFIRM : 0, workers: workers() };
}

type RunOptions = StudyOptions & EvaluateOptions & Pick<ChoiceOptions, 'choose'> & { readonly open: boolean };

/** `netsmith run`: { study, trials, choice, best, evaluation, export, report } */
export function addRun(program: Command, shell: Shell): void {
  addStudyOptions(
    define(program, 'run', 'Run the full pipeline: search, confirm, evaluate, export, report', [
      'netsmith run',
      'netsmith run --data image-folder --data-dir photos --image-size 64 --time 1h',
      'netsmith run --estimator proxies --strategy aging-evolution --epochs 40',
      'netsmith run --objective accuracy,params --strategy nsga2 --trials 40 --choose knee',
    ]),
    SETTING_NAMES,
    { confirm: `${CONFIRM}; 0 without training`, workers: String(workers()) },
  )
    .addOption(
      new Option('--seeds <n>', 'number of training runs of the final evaluation')
        .argParser(numberIfItIsOne)
        .default(3),
    )
    .option(...CHOOSE)
    .option('--no-baselines', 'skip the hand-designed baselines')
    .option(...NO_SAMPLES)
    .option(...OPEN)
    .action(async (options: RunOptions, command: Command) => {
      const output = outputOf(command, shell);
      checkSeeds(options);
      const settings = await readSettings(command, presets);
      // Before anything is written; without objectives from the user there is one.
      ruleOf(
        options.choose,
        (settings.objective ?? []).map((metric) => ({ metric })),
      );
      const { benchmark } = settings;
      if (benchmark !== undefined)
        throw invalid(
          '--benchmark',
          `"${benchmark}"`,
          'a tabular benchmark has no network to train: use netsmith search, then netsmith evaluate',
        );
      const { dir, store, setup } = await newStudyOfCommand(
        settings,
        { ...options, afterwards: afterwardsOf(options) },
        output,
      );
      const end = await searchToItsEnd(dir, store, setup, output);
      const report = await finishRun(dir, setup, end, afterwardsOf(options), output, shell);
      if (options.open && report !== undefined) await openFile(report, output);
    });
}

function afterwardsOf({
  seeds,
  baselines,
  samples = true,
  choose,
}: EvaluateOptions & Pick<ChoiceOptions, 'choose'>): Afterwards {
  return { seeds, baselines, samples, ...(choose !== undefined && { choose }) };
}

/**
 * What follows the search of a `run`: evaluation, export, report, and their result. Where it is interrupted or killed, `resume` does it
 * again, and final trainings that are done are kept. Returns the report's file; undefined: interrupted.
 */
export async function finishRun(
  dir: string,
  setup: Setup,
  end: SearchEnd,
  options: Afterwards,
  output: Output,
  shell: Shell,
): Promise<string | undefined> {
  if (end.reason === 'interrupted') {
    tellInterrupted(dir, setup, end, output, shell);
    return undefined;
  }

  const study = await readStudy(dir);
  if (end.reason === 'exhausted') output.note(endText(end, study));
  if (bestTrials(study).length === 0) throw nothingFound(study, dir);
  const best = chosen(study, dir, options.choose === undefined ? {} : { choose: options.choose });
  const which = choiceText(best.choice, study.problem.objectives);
  output.note(`\n${which === undefined ? bestText(study) : `${bestTable(study)}\n${which}`}\n`);
  const again = setup.estimator.kind === 'train' ? 'Retraining' : 'Training';
  output.note(
    `${again} trial ${best.choice.trial} on train + validation data with ${seedsText(options.seeds)}, then evaluating on the test split.`,
  );
  const { record, exported, report } = await interruptible(
    () => output.note(`Interrupted. Continue with: ${hint('resume', dir, ...againWords(setup.settings, OWN_FILES))}`),
    async (signal) => {
      const record = await evaluateInView(dir, setup, best, options, output, signal);
      const exported = await exportInView(dir, setup, best, {}, output, signal);
      const report = await writeReport(dir);
      signal.throwIfAborted();
      return { record, exported, report };
    },
  );

  const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const { mean = Number.NaN, sd = Number.NaN } = summarize(record.metrics)[metric] ?? {};
  const spread = options.seeds > 1 ? ` (mean of ${options.seeds}, deviation ${showMetric(metric, sd)})` : '';
  output.result(
    {
      ...bestToJson(dir, study, best.choice),
      evaluation: evaluationToJson(dir, setup, best, record),
      export: exported,
      report,
    },
    [
      evaluationText(setup, best, record),
      '',
      `Found    ${metric} ${showMetric(metric, mean)} on the test split${spread}`,
      `Model    ${exported.file} (${parityText(exported)})`,
      `         ${testText(setup, exported)}`,
      `Report   ${report}`,
    ].join('\n'),
  );
  return report;
}

/** No bad input, since a study was written: the settings were sound and no network could be trained with them. */
function nothingFound({ trials }: ReadStudy, dir: string): TrainingFailure {
  const counts = new Map<string, number>();
  for (const { state, reason = state } of trials) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `\n  ${count} of ${trials.length}: ${reason}`);
  return new TrainingFailure(`no trial of study "${dir}" is complete${reasons.join('')}`);
}
