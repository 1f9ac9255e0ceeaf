import type { Metrics } from '../../common/metrics.ts';
import type { ReportData, TestResult } from '../data.ts';
import { confusionFigure, LABELED } from '../figures/confusion.ts';
import { html, type Markup } from '../markup.ts';
import { mean, plural, showCount, showDifference, showMetric } from '../numbers.ts';
import { figure, NONE, type Section } from '../page.ts';
import { SOURCES } from '../sources.ts';
import { type Column, dataTable, type Row } from '../table.ts';
import { classicalTable } from './classical.ts';
import { confirmations, headlineOf, spread, valuesOf, winningTrial } from './values.ts';

/** Found and baselines, front, confusion. */
export function resultsSection(data: ReportData): Section | undefined {
  const { winner } = data;
  if (winner === undefined) return undefined;
  return {
    id: 'results',
    title: 'Results',
    body: html`${networksTable(data)}${classicalTable(data)}${otherMetrics(data)}${frontTable(data)}${confusion(data)}`,
  };
}

function networksTable(data: ReportData): Markup {
  const { winner, test, estimator, baselines } = data;
  if (winner === undefined) return NONE;
  const { metric } = headlineOf(data);
  const { metric: shown } = data.tested;
  const { column, note } = SOURCES[estimator];
  const winning = winningTrial(data);
  const confirmed = valuesOf(
    confirmations(data).map((t) => t.metrics),
    metric,
  );
  const valid = winning?.metrics[metric] ?? winning?.costs[metric];
  const tested = valuesOf(test?.metrics ?? [], shown);
  // With one seed it is the test value itself.
  const ofFile = tested.length > 1 ? test?.ofFile?.[shown] : undefined;
  const repeated = confirmed.length > 0;
  const isTrained = SOURCES[estimator].trained;
  const before = confirmed.length > 0 ? mean(confirmed) : valid;
  const gap =
    before !== undefined && tested.length > 0 && (isTrained || repeated) && shown === metric
      ? mean(tested) - before
      : undefined;
  const { isCode = false } = data.space;
  const untested = data.testedInstead === undefined ? 'not measured' : 'not tested';
  const { params = 0, flops = 0 } = winner.costs ?? {};
  const row = (
    name: string | Markup,
    validation: readonly string[],
    result: TestResult | undefined,
    costs: Metrics,
    best: boolean,
  ): Row => {
    const values = valuesOf(result?.metrics ?? [], shown);
    const difference =
      best || values.length === 0 || tested.length === 0 ? '' : showDifference(shown, mean(values) - mean(tested));
    return {
      best,
      cells: [
        name,
        ...(isCode ? [] : [values.length === 0 ? untested : spread(shown, values)]),
        ...(baselines.length === 0 ? [] : [difference]),
        ...validation,
        ...data.costs.map(({ name: cost }) => showMetric(cost, costs[cost])),
      ],
    };
  };
  const columns: Column[] = [
    { head: 'Network', kind: 'text' },
    ...(isCode ? [] : [{ head: `Test ${shown}` }]),
    ...(baselines.length === 0 ? [] : [{ head: 'against found' }]),
    { head: `${column} ${metric}` },
    ...(repeated ? [{ head: isTrained ? 'other seeds' : 'trained' }] : []),
    ...(gap === undefined ? [] : [{ head: 'test minus validation' }]),
    ...(ofFile === undefined ? [] : [{ head: 'Test, exported file' }]),
    ...data.costs.map(({ label }) => ({ head: label })),
  ];
  const found = [
    showMetric(metric, valid),
    ...(repeated ? [spread(metric, confirmed)] : []),
    ...(gap === undefined ? [] : [showDifference(metric, gap)]),
    ...(ofFile === undefined ? [] : [showMetric(shown, ofFile)]),
  ];
  const rows = [
    row(
      `Found (trial ${winner.trial})`,
      found,
      test,
      { ...winner.metrics, ...(winner.costs && { params, flops }) },
      true,
    ),
    ...baselines.map((one) =>
      row(
        `Baseline ${one.name}`,
        found.map(() => ''),
        one,
        one.costs ?? {},
        false,
      ),
    ),
  ];
  return dataTable({
    caption: `${winner.by === undefined ? '' : `${winner.by}. `}${note}${seedsNote(data)}`,
    columns,
    rows,
  });
}

/** What else was measured on the test set. */
function otherMetrics({ test, baselines, tested, winner }: ReportData): Markup {
  const others = [...new Set((test?.metrics ?? []).flatMap((m) => Object.keys(m)))].filter((m) => m !== tested.metric);
  if (test === undefined || others.length === 0) return NONE;
  const row = (name: string, { metrics }: TestResult) => ({
    cells: [name, ...others.map((m) => spread(m, valuesOf(metrics, m)))],
  });
  const table = dataTable({
    caption: 'Other metrics on the test set.',
    columns: [{ head: 'Network', kind: 'text' }, ...others.map((head) => ({ head }))],
    rows: [row(`Found (trial ${winner?.trial})`, test), ...baselines.map((one) => row(`Baseline ${one.name}`, one))],
  });
  return html`<details><summary>Other test metrics</summary>${table}</details>`;
}

function seedsNote({ test, baselines, estimator }: ReportData): string {
  if (test === undefined || estimator === 'table') return '';
  const trained = `Trained from scratch on ${test.trainedOn} with ${plural(test.seeds.length, 'seed')}`;
  const alike = baselines.length > 0 ? ', baselines with the same settings' : '';
  return ` ${trained}${alike}${test.seeds.length > 1 ? '; ± is the standard deviation over seeds' : ''}.`;
}

/** With several objectives: the trials that no other trial beats in all of them. */
function frontTable({ objectives, front, trials, winner }: ReportData): Markup {
  if (objectives.length < 2) return NONE;
  const members = front.flatMap((n) => trials.find(({ trial, purpose }) => purpose === 'search' && trial === n) ?? []);
  const names = objectives.map(({ metric }) => metric);
  return dataTable({
    caption: `Pareto front: ${plural(members.length, 'trial')} that no other beats in every objective (values of the search).`,
    columns: [{ head: 'Trial' }, ...names.map((head) => ({ head })), { head: 'Architecture', kind: 'long' }],
    rows: members.map((t) => ({
      best: t.trial === winner?.trial,
      cells: [
        { show: String(t.trial), sort: t.trial },
        ...names.map((name) => {
          const value = t.metrics[name] ?? t.costs[name];
          return { show: showMetric(name, value), sort: value ?? Number.NaN };
        }),
        html`<code>${t.architecture}</code>`,
      ],
    })),
    sortable: true,
    tall: members.length > 15,
  });
}

/** Pairs of classes that are listed as most often confused. */
const PAIRS = 10;

function confusion({ test, data }: ReportData): Markup {
  const matrix = test?.confusion;
  if (test === undefined || matrix === undefined) return NONE;
  const name = (index: number) => data.labels[index] ?? String(index);
  const summed = test.seeds.length > 1 ? `${test.seeds.length} seeds summed; ` : '';
  const totals = matrix.map((row) => row.reduce((sum, n) => sum + n, 0));
  const pairs = matrix
    .flatMap((row, truth) => row.map((count, predicted) => ({ truth, predicted, count })))
    .filter(({ truth, predicted, count }) => truth !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, PAIRS);
  const confused =
    pairs.length === 0
      ? html`<p class="empty">No sample of the test set was classified wrongly.</p>`
      : dataTable({
          caption: 'Most frequent confusions on the test set.',
          columns: [
            { head: 'True class', kind: 'text' },
            { head: 'Predicted as', kind: 'text' },
            { head: 'Samples' },
            { head: 'of the class' },
          ],
          rows: pairs.map(({ truth, predicted, count }) => ({
            cells: [
              name(truth),
              name(predicted),
              showCount(count),
              `${((100 * count) / (totals[truth] || 1)).toFixed(1)} %`,
            ],
          })),
        });
  const classes = dataTable({
    caption: `Test set by class${test.seeds.length > 1 ? ` (${test.seeds.length} seeds summed)` : ''}.`,
    columns: [{ head: 'Class', kind: 'text' }, { head: 'Samples' }, { head: 'Recall' }, { head: 'Precision' }],
    rows: matrix.map((row, k) => {
      const hits = row[k] ?? 0;
      const predicted = matrix.reduce((sum, other) => sum + (other[k] ?? 0), 0);
      const share = (of: number) => ({
        show: of === 0 ? '–' : `${((100 * hits) / of).toFixed(1)} %`,
        sort: of === 0 ? Number.NaN : hits / of,
      });
      const total = totals[k] ?? 0;
      return { cells: [name(k), { show: showCount(total), sort: total }, share(total), share(predicted)] };
    }),
    sortable: true,
    tall: matrix.length > 20,
  });
  const unnamed = matrix.length > LABELED ? ` Classes are in the order of the table below, by number.` : '';
  return html`<h3>Confusion on the test set</h3><div class="figures">${figure(confusionFigure(matrix, data.labels), `Confusion matrix on the test set (${summed}rows normalized).${unnamed}`)}<div>${confused}</div></div><details><summary>All ${matrix.length} classes</summary>${classes}</details>`;
}
