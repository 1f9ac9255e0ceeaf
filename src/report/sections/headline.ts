import type { ReportData, TestResult } from '../data.ts';
import { html, type Markup } from '../markup.ts';
import { noiseOf } from '../noise.ts';
import {
  deviation,
  mean,
  plural,
  showBytes,
  showCount,
  showDeviation,
  showDifference,
  showLarge,
  showMetric,
  showSeconds,
} from '../numbers.ts';
import type { Tile, Verdict } from '../page.ts';
import { SOURCES } from '../sources.ts';
import { classicalVerdict } from './classical.ts';
import { capital, confirmations, headlineOf, spread, valuesOf } from './values.ts';

/** What a reader wants to know first: how good, how large, how long. */
export function tilesOf(data: ReportData): readonly Tile[] {
  const { winner, test, trials, estimator } = data;
  const { metric } = headlineOf(data);
  const { metric: shown } = data.tested;
  const { column } = SOURCES[estimator];
  const searched = trials.filter((t) => t.purpose === 'search');
  const count = (state: string) => searched.filter((t) => t.state === state).length;
  const others = (['failed', 'pruned', 'paused', 'running', 'waiting'] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  const values = valuesOf(test?.metrics ?? [], shown);
  const tested: Tile = {
    name: `Test ${shown}`,
    value: values.length === 0 ? '–' : showMetric(shown, mean(values)),
    more:
      values.length === 0
        ? html`not measured yet${winner === undefined ? undefined : html`: <code>${evaluateCommand(data)}</code>`}`
        : estimator === 'table'
          ? 'from the table'
          : values.length === 1
            ? '1 seed'
            : `± ${showDeviation(shown, deviation(values))}, ${plural(values.length, 'seed')}`,
  };
  const own = values.length > 1 ? test?.ofFile?.[shown] : undefined;
  const ofFile = own === undefined ? '' : `, test ${shown} ${showMetric(shown, own)}`;
  const best: Tile | undefined = winner && {
    name: `${column} ${metric}`,
    value: showMetric(metric, winner.metrics[metric]),
    more: `trial ${winner.trial}${winner.runs > 1 ? `, mean of ${plural(winner.runs, 'run')}` : ''}`,
  };
  return [
    ...(data.space.isCode === true ? [] : [tested]),
    ...(best === undefined ? [] : [best]),
    ...(winner?.costs === undefined
      ? []
      : [
          { name: 'Parameters', value: showLarge(winner.costs.params), more: showCount(winner.costs.params) },
          { name: 'FLOPs', value: showLarge(winner.costs.flops), more: 'per sample' },
        ]),
    ...data.costs
      .filter(({ name }) => name !== 'params' && name !== 'flops' && winner?.metrics[name] !== undefined)
      .map(({ name, label }): Tile => ({ name: capital(label), value: showMetric(name, winner?.metrics[name]) })),
    ...(data.modelBytes === undefined
      ? []
      : [{ name: 'Model file', value: showBytes(data.modelBytes), more: `best/model.onnx${ofFile}` }]),
    ...(data.searchSeconds > 0
      ? [
          {
            name: 'Search time',
            value: showSeconds(data.searchSeconds),
            more: `${showSeconds(data.seconds)} ${SOURCES[estimator].work}`,
          },
        ]
      : []),
    {
      name: data.finished ? 'Trials' : 'Trials so far',
      value: showCount(count('complete')),
      more: ['complete', ...others].join(', '),
    },
  ];
}

/** How the found network stands against the baselines, and what to do next. */
export function verdictOf(data: ReportData): Verdict {
  const { winner, test, estimator } = data;
  const { dir, files } = data;
  const { isCode = false } = data.space;
  const resume =
    data.finished || isCode
      ? undefined
      : html` The search is still running or was stopped early: <code>netsmith resume ${dir}${files?.resume ?? ''}</code> continues it.`;
  if (winner === undefined) return withoutWinner(data, resume);
  const { metric } = headlineOf(data);
  const { metric: shown } = data.tested;
  const size = winner.costs && `${showCount(winner.costs.params)} parameters`;
  const withSize = size === undefined ? '' : ` with ${size}`;
  const values = valuesOf(test?.metrics ?? [], shown);
  if (values.length === 0) {
    // A confirmation is a training.
    const { column } = SOURCES[confirmations(data).length > 0 ? 'train' : estimator];
    const best = `${showMetric(metric, winner.metrics[metric])} ${column.toLowerCase()} ${metric}`;
    const instead =
      data.testedInstead === undefined
        ? 'The test set has not been used yet'
        : `Only trial ${data.testedInstead} has been tested`;
    return {
      tone: 'open',
      text: html`Trial ${winner.trial} is the best${data.finished ? '' : ' so far'}${amongFront(data)}: ${best}${withSize}.`,
      next: isCode
        ? undefined
        : html`${instead}: <code>${evaluateCommand(data)}</code> measures the best on it.${resume}`,
    };
  }
  const own = `${spread(shown, values)}`;
  const found = html`trial ${winner.trial} reaches ${own} test ${shown}${withSize}`;
  const rival = bestBaseline(data);
  if (rival === undefined) {
    const isPlain = estimator === 'table' || data.data.environment !== undefined;
    const next = isPlain
      ? undefined
      : html`No baseline was trained with it: <code>${evaluateCommand(data)}</code> trains them too.`;
    return {
      tone: 'open',
      text: html`${capitalized(found)}.${classicalVerdict(data) ?? ''}`,
      next: joined(next, resume),
    };
  }
  const theirs = valuesOf(rival.metrics, shown);
  const sign = data.tested.direction === 'maximize' ? 1 : -1;
  const gain = sign * (mean(values) - mean(theirs));
  const noise = noiseOf(values, theirs);
  const seeds = plural(Math.min(values.length, theirs.length), 'seed');
  const judged = {
    within: `within the noise of ${seeds}`,
    beyond: `beyond the noise of ${seeds}`,
    unknown: '1 seed, so the noise is unknown',
  }[noise];
  const relation =
    Math.abs(gain) < 1e-12
      ? html`<strong>as good</strong> as`
      : html`<strong>${distance(shown, Math.abs(gain))} ${gain > 0 ? 'better' : 'worse'}</strong> than`;
  const text = html`Trial ${winner.trial} is ${relation} ${bestOf(data)} ${rival.name}, in test ${shown}: ${own} against ${spread(shown, theirs)} (${judged})${sizeAgainst(winner.costs?.params ?? 0, rival)}.${classicalVerdict(data) ?? ''}`;
  const tone = noise !== 'beyond' ? 'even' : gain > 0 ? 'better' : 'worse';
  return { tone, text, next: joined(nextOf(data, tone, values.length), resume) };
}

/** With several objectives: what it is the best of. */
function amongFront({ objectives, front }: ReportData): string {
  return objectives.length < 2 ? '' : ` by ${objectives[0].metric}, one of ${front.length} on the Pareto front`;
}

function withoutWinner({ trials }: ReportData, resume: Markup | undefined): Verdict {
  const failed = trials.filter((t) => t.purpose === 'search' && t.state === 'failed');
  const reasons = Map.groupBy(failed, ({ reason }) => reason ?? 'no reason was recorded');
  const [common] = [...reasons].toSorted(([, a], [, b]) => b.length - a.length);
  const text =
    failed.length === 0
      ? html`No trial is complete, so there is no result yet.`
      : html`No trial is complete: ${failed.length} failed, ${common?.[1].length ?? 0} of them with “${common?.[0] ?? ''}”.`;
  return { tone: failed.length === 0 ? 'open' : 'worse', text, next: resume };
}

function evaluateCommand({ dir, files }: ReportData): string {
  return `netsmith evaluate ${dir}${files?.evaluate ?? ''}`;
}

/** The baseline with the best mean on the test set. */
function bestBaseline({ baselines, tested: { metric, direction } }: ReportData): TestResult | undefined {
  const sign = direction === 'maximize' ? -1 : 1;
  const value = ({ metrics }: TestResult) => sign * mean(valuesOf(metrics, metric));
  return baselines
    .filter(({ metrics }) => valuesOf(metrics, metric).length > 0)
    .toSorted((a, b) => value(a) - value(b))[0];
}

function bestOf({ baselines }: ReportData): string {
  return baselines.length > 1 ? 'the best baseline,' : 'the baseline,';
}

/** `0.28 points`, `0.012` */
function distance(metric: string, size: number): string {
  return showDifference(metric, size).slice(1);
}

function sizeAgainst(params: number, { costs }: TestResult): string {
  if (costs === undefined || costs.params === 0 || params === 0) return '';
  const ratio = costs.params / params;
  const times = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  if (ratio > 1.1) return `, with ${times(ratio)} times fewer parameters`;
  return ratio < 1 / 1.1 ? `, with ${times(1 / ratio)} times as many parameters` : '';
}

function nextOf(data: ReportData, tone: Verdict['tone'], seeds: number): Markup | undefined {
  const { dir, files } = data;
  if (tone === 'even' && seeds < 10)
    return html`More seeds narrow the noise: <code>${evaluateCommand(data)} --seeds ${Math.max(5, 2 * seeds)}</code>.`;
  if (tone === 'worse')
    return html`A longer search may find a better network: <code>netsmith resume ${dir}${files?.resume ?? ''} --trials ${2 * data.trials.filter((t) => t.purpose === 'search').length}</code>.`;
  return data.modelBytes === undefined
    ? html`<code>netsmith export ${dir}${files?.evaluate ?? ''}</code> writes it as ONNX.`
    : html`The model is <code>${dir}/best/model.onnx</code>; <code>netsmith predict</code> runs it.`;
}

function joined(first: Markup | undefined, second: Markup | undefined): Markup | undefined {
  return first === undefined && second === undefined ? undefined : html`${first}${second}`;
}

function capitalized({ markup }: Markup): Markup {
  return { markup: capital(markup) };
}
