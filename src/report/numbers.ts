/** Numbers as text, in reports and drawings. Machines get the numbers themselves. */

import type { Account } from '../study/account.ts';
import type { Agreement } from '../study/agreement.ts';
import type { Coverage } from '../study/ranking.ts';

const COUNT = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** `1,288,506` */
export function showCount(value: number): string {
  return Number.isFinite(value) ? COUNT.format(value) : String(value);
}

/** Three significant figures and a unit's prefix: `184 M`, `1.29 M`, `12.3 k`, `870`. */
export function showLarge(value: number): string {
  for (const [factor, prefix] of [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const) {
    // 999,600 is 1.00 M, not 1000 k.
    if (Math.abs(value) >= factor * 0.9995) return significant(value / factor) + prefix;
  }
  return Number.isInteger(value) ? String(value) : significant(value);
}

function significant(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** `2.50 MiB` */
export function showBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${significant(bytes / 1024)} KiB`;
  return bytes < 1024 ** 3 ? `${significant(bytes / 1024 ** 2)} MiB` : `${significant(bytes / 1024 ** 3)} GiB`;
}

/** `4.2 s`, `3 min 20 s`, `2 h 5 min`; a dash for 0, which means that it was not timed. */
export function showSeconds(seconds: number): string {
  if (seconds === 0) return '–';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `training steps 92.1 %, validation 5.0 %, compiling 1.2 %, idle 0.9 %, other 0.8 %` */
export function showAccount({ workerSeconds, train, valid, compile, idle, other }: Account): string {
  const parts = { 'training steps': train, validation: valid, compiling: compile, idle, other };
  return Object.entries(parts)
    .map(([name, seconds]) => `${name} ${((100 * seconds) / workerSeconds).toFixed(1)} %`)
    .join(', ');
}

/** Metrics that are shares from 0 to 1, shown to people in per cent. */
const SHARES: ReadonlySet<string> = new Set(['accuracy', 'precision', 'recall', 'f1', 'success']);

export function isShare(metric: string): boolean {
  return SHARES.has(metric);
}

const NO_BREAK = '\u00A0';

/** Formats a metric's value: shares in per cent, the rest with four significant figures. */
export function showMetric(metric: string, value: number | undefined): string {
  if (value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  if (metric === 'params') return showCount(value);
  if (metric === 'flops') return showLarge(value);
  if (metric.endsWith('Bytes')) return showBytes(value);
  return isShare(metric) ? `${(value * 100).toFixed(2)}${NO_BREAK}%` : Number(value.toPrecision(4)).toString();
}

/**
 * `Hypervolume 0.812 of the box up to the best values, 0.731 after 150 networks; reference point (as stated): accuracy 75 %, latency 98.9.`
 */
export function coverageText({ hypervolume, worst, stated, history, complete }: Coverage): string {
  const half = history.findLast((one) => one.complete <= complete / 2)?.hypervolume;
  const before = half === undefined ? '' : `, ${half.toFixed(3)} after ${showCount(Math.floor(complete / 2))} networks`;
  const point = Object.entries(worst).map(([name, value]) => `${name} ${showMetric(name, value)}`);
  return `Hypervolume ${hypervolume.toFixed(3)} of the box up to the best values${before}; reference point (${stated ? 'as stated' : 'the worst values found'}): ${point.join(', ')}.`;
}

/** `Kendall tau between the value after 2 of 8 epochs and the value after 8 epochs: 0.61 (95 % CI 0.42 to 0.78, n=24)` */
export function showAgreement({ estimate, truth, pairs, tau, interval: [low, high] }: Agreement): string {
  const show = (value: number) => value.toFixed(2).replace('-', '−');
  const name = (look: string) =>
    look === 'params' ? 'parameter count' : look === 'flops' ? 'FLOPs' : look.replace(/^after/, 'the value after');
  return `Kendall tau between ${name(estimate)} and ${name(truth)}: ${show(tau)} (95${NO_BREAK}% CI ${show(low)} to ${show(high)}, n=${pairs})`;
}

/** Rank correlations of fewer architectures are nearly noise: they are not shown. */
const LEAST_SHOWN = 20;

/** The rank correlations to show; a predictor's always, since nothing else tells how reliable it is. */
export function shownAgreements(agreements: readonly Agreement[], estimator: string): readonly Agreement[] {
  return agreements.filter(({ pairs }) => estimator === 'predictor' || pairs >= LEAST_SHOWN);
}

/** A standard deviation beside a mean: of shares in percentage points, without a sign or a unit. */
export function showDeviation(metric: string, value: number): string {
  return isShare(metric) ? (value * 100).toFixed(2) : String(value < 1e-12 ? 0 : Number(value.toPrecision(2)));
}

/** A difference of two values of a metric; of shares in percentage points. */
export function showDifference(metric: string, value: number): string {
  const sign = value < 0 ? '−' : '+';
  const size = Math.abs(value);
  return isShare(metric) ? `${sign}${(size * 100).toFixed(2)} points` : `${sign}${Number(size.toPrecision(3))}`;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1); 0 of fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** `1 seed`, `3 seeds`, `1,200 searches` */
export function plural(count: number, noun: string): string {
  return `${showCount(count)} ${noun}${count === 1 ? '' : /(s|x|(?<!epo)ch|sh)$/u.test(noun) ? 'es' : 's'}`;
}
