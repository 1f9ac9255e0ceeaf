import type { Command } from 'commander';
import { readStudy, trialToJson } from '../app/study.ts';
import { trialsCsv } from '../app/trials-csv.ts';
import { invalid } from '../common/errors.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { isEstimated, nameOfMetric, shownCosts } from '../study/objectives.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

interface TrialsOptions {
  readonly all: boolean;
  readonly csv: boolean;
}

/** `netsmith trials DIR`: [{ trial, state, architecture, metrics, costs, ... }] */
export function addTrials(program: Command, shell: Shell): void {
  define(program, 'trials <dir>', 'List the trials of a study', [
    'netsmith trials runs/digits-residual-cnn-1',
    'netsmith trials runs/digits-residual-cnn-1 --json',
    'netsmith trials runs/digits-residual-cnn-1 --csv > trials.csv',
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
      const costs = shownCosts(problem, settings, listed);
      const costHeads = costs.map((name) => nameOfMetric(settings, name));
      const hasConfirmed = listed.some(({ purpose }) => purpose === 'confirm');
      const heads = measured.map((name) => nameOfMetric(settings, name, hasConfirmed));
      const rows = listed.map((trial) => [
        trial.purpose === 'search' ? String(trial.trial) : `${trial.repeats} again`,
        trial.state,
        trial.continues === undefined ? String(trial.epochs) : `${trial.epochs} from trial ${trial.continues}`,
        ...measured.map((name) => showMetric(name, trial.metrics[name])),
        ...costs.map((name) => {
          const value = trial.costs[name];
          return name === 'flops' && value !== undefined ? showCount(value) : showMetric(name, value);
        }),
        trial.reason ?? trial.text,
      ]);
      output.result(listed, table(['trial', 'state', 'epochs', ...heads, ...costHeads, 'architecture'], rows));
    });
}
