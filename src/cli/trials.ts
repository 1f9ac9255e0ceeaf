import type { Command } from 'commander';
import { readStudy, trialToJson } from '../app/study.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { isEstimated, nameOfMetric } from '../study/objectives.ts';
import { define, outputOf, type Shell } from './command.ts';
import { table } from './output.ts';

/** `netsmith trials DIR`: [{ trial, state, architecture, metrics, costs, ... }] */
export function addTrials(program: Command, shell: Shell): void {
  define(program, 'trials <dir>', 'List the trials of a study', [
    'netsmith trials runs/digits-small-cnn-1',
    'netsmith trials runs/digits-small-cnn-1 --json',
  ])
    .option('--all', 'include confirmation trials (architectures retrained with new seeds)', false)
    .action(async (dir: string, options: { readonly all: boolean }, command: Command) => {
      const { trials, space, problem, settings } = await readStudy(dir);
      const listed = trials
        .filter(({ purpose }) => options.all || purpose === 'search')
        .map((t) => trialToJson(space, t));
      const measured = problem.objectives.filter(isEstimated).map(({ metric }) => metric);
      const heads = measured.map((name) => nameOfMetric(settings, name));
      const rows = listed.map((trial) => [
        trial.purpose === 'search' ? String(trial.trial) : `${trial.repeats} again`,
        trial.state,
        trial.continues === undefined ? String(trial.epochs) : `${trial.epochs} from trial ${trial.continues}`,
        ...measured.map((name) => showMetric(name, trial.metrics[name])),
        showCount(trial.costs.params),
        showCount(trial.costs.flops),
        trial.reason ?? trial.text,
      ]);
      outputOf(command, shell).result(
        listed,
        table(['trial', 'state', 'epochs', ...heads, 'params', 'flops', 'architecture'], rows),
      );
    });
}
