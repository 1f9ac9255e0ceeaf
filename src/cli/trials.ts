import type { Command } from 'commander';
import { readStudy, trialToJson } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { cell } from '../report/compare/csv.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { isEstimated, nameOfMetric, shownCosts } from '../study/objectives.ts';
import { define, outputOf, type Shell } from './command.ts';
import { table } from './output.ts';

interface TrialsOptions {
  readonly all: boolean;
  readonly csv: boolean;
}

/** `netsmith trials DIR`: [{ trial, state, architecture, metrics, costs, ... }] */
export function addTrials(program: Command, shell: Shell): void {
  define(program, 'trials <dir>', 'List the trials of a study', [
    'netsmith trials runs/digits-small-cnn-1',
    'netsmith trials runs/digits-small-cnn-1 --json',
    'netsmith trials runs/digits-small-cnn-1 --csv > trials.csv',
  ])
    .option('--all', 'include confirmation trials (architectures retrained with new seeds)', false)
    .option('--csv', 'print a CSV file with one row per trial', false)
    .action(async (dir: string, options: TrialsOptions, command: Command) => {
      const output = outputOf(command, shell);
      if (options.csv && output.json) throw invalid('--csv', 'given with --json', 'the output is one or the other');
      const { trials, space, problem, settings } = await readStudy(dir);
      const listed = trials
        .filter(({ purpose }) => options.all || purpose === 'search')
        .map((t) => trialToJson(space, t));
      if (options.csv) return shell.streams.out(trialsCsv(listed));
      const measured = problem.objectives.filter(isEstimated).map(({ metric }) => metric);
      const costs = shownCosts(problem);
      const heads = measured.map((name) => nameOfMetric(settings, name));
      const rows = listed.map((trial) => [
        trial.purpose === 'search' ? String(trial.trial) : `${trial.repeats} again`,
        trial.state,
        trial.continues === undefined ? String(trial.epochs) : `${trial.epochs} from trial ${trial.continues}`,
        ...measured.map((name) => showMetric(name, trial.metrics[name])),
        ...costs.map((name) => {
          const value = Object.entries(trial.costs).find(([cost]) => cost === name)?.[1];
          return name === 'flops' && value !== undefined ? showCount(value) : showMetric(name, value);
        }),
        trial.reason ?? trial.text,
      ]);
      output.result(listed, table(['trial', 'state', 'epochs', ...heads, ...costs, 'architecture'], rows));
    });
}

/** One row for each trial: every metric and every decision has a column. A text is never a formula to a spreadsheet. */
function trialsCsv(trials: readonly ReturnType<typeof trialToJson>[]): string {
  const namesOf = (records: readonly object[]) => [...new Set(records.flatMap((one) => Object.keys(one)))];
  const metrics = namesOf(trials.map((trial) => trial.metrics));
  const decisions = namesOf(trials.map((trial) => trial.architecture));
  const head = [
    ...['trial', 'purpose', 'state', 'epochs', ...metrics.map((name) => `metric ${name}`), 'params', 'flops'],
    ...['seconds', 'reason', 'text', ...decisions.map((name) => `decision ${name}`)],
  ];
  const rows = trials.map((trial) => [
    ...[trial.trial, trial.purpose, trial.state, trial.epochs, ...metrics.map((name) => trial.metrics[name] ?? '')],
    ...[trial.costs.params, trial.costs.flops, trial.seconds, trial.reason ?? '', trial.text],
    ...decisions.map((name) => {
      const value = trial.architecture[name];
      return value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    }),
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
