import { compareBy } from '../../common/metrics.ts';
import type { ReportData, ReportTrial } from '../data.ts';
import { html, type Markup } from '../markup.ts';
import { showCount, showMetric, showSeconds } from '../numbers.ts';
import type { Section } from '../page.ts';
import { SOURCES } from '../sources.ts';
import { type Cell, type Column, dataTable, type Row } from '../table.ts';
import { headlineOf } from './values.ts';

/** Trials in the table; more would make the file slow to open. */
const MOST_ROWS = 1000;

export function trialsSection(data: ReportData): Section {
  const { trials, winner, estimator, dir } = data;
  const { metric: first } = headlineOf(data);
  const found = new Set(trials.flatMap((t) => Object.keys(t.metrics)));
  // The others, which say nearly the same, would push the architecture out of sight; `netsmith trials --json` has them.
  const wanted = [first, ...data.objectives.map(({ metric }) => metric), 'loss'];
  const metrics = [...new Set(wanted)].filter((metric) => found.has(metric));
  const kept = shownTrials(data);
  const left =
    kept.length < trials.length
      ? ` The ${showCount(kept.length)} best of ${showCount(trials.length)}; netsmith trials ${dir} lists all.`
      : '';
  const columns: Column[] = [
    { head: 'Trial' },
    { head: 'State', kind: 'text' },
    ...metrics.map((head) => ({ head })),
    ...data.costs.map(({ label }) => ({ head: label })),
    { head: 'Epochs' },
    { head: 'Time' },
    { head: 'Architecture', kind: 'long' },
  ];
  const rows = kept.map((t): Row => {
    const best = winner !== undefined && t.purpose === 'search' && t.trial === winner.trial;
    const confirms = t.purpose === 'confirm' ? html` <span class="tag">confirms ${t.repeats ?? '?'}</span>` : undefined;
    return {
      best,
      cells: [
        { show: html`${t.trial}${best ? html` <span class="tag">best</span>` : undefined}${confirms}`, sort: t.trial },
        t.state,
        ...metrics.map((m): Cell => ({ show: showMetric(m, t.metrics[m]), sort: t.metrics[m] ?? Number.NaN })),
        ...data.costs.map(({ name }) => cost(t.costs[name], (value) => showMetric(name, value))),
        cost(t.curve.at(-1)?.step ?? 0, String),
        { show: showSeconds(t.seconds), sort: t.seconds },
        html`<code>${t.architecture}</code>${reason(t)}`,
      ],
    };
  });
  return {
    id: 'trials',
    title: 'Trials',
    body: dataTable({
      caption: `${left === '' ? 'Every trial' : 'Trials'}, ${SOURCES[estimator].where}; with scripts allowed, a click on a heading sorts.${left}`,
      columns,
      rows,
      sortable: true,
      tall: rows.length > 15,
    }),
  };
}

/** All of them, or the best by the first objective with all confirmations, in their order. */
function shownTrials(data: ReportData): readonly ReportTrial[] {
  const { trials } = data;
  if (trials.length <= MOST_ROWS) return trials;
  const objective = headlineOf(data);
  const rank = (t: ReportTrial) =>
    t.purpose === 'confirm' || t.trial === data.winner?.trial ? 0 : t.state === 'complete' ? 1 : 2;
  const ordered = trials.toSorted(
    (a, b) => rank(a) - rank(b) || compareBy(objective, { ...a.costs, ...a.metrics }, { ...b.costs, ...b.metrics }),
  );
  const kept = new Set(ordered.slice(0, MOST_ROWS));
  return trials.filter((t) => kept.has(t));
}

function cost(value: number | undefined, show: (value: number) => string): Cell {
  return value === undefined ? { show: '–', sort: Number.NaN } : { show: show(value), sort: value };
}

function reason(t: ReportTrial): Markup | undefined {
  return t.reason === undefined ? undefined : html`<div class="reason">${t.reason}</div>`;
}
