import { html, type Markup } from '../markup.ts';
import { showCount, showDeviation, showDifference, showMetric, showSeconds } from '../numbers.ts';
import { figure, NONE, page, section, versionsSection } from '../page.ts';
import { type Analysis, bands, type CompetitorSummary, type Significance, type Spread } from './analysis.ts';
import type { Comparison } from './data.ts';
import { bestFigure, coloursOf, finalFigure, regretFigure } from './figures.ts';

/** A comparison as one HTML file that needs nothing else. What came from outside is escaped. */
export function renderComparison(comparison: Comparison, analysis: Analysis): string {
  return page({
    title: comparison.title,
    about: `Comparison of ${comparison.competitors.map(({ name }) => name).join(', ')} · budget ${comparison.budget}`,
    version: comparison.versions.netsmith ?? '',
    sections: [
      result(comparison, analysis),
      figures(comparison, analysis),
      likeness(comparison, analysis),
      runs(comparison),
      protocol(comparison),
      versionsSection(comparison.versions),
    ],
  });
}

/** `0.012`, `< 0.001` */
export function showP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function showSpread(metric: string, spread: Spread | undefined): string {
  if (spread === undefined) return '–';
  const deviation = spread.count < 2 ? '' : ` ± ${showDeviation(metric, spread.sd)}`;
  return `${showMetric(metric, spread.mean)}${deviation}`;
}

function showInterval(metric: string, spread: Spread | undefined): string {
  if (spread === undefined) return '–';
  const [low, high] = spread.interval;
  return `${showMetric(metric, low)} to ${showMetric(metric, high)}`;
}

/** Best first: by the test mean where all were tested, else by validation. */
export function ranked({ objective }: Comparison, { competitors }: Analysis): readonly CompetitorSummary[] {
  const sign = objective.direction === 'maximise' ? -1 : 1;
  const tested = competitors.every(({ test }) => test !== undefined);
  const value = ({ test, valid }: CompetitorSummary) => sign * ((tested ? test : valid)?.mean ?? Number.NaN);
  return competitors.toSorted((a, b) => value(a) - value(b));
}

function result(comparison: Comparison, analysis: Analysis): Markup {
  const { objective, optimum, reference, warnings, tested } = comparison;
  const { metric } = objective;
  const colours = coloursOf(comparison);
  const order = ranked(comparison, analysis);
  const hasTest = order.some(({ test }) => test !== undefined);
  const hasValid = order.some(({ valid }) => valid !== undefined);
  const values = order.map(
    (one) =>
      html`<tr><th scope="row">${swatch(colours[one.name])} ${one.name}</th><td>${one.seeds.length}</td>${hasTest ? html`<td>${showSpread(metric, one.test)}</td>` : NONE}${hasValid ? html`<td>${showSpread(metric, one.valid)}</td>` : NONE}<td>${showInterval(metric, one.valid ?? one.test)}</td>${optimum === undefined ? NONE : html`<td>${one.regret === undefined ? '–' : showDeviation(metric, one.regret.mean)}</td>`}${hasTest && hasValid ? html`<td>${one.gap === undefined ? '–' : showDifference(metric, one.gap.mean)}</td>` : NONE}<td>${showCount(one.evaluations.mean)}</td><td>${showSeconds(one.totalSeconds)}</td></tr>`,
  );
  const against = order
    .filter(({ name }) => name !== reference)
    .map(
      (one) =>
        html`<tr><th scope="row">${swatch(colours[one.name])} ${one.name}</th>${hasTest ? cells(metric, one.against?.test) : NONE}${hasValid ? cells(metric, one.against?.valid) : NONE}</tr>`,
    );
  const parts = [...(hasTest ? ['test'] : []), ...(hasValid ? ['validation'] : [])];
  const best =
    optimum === undefined
      ? NONE
      : html` The best of the space has ${showMetric(metric, optimum.valid)} on validation${optimum.test === undefined ? '' : ` and ${showMetric(metric, optimum.test)} on test samples`}.`;
  return section('Result', [
    ...warnings.map((warning) => html`<p><strong>${warning}</strong></p>`),
    html`<div class="wide"><table><thead><tr><th></th><th>Seeds</th>${hasTest ? html`<th>Test ${metric}</th>` : NONE}${hasValid ? html`<th>Validation ${metric}</th>` : NONE}<th>95 % interval of its mean</th>${optimum === undefined ? NONE : html`<th>Regret</th>`}${hasTest && hasValid ? html`<th>Validation less test</th>` : NONE}<th>Evaluations</th><th>Computing in all</th></tr></thead><tbody>${values}</tbody></table></div>`,
    html`<p class="note">Values are those of the architecture that each search chose${hasValid ? ' by its validation value' : ', each by its own estimator, whose values cannot be compared'}: mean ± standard deviation over seeds; ${tested} The interval is a 95 % bootstrap percentile interval.${best}${optimum === undefined ? NONE : html` Regret: how far below that the chosen ones are on validation samples, on average.`} Evaluations: mean over seeds.</p>`,
    html`<div class="wide"><table><thead><tr><th>Against ${reference}</th>${parts.map((part) => html`<th>${metric}, ${part}</th><th>p</th><th>p, corrected</th>`)}</tr></thead><tbody>${against}</tbody></table></div>`,
    html`<p class="note">Mean differences; ${analysis.test}, two-sided; corrected for ${against.length} ${against.length === 1 ? 'comparison' : 'comparisons'} (Holm).</p>`,
  ]);
}

function cells(metric: string, significance: Significance | undefined): Markup {
  if (significance === undefined) return html`<td>–</td><td>–</td><td>–</td>`;
  const { difference, p, holm } = significance;
  return html`<td>${showDifference(metric, difference)}</td><td>${showP(p)}</td><td>${showP(holm)}</td>`;
}

function swatch(colour: string | undefined): Markup {
  return html`<svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" fill="${colour ?? ''}"/></svg>`;
}

function figures(comparison: Comparison, analysis: Analysis): Markup {
  const points = bands(comparison);
  const colours = coloursOf(comparison);
  const { axis, competitors } = comparison;
  return section('The searches', [
    html`<p>${competitors.map(({ name }) => html`${swatch(colours[name])} ${name} &nbsp; `)}</p>`,
    html`<div class="figures">${[
      figure(
        points.length === 0 ? undefined : bestFigure(comparison, points),
        `Best so far on validation samples over ${axis}: mean over seeds; shaded, its 95 % bootstrap percentile interval at each moment.`,
      ),
      figure(
        regretFigure(comparison, points),
        'The same as regret: how far the best so far is from the best of the space.',
      ),
      figure(
        finalFigure(comparison, analysis.competitors, 'valid'),
        'What the searches ended with on validation samples: a tick for each seed, the mean and its interval.',
      ),
      figure(
        finalFigure(comparison, analysis.competitors, 'test'),
        'What they come to on test samples: a tick for each seed, the mean and its interval.',
      ),
    ]}</div>`,
  ]);
}

function likeness({ decisions }: Comparison, { competitors }: Analysis): Markup {
  const rows = competitors.flatMap(({ name, likeness }) =>
    likeness === undefined
      ? []
      : [
          html`<tr><th scope="row">${name}</th><td>${likeness.distance.toFixed(2)}</td><td>${(100 * likeness.equal).toFixed(1)} %</td></tr>`,
        ],
  );
  if (rows.length === 0) return NONE;
  return section('How far seeds agree', [
    html`<table><thead><tr><th></th><th>Decisions that differ, of ${decisions.length}</th><th>Same architecture</th></tr></thead><tbody>${rows}</tbody></table>`,
    html`<p class="note">Over all pairs of seeds: the mean number of decisions in which what they found differs (Hamming distance), and the share of pairs that found the same.</p>`,
  ]);
}

function runs({ competitors, objective: { metric } }: Comparison): Markup {
  const all = competitors.flatMap(({ name, runs }) => runs.map((run) => ({ name, ...run })));
  const hasValid = all.some(({ valid }) => valid !== undefined);
  const rows = all.map(
    (run) =>
      html`<tr><th scope="row">${run.name}</th><td>${run.seed}</td>${hasValid ? html`<td>${showMetric(metric, run.valid)}</td>` : NONE}<td>${showMetric(metric, run.test)}</td><td>${run.evaluations}</td><td>${showSeconds(run.seconds)}</td><td class="text long"><code>${run.text}</code></td></tr>`,
  );
  return section('Every search', [
    html`<details><summary>All ${all.length}</summary><div class="wide tall"><table><thead><tr><th></th><th>Seed</th>${hasValid ? html`<th>Validation ${metric}</th>` : NONE}<th>Test ${metric}</th><th>Evaluations</th><th>Computing</th><th class="text">Architecture</th></tr></thead><tbody>${rows}</tbody></table></div></details>`,
  ]);
}

function protocol({ protocol, command }: Comparison): Markup {
  const rows = Object.entries(protocol).map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td class="text">${value}</td></tr>`,
  );
  return section('What all had in common', [
    html`<table class="settings"><tbody>${rows}</tbody></table>`,
    html`<pre class="wrap">${command}</pre>`,
  ]);
}
