import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import { bestToJson, bestTrials } from '../app/best.ts';
import { type ChoiceOptions, ruleOf } from '../app/choice.ts';
import { learnedFrom } from '../app/control/final.ts';
import { chooseWithin, latencyText, measureExported, smallestLatency } from '../app/device/within-limit.ts';
import type { EvaluateOptions } from '../app/evaluation/evaluate.ts';
import { summarize } from '../app/evaluation/evaluation.ts';
import { exportEarly } from '../app/evaluation/first-model.ts';
import { evaluationToJson } from '../app/evaluation/result.ts';
import { evaluateRun, secondsOfSearch, verdictOf } from '../app/evaluation/run.ts';
import { evaluationText, seedsText } from '../app/evaluation/text.ts';
import { hint } from '../app/invocation.ts';
import { againWords, OWN_FILES, ownFilesOf } from '../app/own-files.ts';
import { isPlannable, planRun } from '../app/plan-run.ts';
import { isTrainedToConfirm } from '../app/problem.ts';
import type { StudyOptions } from '../app/search.ts';
import type { Setup } from '../app/setup.ts';
import { loadSpace } from '../app/space-file.ts';
import { type ReadStudy, readStudy } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { showLatency } from '../device/measure.ts';
import { showMetric, showSeconds } from '../report/numbers.ts';
import { isOfGenomes } from '../study/control-settings.ts';
import { testedObjective } from '../study/objectives.ts';
import type { Afterwards } from '../study/plan.ts';
import { SETTING_NAMES, type StudySettings } from '../study/spec.ts';
import type { Store } from '../study/store/store.ts';
import { checkNewStudy } from '../study/study.node.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { OPEN, openFile } from '../terminal/open.ts';
import type { Output } from '../terminal/output.ts';
import { withPlan } from '../terminal/plan.ts';
import { endText } from '../terminal/search-end.ts';
import { TrainingFailure } from '../train/failure.ts';
import { baselinesInView, baselinesText } from './baselines.ts';
import { bestTable, bestText } from './best.ts';
import { CHOOSE, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { checkSeeds, evaluateInView, NO_SAMPLES } from './evaluate.ts';
import { exportInView, parityText, testText } from './export.ts';
import { readSettings } from './flags.ts';
import { addStudyOptions, newStudyOfCommand, type SearchEnd, searchToItsEnd, tellInterrupted } from './search.ts';

/** What `run` does unless told otherwise. With a time, the plan decides about confirmations. */
const CONFIRM = 3;
const TIME = '10m';
const workers = () => Math.min(2, availableParallelism());
function presets(given: Partial<StudySettings>): Partial<StudySettings> {
  const { estimator = 'train', time, trials, until, environment } = given;
  const confirms = (estimator === 'train' && !isOfGenomes(given)) || isTrainedToConfirm({ estimator });
  const endless = time === undefined && trials === undefined && until === undefined;
  return {
    ...{ confirm: confirms ? CONFIRM : 0, workers: workers() },
    ...(estimator === 'train' && environment === undefined && endless && { time: TIME }),
  };
}

type RunOptions = StudyOptions & EvaluateOptions & Pick<ChoiceOptions, 'choose'> & { readonly open: boolean };

/** `netsmith run`: { study, trials, choice, best, evaluation, export, report } */
export function addRun(program: Command, shell: Shell): void {
  addStudyOptions(
    define(program, 'run', 'Run the full pipeline: search, confirm, evaluate, export, report', [
      'netsmith run',
      'netsmith run photos --time 1h',
      'netsmith run houses.csv --label price --time 10m',
      'netsmith run train.csv --test-data test.csv --exclude id --time 5m',
      'netsmith run --estimator proxies --strategy aging-evolution --epochs 40',
      'netsmith run --objective accuracy,params --strategy nsga2 --trials 40 --choose knee',
      'netsmith run --environment cart-pole',
      'netsmith run photos --max-latency 5ms --device-target node --time 15m',
    ]),
    SETTING_NAMES,
    {
      confirm: `${CONFIRM}; 0 for proxies and genomes; with --time as the plan says`,
      workers: String(workers()),
      time: `${TIME}, for the whole command, unless --trials or --until is set`,
      epochs: 'with --time as many as fit, else 10',
    },
  )
    .addOption(
      new Option('--seeds <n>', 'number of training runs of the final evaluation')
        .argParser(numberIfItIsOne)
        .default(3),
    )
    .option(...CHOOSE)
    .option('--no-baselines', 'skip the baselines: hand-designed networks, boosted trees, linear, nearest neighbor')
    .option(...NO_SAMPLES)
    .option(...OPEN)
    .action(async (_: string | undefined, options: RunOptions, command: Command) => {
      const output = outputOf(command, shell);
      checkSeeds(options);
      let given: Partial<StudySettings> = {};
      const asked = await readSettings(command, (found) => {
        given = found;
        return presets(found);
      });
      // Before anything is written; without objectives from the user there is one.
      ruleOf(
        options.choose,
        (asked.objective ?? []).map((metric) => ({ metric })),
      );
      const { benchmark } = asked;
      if (benchmark !== undefined)
        throw invalid(
          '--benchmark',
          `"${benchmark}"`,
          'a tabular benchmark has no network to train: use netsmith search, then netsmith evaluate',
        );
      if (options.out !== undefined) checkNewStudy(options.out);
      const planned = isPlannable(asked)
        ? await planRun(asked, given, await loadSpace(asked.space), ownFilesOf(asked), output, shell.elapsed)
        : undefined;
      const afterwards: Afterwards = { ...afterwardsOf(options), ...(planned && { time: planned.time }) };
      const { dir, store, setup } = await newStudyOfCommand(
        planned?.settings ?? asked,
        { ...options, afterwards, ...(planned && { ...planned, planned: true }) },
        output,
      );
      const end = await searchOfRun(dir, store, setup, afterwards, output, shell.elapsed);
      const report = await finishRun(dir, setup, end, afterwards, output, shell, shell.elapsed);
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
 * The search of a `run`. With a time limit of the whole command it ends when the plan says so, and its best network so far is exported
 * at once, so that there is a model from then on, whatever happens.
 */
export async function searchOfRun(
  dir: string,
  store: Store,
  setup: Setup,
  { time }: Pick<Afterwards, 'time'>,
  output: Output,
  elapsed: () => number,
): Promise<SearchEnd> {
  if (time === undefined) return searchToItsEnd(dir, store, setup, output);
  const seconds = await secondsOfSearch(store, time.searchUntil, elapsed());
  const shown = withPlan(output, time, 'search', elapsed);
  return searchToItsEnd(dir, store, setup, shown, { seconds, early: exportEarly(dir, setup, store, output) });
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
  elapsed: () => number,
): Promise<string | undefined> {
  if (end.reason === 'interrupted') {
    tellInterrupted(dir, setup, end, output, shell);
    return undefined;
  }

  const found = await readStudy(dir);
  if (end.reason === 'exhausted') output.note(endText(end, found));
  if (bestTrials(found).length === 0) throw nothingFound(found, dir);
  const sayInterrupted = () =>
    output.note(`Interrupted. Continue with: ${hint('resume', dir, ...againWords(setup.settings, OWN_FILES))}`);
  const { study, best } = await interruptible(sayInterrupted, (signal) =>
    chooseWithin(dir, setup, options.choose === undefined ? {} : { choose: options.choose }, output, signal),
  );
  const which = choiceText(best.choice, study.problem.objectives);
  output.note(`\n${which === undefined ? bestText(study) : `${bestTable(study)}\n${which}`}\n`);
  const again =
    setup.estimator.kind === 'train' ? 'Retraining' : setup.estimator.kind === 'played' ? 'Testing' : 'Training';
  output.note(
    `${again} trial ${best.choice.trial} on ${learnedFrom(setup) ?? 'train + validation data'} with ${options.time === undefined ? seedsText(options.seeds) : 'as many seeds as time allows'}, then evaluating on the test ${setup.control === undefined ? 'split' : 'episodes'}.`,
  );
  const shown = withPlan(output, options.time, 'final training', elapsed);
  const { record, exported, report, classical, latency } = await interruptible(sayInterrupted, async (signal) => {
    const { record, classical, report } = await evaluateRun({
      ...{ dir, setup, best, options, elapsed },
      evaluate: (wanted) => evaluateInView(dir, setup, best, wanted, shown, signal),
      export: () => exportInView(dir, setup, best, {}, output, signal),
      fitBaselines: (seconds) => baselinesInView(dir, setup, { test: true, seconds }, output, signal),
    });
    signal.throwIfAborted();
    const exported = await exportInView(dir, setup, best, {}, output, signal);
    const latency = await measureExported(dir, setup, exported, study.device, signal);
    return { record, exported, classical, report, latency };
  });
  if (latency?.kept === false) {
    output.note(`Trial ${best.choice.trial} is left out: its exported file misses the limit, ${showLatency(latency)}.`);
    return finishRun(dir, setup, end, options, output, shell, elapsed);
  }

  const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const { mean = Number.NaN, sd = Number.NaN } = summarize(record.metrics)[metric] ?? {};
  const { length: seeds } = record.seeds;
  const spread = seeds > 1 ? ` (mean of ${seeds}, deviation ${showMetric(metric, sd)})` : '';
  const others = baselinesText(dir, setup, classical);
  const sentences = [...verdictOf(dir, setup, study, record, classical), ...(latency ? [latencyText(latency)] : [])];
  output.result(
    {
      ...bestToJson(dir, study, best.choice),
      evaluation: evaluationToJson(dir, setup, best, record),
      export: exported,
      report,
      ...(latency && { latency: { ...latency } }),
      ...(options.baselines && { classical }),
      verdict: sentences,
      seconds: elapsed(),
    },
    [
      evaluationText(setup, best, record),
      ...(others === undefined ? [] : ['', others]),
      '',
      `Found    ${metric} ${showMetric(metric, mean)} on the test ${setup.control === undefined ? 'split' : 'episodes'}${spread}`,
      `Model    ${exported.file} (${parityText(exported)})`,
      `         ${testText(setup, exported)}`,
      `Report   ${report}`,
      `Verdict  ${sentences.join('\n         ')}`,
      ...(options.time === undefined ? [] : [timeText(elapsed(), options.time.seconds)]),
    ].join('\n'),
  );
  return report;
}

/** How long a run took; one that ends early says why. */
function timeText(used: number, seconds: number): string {
  const isEarly = seconds - used > Math.max(3, 0.05 * seconds);
  const why = isEarly ? ': more epochs would not help, and no further training fits or is wanted' : '';
  return `Time     ${showSeconds(used)} of ${showSeconds(seconds)}${why}`;
}

/** No bad input, since a study was written: the settings were sound and no network could be trained with them. */
function nothingFound(study: ReadStudy, dir: string): TrainingFailure {
  const { trials } = study;
  const counts = new Map<string, number>();
  for (const { state, reason = state } of trials) {
    // Each network has a latency of its own.
    const kind = reason.replace(/^(latency is) [\d.e+-]+,/, '$1');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => `\n  ${count} of ${trials.length}: ${reason}`);
  return new TrainingFailure(`no trial of study "${dir}" is complete${smallestLatency(study)}${reasons.join('')}`);
}
