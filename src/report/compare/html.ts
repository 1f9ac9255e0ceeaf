import { html, type Markup } from '../markup.ts';
import { plural, showCount, showDeviation, showDifference, showMetric, showSeconds } from '../numbers.ts';
import { environment, figure, NONE, page, type Section } from '../page.ts';
import { type Cell, type Column, dataTable, factTable } from '../table.ts';
import { type Analysis, bands, type CompetitorSummary, type Significance, type Spread } from './analysis.ts';
import type { Comparison } from './data.ts';
import { bestFigure, colorsOf, finalFigure, regretFigure } from './figures.ts';
import { ranked, showP, tilesOf, winnerOf } from './verdict.ts';

/** A comparison as one HTML file that needs nothing else. What came from outside is escaped. */
export async function renderComparison(comparison: Comparison, analysis: Analysis): Promise<string> {
  const { text, tone } = winnerOf(comparison, analysis);
  const { warnings } = comparison;
  return page({
    title: comparison.title,
    about: `Comparison of ${comparison.competitors.map(({ name }) => name).join(', ')} · budget ${comparison.budget}`,
    version: comparison.versions.netsmith ?? '',
    tiles: tilesOf(comparison, analysis),
    verdict: { tone, text: html`${text}`, next: warnings.length === 0 ? undefined : html`${warnings.join(' ')}` },
    sections: [
      result(comparison, analysis),
      figures(comparison, analysis),
      likeness(comparison, analysis),
      runs(comparison),
      protocol(comparison),
      environment(comparison.versions),
      { id: 'conclusion', title: 'Conclusion', body: html`<p>${text}</p>` },
    ],
  });
}

function showSpread(metric: string, spread: Spread | undefined): Cell {
  if (spread === undefined) return { show: '–', sort: Number.NaN };
  const deviation = spread.count < 2 ? '' : ` ± ${showDeviation(metric, spread.sd)}`;
  return { show: `${showMetric(metric, spread.mean)}${deviation}`, sort: spread.mean };
}

function showInterval(metric: string, spread: Spread | undefined): string {
  if (spread === undefined || spread.count < 2) return '–';
  const [low, high] = spread.interval;
  return `${showMetric(metric, low)} to ${showMetric(metric, high)}`;
}

function result(comparison: Comparison, analysis: Analysis): Section {
  const { objective, optimum, reference, tested } = comparison;
  const { metric } = objective;
  const colors = colorsOf(comparison);
  const order = ranked(comparison, analysis);
  const hasTest = order.some(({ test }) => test !== undefined);
  const hasValid = order.some(({ valid }) => valid !== undefined);
  const both = hasTest && hasValid;
  const columns: Column[] = [
    { head: 'Search', kind: 'text' },
    { head: 'Seeds' },
    ...(hasTest ? [{ head: `Test ${metric}` }] : []),
    ...(hasValid ? [{ head: `Validation ${metric}` }] : []),
    { head: '95 % bootstrap interval' },
    ...(optimum === undefined ? [] : [{ head: 'Regret' }]),
    ...(both ? [{ head: 'Validation minus test' }] : []),
    { head: 'Evaluations' },
    { head: 'Compute' },
  ];
  const rows = order.map((one) => ({
    best: one.name === analysis.leader.name,
    cells: [
      named(colors, one.name),
      { show: String(one.seeds.length), sort: one.seeds.length },
      ...(hasTest ? [showSpread(metric, one.test)] : []),
      ...(hasValid ? [showSpread(metric, one.valid)] : []),
      showInterval(metric, one.valid ?? one.test),
      ...(optimum === undefined
        ? []
        : [
            {
              show: one.regret === undefined ? '–' : showDeviation(metric, one.regret.mean),
              sort: one.regret?.mean ?? Number.NaN,
            },
          ]),
      ...(both
        ? [
            {
              show: one.gap === undefined ? '–' : showDifference(metric, one.gap.mean),
              sort: one.gap?.mean ?? Number.NaN,
            },
          ]
        : []),
      { show: showCount(one.evaluations.mean), sort: one.evaluations.mean },
      { show: showSeconds(one.totalSeconds), sort: one.totalSeconds },
    ],
  }));
  const chosen = hasValid ? 'by validation value' : 'by its own estimator, whose values cannot be compared';
  return {
    id: 'results',
    title: 'Results',
    body: html`${dataTable({
      caption: `Mean ± standard deviation over seeds, of the architecture that each search chose ${chosen}; ${tested}`,
      columns,
      rows,
      sortable: true,
    })}${againstReference(comparison, analysis, order, { hasTest, hasValid })}${againstLeader(comparison, analysis, reference)}`,
  };
}

function againstReference(
  comparison: Comparison,
  analysis: Analysis,
  order: readonly CompetitorSummary[],
  { hasTest, hasValid }: { readonly hasTest: boolean; readonly hasValid: boolean },
): Markup {
  const { reference, objective } = comparison;
  const { metric } = objective;
  const colors = colorsOf(comparison);
  const others = order.filter(({ name }) => name !== reference);
  if (others.length === 0) return NONE;
  const parts = [...(hasTest ? ['test'] : []), ...(hasValid ? ['validation'] : [])];
  return dataTable({
    caption: `Mean difference from ${reference}: ${analysis.test}, two-sided, corrected for ${plural(others.length, 'comparison')} (Holm).`,
    columns: [
      { head: `Against ${reference}`, kind: 'text' },
      ...parts.flatMap((part) => [{ head: `${metric}, ${part}` }, { head: 'p' }, { head: 'p, corrected' }]),
    ],
    rows: others.map((one) => ({
      cells: [
        named(colors, one.name),
        ...(hasTest ? significance(metric, one.against?.test) : []),
        ...(hasValid ? significance(metric, one.against?.valid) : []),
      ],
    })),
  });
}

/** Where the leader is not tested against random search alone, what the verdict rests on. */
function againstLeader(comparison: Comparison, { leader, test }: Analysis, reference: string): Markup {
  if (leader.against.length < 2 && leader.name !== reference) return NONE;
  const { metric } = comparison.objective;
  const colors = colorsOf(comparison);
  return dataTable({
    caption: `Lead of ${leader.name}, the best mean: ${test}, two-sided, corrected for all pairs of searches (Holm).`,
    columns: [
      { head: 'Ahead of', kind: 'text' },
      { head: `${metric}, ${leader.part === 'test' ? 'test' : 'validation'}` },
      { head: 'p' },
      { head: 'p, corrected' },
    ],
    rows: leader.against.map((one) => ({ cells: [named(colors, one.name), ...significance(metric, one)] })),
  });
}

function significance(metric: string, found: Significance | undefined): Cell[] {
  if (found === undefined) return ['–', '–', '–'].map((show) => ({ show, sort: Number.NaN }));
  const { difference, p, holm } = found;
  return [
    { show: showDifference(metric, difference), sort: difference },
    { show: showP(p), sort: p },
    { show: showP(holm), sort: holm },
  ];
}

function named(colors: Readonly<Record<string, string>>, name: string): Markup {
  return html`${swatch(colors[name])}${name}`;
}

function swatch(color: string | undefined): Markup {
  return html`<svg class="swatch" width="11" height="11" aria-hidden="true"><rect width="11" height="11" rx="2" fill="${color ?? ''}"/></svg>`;
}

function figures(comparison: Comparison, analysis: Analysis): Section {
  const points = bands(comparison);
  const colors = colorsOf(comparison);
  const { axis, competitors } = comparison;
  return {
    id: 'searches',
    title: 'Searches',
    body: html`<ul class="legend">${competitors.map(({ name }) => html`<li>${named(colors, name)}</li>`)}</ul><div class="figures">${[
      figure(
        points.length === 0 ? undefined : bestFigure(comparison, points),
        `Best so far on the validation set over ${axis}: mean over seeds with its 95 % interval.`,
      ),
      figure(regretFigure(comparison, points), 'The same as regret: distance to the best of the space.'),
      figure(
        finalFigure(comparison, analysis.competitors, 'valid'),
        `Final validation ${comparison.objective.metric}: one tick per seed, with mean and 95 % interval.`,
      ),
      figure(
        finalFigure(comparison, analysis.competitors, 'test'),
        `Final test ${comparison.objective.metric}: one tick per seed, with mean and 95 % interval.`,
      ),
    ]}</div>`,
  };
}

function likeness({ decisions }: Comparison, { competitors }: Analysis): Section | undefined {
  const rows = competitors.flatMap(({ name, likeness }) =>
    likeness === undefined
      ? []
      : [{ cells: [name, likeness.distance.toFixed(2), `${(100 * likeness.equal).toFixed(1)} %`] }],
  );
  if (rows.length === 0) return undefined;
  return {
    id: 'agreement',
    title: 'Agreement between seeds',
    body: dataTable({
      caption: `Over all pairs of seeds: mean number of differing decisions, of ${decisions.length} (Hamming distance), and share of pairs that found the same architecture.`,
      columns: [{ head: 'Search', kind: 'text' }, { head: 'Differing decisions' }, { head: 'Same architecture' }],
      rows,
    }),
  };
}

function runs({ competitors, objective: { metric } }: Comparison): Section {
  const all = competitors.flatMap(({ name, runs }) => runs.map((run) => ({ name, ...run })));
  const hasValid = all.some(({ valid }) => valid !== undefined);
  const value = (of: number | undefined): Cell => ({ show: showMetric(metric, of), sort: of ?? Number.NaN });
  const table = dataTable({
    caption: 'What each search chose.',
    columns: [
      { head: 'Search', kind: 'text' },
      { head: 'Seed' },
      ...(hasValid ? [{ head: `Validation ${metric}` }] : []),
      { head: `Test ${metric}` },
      { head: 'Evaluations' },
      { head: 'Compute' },
      { head: 'Architecture', kind: 'long' },
    ],
    rows: all.map((run) => ({
      cells: [
        run.name,
        { show: String(run.seed), sort: run.seed },
        ...(hasValid ? [value(run.valid)] : []),
        value(run.test),
        { show: showCount(run.evaluations), sort: run.evaluations },
        { show: showSeconds(run.seconds), sort: run.seconds },
        html`<code>${run.text}</code>`,
      ],
    })),
    sortable: true,
    tall: all.length > 15,
  });
  return {
    id: 'runs',
    title: 'All searches',
    body: html`<details><summary>All ${plural(all.length, 'search')}</summary>${table}</details>`,
  };
}

function protocol({ protocol, command }: Comparison): Section {
  return {
    id: 'protocol',
    title: 'Shared protocol',
    body: html`${factTable('What all searches had in common.', Object.entries(protocol))}<pre class="wrap">${command}</pre>`,
  };
}
