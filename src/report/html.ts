import type { Json } from '../common/json.ts';
import type { Metrics } from '../common/metrics.ts';
import type { ReportData, ReportTrial, TestResult } from './data.ts';
import { drawArchitecture } from './drawing/draw.ts';
import { architectureText } from './drawing/text.ts';
import { bestOverTime, bestOverTrials, confusionFigure, costScatter, learningCurves } from './figures/figures.ts';
import { html, type Markup, trusted } from './markup.ts';
import {
  deviation,
  mean,
  showAccount,
  showAgreement,
  showBytes,
  showCount,
  showDeviation,
  showDifference,
  showLarge,
  showMetric,
  showSeconds,
} from './numbers.ts';
import { figure, NONE, page, section, versionsSection } from './page.ts';
import { SOURCES } from './sources.ts';

/**
 * A study as one HTML file that needs nothing else: no network, no script, no font. Everything that came from outside
 * (names of classes, files, reasons of failures) is escaped.
 */
export async function renderReport(data: ReportData): Promise<string> {
  const sections = [
    result(data),
    searchFigures(data),
    await architecture(data),
    layerCosts(data),
    trialTable(data),
    repeatIt(data),
    dataNotes(data),
    versionsSection(data.versions),
  ];
  return page({
    title: data.name,
    about: `${data.strategy} on ${data.space.name} for ${data.data.name} · begun ${date(data.createdAt)}${data.finished ? '' : ' · not at its end yet'}`,
    version: data.versions.netsmith ?? '',
    sections,
  });
}

function date(moment: number): string {
  return `${new Date(moment).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

// --- Result -------------------------------------------------------------------------------------------------------

function winningTrial({ trials, winner }: ReportData): ReportTrial | undefined {
  return winner && trials.find((t) => t.purpose === 'search' && t.trial === winner.trial);
}

/** Confirmations of the winner: the same architecture, other seeds, complete. */
function confirmations({ trials, winner }: ReportData): ReportTrial[] {
  return winner === undefined
    ? []
    : trials.filter((t) => t.purpose === 'confirm' && t.repeats === winner.trial && t.state === 'complete');
}

function valuesOf(metrics: readonly Metrics[], metric: string): number[] {
  return metrics.map((m) => m[metric]).filter((value) => value !== undefined);
}

/** `97.12 % ± 0.30 (3 seeds)`, or an empty text without values. */
function spread(metric: string, values: readonly number[]): string {
  if (values.length === 0) return '';
  if (values.length === 1) return `${showMetric(metric, values[0])} (1 seed)`;
  return `${showMetric(metric, mean(values))} ± ${showDeviation(metric, deviation(values))} (${values.length} seeds)`;
}

/** The same without the number of seeds. */
function short(metric: string, values: readonly number[]): string {
  return spread(metric, values).replace(/ \(.*\)$/, '');
}

function result(data: ReportData): Markup {
  const { winner, test } = data;
  const winning = winningTrial(data);
  const [objective] = data.objectives;
  const { metric } = objective;
  const { where, work, note, trained } = SOURCES[data.estimator];
  const { metric: shown } = data.tested;
  const searched = data.trials.filter((t) => t.purpose === 'search');
  const count = (state: ReportTrial['state']) => searched.filter((t) => t.state === state).length;
  const states = (['complete', 'pruned', 'paused', 'failed', 'running', 'waiting'] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`)
    .join(', ');
  const size = data.space.size === undefined ? '' : ` (${data.space.size} architectures)`;
  const sentences: Markup[] = [
    html`Search by ${data.strategy} proposed ${searched.length} ${searched.length === 1 ? 'architecture' : 'architectures'} of the space ${data.space.name}${size}${states === '' ? '' : `: ${states}`}${data.seconds > 0 ? `; ${showSeconds(data.seconds)} ${work}` : ''}. `,
    ...(data.earlier ?? []).map(
      ({ study, trials, best }) =>
        html`It began with ${trials} trials of the earlier study ${study} (their best: ${showMetric(metric, best[metric])}), which count for nothing else here. `,
    ),
    ...data.agreements.map((one) => html`Rank correlation (Kendall's tau): ${showAgreement(one)}. `),
    data.account === undefined ? NONE : html`What the workers' time went to: ${showAccount(data.account)}. `,
  ];
  if (winner === undefined || winning === undefined) {
    sentences.push(html`<strong>No trial is complete, so there is no result yet.</strong> `);
    return section('Result', [html`<p class="lead">${sentences}</p>`]);
  }
  const valid = winner.metrics?.[metric] ?? winning.metrics[metric] ?? winning.costs[metric];
  sentences.push(
    html`${winner.by ?? `The best by ${metric}`}, <strong>trial ${winner.trial}</strong>, has ${showCount(winner.costs.params)} parameters and ${showLarge(winner.costs.flops)} FLOPs, and reaches <strong>${showMetric(metric, valid)}</strong> ${where}. `,
  );
  const confirmed = valuesOf(
    confirmations(data).map((t) => t.metrics),
    metric,
  );
  if (confirmed.length > 0) {
    sentences.push(html`Trained again with other seeds: ${spread(metric, confirmed)} on the validation samples. `);
  }
  const tested = test === undefined ? [] : valuesOf(test.metrics, shown);
  if (test === undefined || tested.length === 0) {
    sentences.push(
      data.testedInstead === undefined
        ? html`The test samples have not been used. `
        : html`It has not been tested: the evaluation was of trial ${data.testedInstead}. `,
    );
  } else {
    sentences.push(
      data.estimator === 'table'
        ? html`The table's test value: <strong>${shown} ${showMetric(shown, tested[0])}</strong>, which the search never saw. `
        : html`Trained from scratch on ${test.trainedOn} and then tested: <strong>${shown === metric ? '' : `${shown} `}${spread(shown, tested)} on the test samples</strong>, which the search never saw. `,
    );
    if (test.ofFile !== undefined && tested.length > 1)
      sentences.push(
        html`The exported file has the weights of one of these trainings: ${showMetric(shown, test.ofFile[shown])}. `,
      );
    const before = confirmed.length > 0 && winner.metrics === undefined ? mean(confirmed) : valid;
    if (before !== undefined && trained && shown === metric) {
      const which = confirmed.length > 0 ? 'the confirmed validation mean' : 'the validation value';
      sentences.push(html`From ${which} to the test mean: ${showDifference(metric, mean(tested) - before)}. `);
    }
  }
  for (const baseline of data.baselines) {
    const values = valuesOf(baseline.metrics, shown);
    if (values.length === 0) continue;
    const gap = tested.length > 0 ? ` (the found network: ${showDifference(shown, mean(tested) - mean(values))})` : '';
    sentences.push(
      html`Baseline ${baseline.name}, trained with the same budget: ${spread(shown, values)} on the test samples${gap}. `,
    );
  }
  return section('Result', [
    html`<p class="lead">${sentences}</p>`,
    resultTable(data, valid, confirmed),
    html`<p class="note">${note}${data.estimator === 'table' ? '' : ' Test: samples opened once, after the search. ±: standard deviation over seeds.'}</p>`,
    test?.confusion === undefined
      ? NONE
      : html`<figure>${trusted(confusionFigure(test.confusion, data.data.labels))}<figcaption>Test samples by true and predicted class, all ${test.seeds.length} seeds together; the shade is the share of the true class.</figcaption></figure>`,
  ]);
}

function resultTable(data: ReportData, valid: number | undefined, confirmed: readonly number[]): Markup {
  const { winner, test } = data;
  if (winner === undefined) return NONE;
  const { metric } = data.objectives[0];
  const { column } = SOURCES[data.estimator];
  const { metric: shown } = data.tested;
  const repeated = data.estimator === 'train';
  const missing = data.testedInstead === undefined ? 'not opened' : 'not tested';
  const others = [...new Set((test?.metrics ?? []).flatMap((m) => Object.keys(m)))].filter((m) => m !== shown);
  const row = (
    name: string,
    validation: string,
    again: string,
    tested: TestResult | undefined,
    costs: { params: number; flops: number } | undefined,
  ) =>
    html`<tr><th scope="row">${name}</th><td>${validation}</td>${repeated ? html`<td>${again}</td>` : NONE}<td>${tested === undefined ? missing : short(shown, valuesOf(tested.metrics, shown))}</td>${others.map((m) => html`<td>${tested === undefined ? '' : short(m, valuesOf(tested.metrics, m))}</td>`)}<td>${costs === undefined ? '' : showCount(costs.params)}</td><td>${costs === undefined ? '' : showLarge(costs.flops)}</td></tr>`;
  return html`<div class="wide"><table><thead><tr><th>Network</th><th>${column} ${metric}</th>${repeated ? html`<th>Validation, other seeds</th>` : NONE}<th>Test ${shown}</th>${others.map((m) => html`<th>Test ${m}</th>`)}<th>Parameters</th><th>FLOPs</th></tr></thead><tbody>${[
    row(`Found (trial ${winner.trial})`, showMetric(metric, valid), short(metric, confirmed), test, winner.costs),
    ...data.baselines.map((b) => row(`Baseline ${b.name}`, '', '', b, b.costs)),
  ]}</tbody></table></div>`;
}

// --- Figures ------------------------------------------------------------------------------------------------------

function searchFigures({ trials, objectives, winner, estimator }: ReportData): Markup {
  const [objective] = objectives;
  const { where, column, part } = SOURCES[estimator];
  const chosen = winner?.trial;
  const figures = [
    figure(bestOverTrials(trials, objective, part), `Best so far over trials (line), and each trial (dots), ${where}.`),
    figure(bestOverTime(trials, objective, part), 'The same over the time in which the search was running.'),
    figure(
      estimator === 'train' ? learningCurves(trials, objective, chosen) : undefined,
      'Learning curves of all trials on the validation samples; the winner in colour.',
    ),
    figure(
      costScatter(trials, objective, 'params', chosen, part),
      `${column} ${objective.metric} against parameters. Line: the Pareto front; ring: the winner.`,
    ),
    figure(
      costScatter(trials, objective, 'flops', chosen, part),
      `${column} ${objective.metric} against FLOPs of one sample.`,
    ),
  ];
  if (figures.every((f) => f.markup === '')) return NONE;
  return section('The search', [html`<div class="figures">${figures}</div>`]);
}

// --- Architecture -------------------------------------------------------------------------------------------------

async function architecture({ winner, data }: ReportData): Promise<Markup> {
  if (winner === undefined) return NONE;
  const drawing = await drawArchitecture(winner.network, { title: `Architecture of trial ${winner.trial}` });
  return section('The winning architecture', [
    html`<p>Input [${data.input.join(', ')}], ${data.outputs} ${data.kind === 'classification' ? 'classes' : 'targets'}. In the notation of the space:</p><pre class="wrap">${winner.architecture}</pre>`,
    html`<figure class="drawing">${trusted(drawing)}</figure>`,
    html`<details><summary>As text, with output shapes and costs</summary><pre>${architectureText(winner.network, winner.costs.layers)}</pre></details>`,
  ]);
}

function layerCosts({ winner }: ReportData): Markup {
  if (winner === undefined) return NONE;
  const { costs } = winner;
  const rows = costs.layers.map(
    (layer) =>
      html`<tr><th scope="row"><code>${layer.path}</code></th><td class="text">${layer.kind}</td><td>${layer.output.join(' × ')}</td><td>${showCount(layer.params)}</td><td>${showCount(layer.flops)}</td><td>${showBytes(layer.activationBytes)}</td></tr>`,
  );
  return section('Costs by layer', [
    html`<p>For one sample. FLOPs are multiply-accumulates; activation memory is what training keeps of the forward pass, in float32.</p>`,
    html`<table class="totals"><thead><tr><th>Parameters</th><th>FLOPs</th><th>Activation memory</th></tr></thead><tbody><tr><td>${showCount(costs.params)}</td><td>${showCount(costs.flops)}</td><td>${showBytes(costs.activationBytes)}</td></tr></tbody></table>`,
    html`<details><summary>All ${rows.length} layers</summary><div class="wide"><table><thead><tr><th>Path</th><th class="text">Layer</th><th>Output</th><th>Parameters</th><th>FLOPs</th><th>Activations</th></tr></thead><tbody>${rows}</tbody></table></div></details>`,
  ]);
}

// --- Trials -------------------------------------------------------------------------------------------------------

function trialTable({ trials, winner, estimator }: ReportData): Markup {
  const metrics = [...new Set(trials.flatMap((t) => Object.keys(t.metrics)))];
  const rows = trials.map((t) => {
    const kind = t.purpose === 'confirm' ? `, confirms ${t.repeats ?? '?'}` : '';
    const best = winner !== undefined && t.purpose === 'search' && t.trial === winner.trial;
    const reason = t.reason === undefined ? NONE : html`<div class="reason">${t.reason}</div>`;
    return html`<tr${best ? html` class="best"` : NONE}><th scope="row">${t.trial}${kind}${best ? ' ★' : ''}</th><td class="text">${t.state}</td><td class="text long"><code>${t.architecture}</code>${reason}</td>${metrics.map((m) => html`<td>${showMetric(m, t.metrics[m])}</td>`)}<td>${t.costs.params === undefined ? '–' : showCount(t.costs.params)}</td><td>${t.costs.flops === undefined ? '–' : showLarge(t.costs.flops)}</td><td>${t.curve.at(-1)?.step ?? 0}</td><td>${showSeconds(t.seconds)}</td></tr>`;
  });
  return section('Trials', [
    html`<p>Metrics: ${SOURCES[estimator].where}. Accuracy, precision, recall and F1 in per cent.</p>`,
    html`<div class="wide tall"><table><thead><tr><th>Trial</th><th class="text">State</th><th class="text">Architecture</th>${metrics.map((m) => html`<th>${m}</th>`)}<th>Parameters</th><th>FLOPs</th><th>Epochs</th><th>Time</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  ]);
}

// --- Repeating it -------------------------------------------------------------------------------------------------

function repeatIt({ commands, settings, seed, space }: ReportData): Markup {
  const rows = flatten(settings).map(
    ([key, value]) =>
      html`<tr><th scope="row"><code>${key}</code></th><td class="text"><code>${value}</code></td></tr>`,
  );
  return section('To repeat it', [
    commands.length === 0 ? NONE : html`<pre class="wrap">${commands.join('\n')}</pre>`,
    html`<p>Seed ${seed}. Space ${space.name}${Object.entries(space.options).map(([k, v]) => html`, ${k} ${String(v)}`)}. With one worker and the same versions, the same trials follow.</p>`,
    html`<details open><summary>Every setting</summary><table class="settings"><tbody>${rows}</tbody></table></details>`,
  ]);
}

/** Leaves of plain JSON with their paths: `train.learningRate` 0.05. Lists of plain values stay together. */
export function flatten(value: Json, path = ''): [string, string][] {
  if (value === null || typeof value !== 'object') return [[path, String(value)]];
  const plain = Array.isArray(value) && value.every((item) => item === null || typeof item !== 'object');
  if (plain) return [[path, JSON.stringify(value)]];
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  if (entries.length === 0) return [[path, '{}']];
  return entries.flatMap(([key, item]) => flatten(item, path === '' ? key : `${path}.${key}`));
}

function dataNotes({ data, estimator }: ReportData): Markup {
  const { train, valid, test } = data.counts;
  return section('Data', [
    html`<p>${data.name}: ${data.kind}, input [${data.input.join(', ')}]${estimator === 'table' ? '' : `; ${showCount(train)} training, ${showCount(valid)} validation and ${showCount(test)} test samples`}.</p>`,
    html`<ul>${data.notes.map((note) => html`<li>${note}</li>`)}</ul>`,
    data.labels.length === 0
      ? NONE
      : html`<p>${data.kind === 'classification' ? 'Classes' : 'Targets'}: ${data.labels.join(', ')}.</p>`,
  ]);
}
