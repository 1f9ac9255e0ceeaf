import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import { invalid } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import { showMetric } from '../report/numbers.ts';
import { TrainingFailure } from '../train/failure.ts';
import { bestText, bestToJson, bestTrials } from './best.ts';
import { define, outputOf, type Shell } from './command.ts';
import type { StudySettings } from './config.ts';
import { checkCounts, chosen, evaluate, evaluationText, evaluationToJson } from './evaluate.ts';
import { summarise } from './evaluation.ts';
import { exportBest } from './export.ts';
import { numberIfItIsOne, readSettings } from './flags.ts';
import { interruptible } from './interrupt.ts';
import { hint } from './invocation.ts';
import { testedObjective } from './objectives.ts';
import { NO_SAMPLES } from './predictions.ts';
import { writeReport } from './report.ts';
import { addStudyOptions, newStudy, type StudyOptions, searchToItsEnd, tellInterrupted } from './search.ts';
import { type ReadStudy, readStudy } from './study.ts';

/** What `run` does unless told otherwise: enough to be sure of the winner, short enough to wait for. */
function presets({ estimator = 'train' }: Partial<StudySettings>): Partial<StudySettings> {
  return { confirm: estimator === 'train' ? 3 : 0, workers: Math.min(2, availableParallelism()) };
}

/** `netsmith run`: { study, trials, best, evaluation, export, report } */
export function addRun(program: Command, shell: Shell): void {
  addStudyOptions(
    define(program, 'run', 'The whole job: search, confirm, evaluate, export and report', [
      'netsmith run',
      'netsmith run --data image-folder --data-dir photos --image-size 64 --time 1h',
      'netsmith run --estimator proxies --strategy aging-evolution --epochs 40',
    ]),
  )
    .addOption(new Option('--seeds <n>', 'trainings of the evaluation').argParser(numberIfItIsOne).default(3))
    .option('--no-baselines', 'evaluate without the hand-designed baselines')
    .option(...NO_SAMPLES)
    .action(
      async (
        options: StudyOptions & { readonly seeds: number; readonly baselines: boolean; readonly samples: boolean },
        command: Command,
      ) => {
        const output = outputOf(command, shell);
        checkCounts(options);
        const settings = await readSettings(command, presets);
        const { benchmark } = settings;
        if (benchmark !== undefined)
          throw invalid(
            '--benchmark',
            `"${benchmark}"`,
            'there is no network to train: netsmith search, then netsmith evaluate',
          );
        const { dir, store, setup } = await newStudy(settings, options, output);
        const end = await searchToItsEnd(dir, store, setup, output);
        if (end.reason === 'interrupted') return tellInterrupted(dir, end, output, shell);

        const study = await readStudy(dir);
        if (bestTrials(study).length === 0) throw nothingFound(study, dir);
        const best = chosen(study, dir, undefined);
        output.note(`\n${bestText(study)}\n`);
        const again = setup.estimator.kind === 'train' ? ' again' : '';
        output.note(
          `Training it${again} from scratch on train + valid, ${options.seeds === 1 ? 'once' : `${options.seeds} times`}, for the test split.`,
        );
        const { record, exported } = await interruptible(
          () => output.note(`Interrupted. Continue with: ${hint('evaluate', dir)}`),
          async (signal) => {
            const record = await evaluate(dir, setup, best, options, output, signal);
            return { record, exported: await exportBest(dir, setup, best, undefined, output, signal) };
          },
        );
        const report = await writeReport(dir);

        const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
        const { mean = Number.NaN, sd = Number.NaN } = summarise(record.metrics)[metric] ?? {};
        output.result(
          {
            ...bestToJson(dir, study),
            evaluation: evaluationToJson(dir, setup, best, record),
            export: exported,
            report,
          } as unknown as Json,
          [
            evaluationText(setup, best, record),
            '',
            `Found    ${metric} ${showMetric(metric, mean)} on the test split (mean of ${options.seeds}, deviation ${showMetric(metric, sd)})`,
            `Model    ${exported.file} (differs from the training engine by ${exported.parity.toExponential(1)})`,
            `Report   ${report}`,
          ].join('\n'),
        );
      },
    );
}

/** No bad input, since a study was written: the settings were sound and no network could be trained with them. */
function nothingFound({ trials }: ReadStudy, dir: string): TrainingFailure {
  const counts = new Map<string, number>();
  for (const { state, reason = state } of trials) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `\n  ${count} of ${trials.length}: ${reason}`);
  return new TrainingFailure(`no trial of study "${dir}" is complete${reasons.join('')}`);
}
