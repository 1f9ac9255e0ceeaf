import type { ReportData, ReportTrial, ShownCost } from '../data.ts';
import {
  bestOverTime,
  bestOverTrials,
  costScatter,
  hypervolumeOverTrials,
  learningCurves,
} from '../figures/figures.ts';
import { html, type Markup } from '../markup.ts';
import {
  coverageText,
  plural,
  showAccount,
  showAgreement,
  showCount,
  showMetric,
  shownAgreements,
  showSeconds,
} from '../numbers.ts';
import { figure, NONE, type Section } from '../page.ts';
import { SOURCES } from '../sources.ts';
import { factTable } from '../table.ts';
import { capital, headlineOf } from './values.ts';

/** What was tried, by what, and how it went. */
export function searchSection(data: ReportData): Section {
  return { id: 'search', title: 'Search', body: html`${figures(data)}${facts(data)}` };
}

function figures(data: ReportData): Markup {
  const { trials, winner, estimator } = data;
  const objective = headlineOf(data);
  const { where, part } = SOURCES[estimator];
  const chosen = winner?.trial;
  const [overTrials, overTime] = [bestOverTrials(trials, objective, part), bestOverTime(trials, objective, part)];
  const curves =
    estimator === 'train' ? learningCurves(trials, objective, chosen, data.policy?.stepsPerEpoch) : undefined;
  const shown = [
    figure(overTrials?.svg, `Best so far (line) and each trial (dots), ${where}${leftOut(overTrials)}`),
    figure(overTime?.svg, `The same over search time${leftOut(overTime)}`),
    figure(curves?.svg, `Learning curves on the validation set, the winner in color${leftOut(curves)}`),
    ...(data.coverage === undefined
      ? []
      : [figure(hypervolumeOverTrials(data.coverage)?.svg, coverageText(data.coverage))]),
    ...[...data.costs, ...otherMetrics(data)]
      .filter(({ direction }) => direction === 'minimize')
      .map((cost) => {
        const { name, label } = cost;
        const drawn = costScatter(trials, objective, cost, chosen, part);
        const about =
          name === 'flops'
            ? 'FLOPs per sample'
            : `${name === 'params' ? 'parameters' : label}, with the Pareto front; ring: the winner`;
        return figure(drawn?.svg, `${capital(objective.metric)} against ${about}${leftOut(drawn)}`);
      }),
  ];
  if (shown.every((one) => one.markup === '')) return NONE;
  return html`<div class="figures">${shown}</div>`;
}

/** The objectives that are neither costs nor the headline. */
function otherMetrics(data: ReportData): readonly ShownCost[] {
  const known = [headlineOf(data).metric, ...data.costs.map(({ name }) => name)];
  const others = data.objectives.filter(({ metric }) => !known.includes(metric));
  return others.map(({ metric, direction, unit }) => ({ name: metric, label: `${metric} (${unit})`, direction }));
}

function leftOut(one: { readonly left?: string } | undefined): string {
  return one?.left === undefined ? '.' : ` (${one.left}).`;
}

function facts(data: ReportData): Markup {
  const { space, strategy, trials, estimator } = data;
  const { metric } = headlineOf(data);
  const searched = trials.filter((t) => t.purpose === 'search');
  const states = (['complete', 'pruned', 'paused', 'failed', 'running', 'waiting'] as const).flatMap((state) => {
    const count = searched.filter((t: ReportTrial) => t.state === state).length;
    return count === 0 ? [] : [`${showCount(count)} ${state}`];
  });
  const size = space.size === undefined ? '' : ` of ${space.size} architectures`;
  return factTable(`${capital(strategy)} search tried ${showCount(searched.length)}${size} in ${space.name}.`, [
    ['Trials', states.join(', ') || 'none'],
    ...(data.seconds > 0 ? [['Compute', `${showSeconds(data.seconds)} ${SOURCES[estimator].work}`] as const] : []),
    ...(data.account === undefined ? [] : [['Worker time', showAccount(data.account)] as const]),
    ...shownAgreements(data.agreements, data.estimator).map((one) => ['Rank correlation', showAgreement(one)] as const),
    ...(data.earlier ?? []).map(
      ({ study, trials, best }) =>
        [
          'Warm start',
          html`${plural(trials, 'trial')} of the earlier study ${study}, best ${metric} ${showMetric(metric, best[metric])}`,
        ] as const,
    ),
  ]);
}
