/** Baselines that are no networks, in a report. */
import type { ReportData, TestedBaseline } from '../data.ts';
import { html, type Markup } from '../markup.ts';
import { mean, showDifference, showMetric, showSeconds } from '../numbers.ts';
import { NONE } from '../page.ts';
import { dataTable } from '../table.ts';
import { valuesOf } from './values.ts';

function bestFirst({ classical = [], tested: { metric, direction } }: ReportData): readonly TestedBaseline[] {
  const sign = direction === 'maximize' ? -1 : 1;
  return classical
    .filter(({ test }) => Number.isFinite(test[metric]))
    .toSorted((a, b) => sign * ((a.test[metric] ?? 0) - (b.test[metric] ?? 0)));
}

/** Baselines that are no networks, the best first. */
export function classicalTable(data: ReportData): Markup {
  const {
    classical = [],
    test,
    tested: { metric },
  } = data;
  if (classical.length === 0) return NONE;
  const found = valuesOf(test?.metrics ?? [], metric);
  const sorted = bestFirst(data);
  const notes = sorted.flatMap(({ name, notes }) => notes.map((note) => ` ${name}: ${note}`)).join('');
  return dataTable({
    caption: `Baselines that are not neural networks, fitted on train + validation data.${notes}`,
    columns: [
      { head: 'Baseline', kind: 'text' },
      { head: `Test ${metric}` },
      ...(found.length === 0 ? [] : [{ head: 'against found' }]),
      { head: `Validation ${metric}` },
      { head: 'Time' },
      { head: 'Exported', kind: 'text' },
    ],
    rows: sorted.map(({ name, test: own, validation, seconds, exported = '' }) => ({
      best: false,
      cells: [
        name,
        showMetric(metric, own[metric]),
        ...(found.length === 0 ? [] : [showDifference(metric, (own[metric] ?? Number.NaN) - mean(found))]),
        showMetric(metric, validation[metric]),
        showSeconds(seconds),
        exported,
      ],
    })),
  });
}

/** How the best of them stands against the found network, and where its file is if it is better; undefined where there is none. */
export function classicalVerdict(data: ReportData): Markup | undefined {
  const { metric, direction } = data.tested;
  const found = valuesOf(data.test?.metrics ?? [], metric);
  const [best] = bestFirst(data);
  if (best === undefined || found.length === 0) return undefined;
  const { name, test, exported } = best;
  const gain = (test[metric] ?? Number.NaN) - mean(found);
  const isBetter = gain !== 0 && gain > 0 === (direction === 'maximize');
  const size = showDifference(metric, gain).slice(1);
  const relation = gain === 0 ? 'as good' : `${size} ${isBetter ? 'better' : 'worse'}`;
  const file = isBetter && exported !== undefined ? html`: <code>${exported}</code>` : '';
  return html` The best baseline that is not a neural network, ${name}, is <strong>${relation}</strong> (${showMetric(metric, test[metric])})${file}.`;
}
