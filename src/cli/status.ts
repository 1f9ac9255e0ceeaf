import type { Command } from 'commander';
import { bestToJson } from '../app/best.ts';
import { earlierStudies } from '../app/prior.ts';
import { budgetOf } from '../app/setup.ts';
import { agreementsIn, type ReadStudy, readStudy } from '../app/study.ts';
import { supernetLines, supernetView } from '../app/supernet-view.ts';
import { showAccount, showAgreement, showMetric, shownAgreements, showSeconds } from '../report/numbers.ts';
import { accountOf } from '../study/account.ts';
import { trainsTrials } from '../study/spec.ts';
import type { TrialState } from '../study/store/store.ts';
import { bestText } from './best.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith status DIR`: { study, createdAt, states, trials, earlier, budget, searchSeconds, spent, agreement, supernet, best, coverage } */
export function addStatus(program: Command, shell: Shell): void {
  define(program, 'status <dir>', 'Show the progress of a study, also while it is running', [
    'netsmith status runs/digits-residual-cnn-1',
  ]).action(async (dir: string, _options: unknown, command: Command) => {
    const study = await readStudy(dir);
    const { trials, best, coverage } = bestToJson(dir, study);
    const states = countStates(study);
    const earlier = earlierStudies(study);
    const { metric } = study.problem.objectives[0];
    const account = accountOf(
      study.trials.filter(({ purpose }) => purpose === 'search'),
      study.clock,
    );
    const agreements = agreementsIn(study);
    const { searchSeconds } = study.clock;
    const { trials: wanted, seconds } = budgetOf(study.settings);
    const budget = { trials: wanted ?? null, seconds: seconds ?? null, until: study.settings.until?.join(',') ?? null };
    const value = {
      study: dir,
      createdAt: new Date(study.record.createdAt).toISOString(),
      trials,
      states,
      earlier,
      budget,
      searchSeconds,
      spent: { ...account },
      agreement: agreements.map((one) => ({ ...one })),
      supernet: supernetView(study),
      best,
      coverage: coverage ?? null,
    };
    const searching = study.settings.benchmark === undefined ? 'search' : 'simulated search';
    // Some tables have no seconds.
    const time = searchSeconds > 0 ? [`${showSeconds(searchSeconds)} of ${searching}`] : [];
    const counted = Object.entries(states).map(([state, count]) => `${count} ${state}`);
    const ends = [
      ...(budget.trials === null ? [] : [`${budget.trials} trials`]),
      ...(budget.seconds === null ? [] : [showSeconds(budget.seconds)]),
      ...(budget.until === null ? [] : [budget.until]),
    ];
    const lines = [
      [`${value.study}: ${counted.join(', ') || 'no trials'}`, ...time, `stops at ${ends.join(' or ')}`].join('; '),
      ...earlier.map(
        ({ study: name, trials, best }) =>
          `warm-started from ${trials} trials of study ${name} (best ${metric} ${showMetric(metric, best[metric])}), which are not counted here`,
      ),
      ...shownAgreements(agreements, study.settings.estimator).map(showAgreement),
      ...(account.workerSeconds > 0 && trainsTrials(study.settings) ? [`worker time: ${showAccount(account)}`] : []),
      ...supernetLines(study),
      bestText(study),
    ];
    outputOf(command, shell).result(value, lines.join('\n'));
  });
}

/** The number of search trials in each state. */
function countStates({ trials }: ReadStudy): Partial<Record<TrialState, number>> {
  const states: Partial<Record<TrialState, number>> = {};
  for (const { purpose, state } of trials) if (purpose === 'search') states[state] = (states[state] ?? 0) + 1;
  return states;
}
