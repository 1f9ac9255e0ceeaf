/**
 * What all figures have in common: static SVG text, made by Observable Plot on linkedom's document. No script runs in them.
 * Plot and linkedom take a third of a second to load, so what every command loads must not import this file.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Objective } from '../../common/metrics.ts';
import { visible } from '../markup.ts';
import { isShare, showLarge } from '../numbers.ts';

const STYLE = {
  fontFamily: "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
  fontSize: '12px',
  color: 'currentColor',
  background: 'none',
};

/** Width of a figure in pixels; narrower pages make it smaller. */
export const WIDTH = 460;

/** A figure, and what had to be left out of it. */
export interface Figure {
  readonly svg: string;
  /** `1,000 of 5,000 trials drawn` */
  readonly left?: string;
}

/** The SVG of a plot; `label` says for those who cannot see it what it shows. */
export function plot(options: Plot.PlotOptions, label: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    width: WIDTH,
    height: 280,
    marginLeft: 56,
    marginBottom: 40,
    marginRight: 24,
    insetTop: 8,
    style: STYLE,
    ariaLabel: label,
    ...options,
    // linkedom's types are not those of the DOM; Plot only needs what linkedom implements.
    document: document as unknown as Document,
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  return visible(svg.toString());
}

/** The axis of a metric; shares in per cent. */
export function axisOf(
  { metric, direction }: Pick<Objective, 'metric' | 'direction'>,
  part = 'validation',
): Plot.ScaleOptions {
  const better = direction === 'maximize' ? '↑' : '↓';
  return isShare(metric)
    ? { label: `${better} ${metric} (${part}, %)`, percent: true, grid: true, nice: true }
    : { label: `${better} ${metric} (${part})`, grid: true, nice: true };
}

/**
 * The axis of a metric that holds these finite values with some room: also where there is only one, or all are equal. Its labels are
 * short enough for the margin.
 */
export function valueAxis(objective: Objective, part: string, values: readonly number[]): Plot.ScaleOptions {
  const share = isShare(objective.metric);
  const scale = share ? 100 : 1;
  const [low, high] = extent(values).map((value) => value * scale) as [number, number];
  const room = (high - low) / 20 || Math.abs(high) / 5 || 1;
  const [from, to] = [low - room, high + room];
  const domain = share ? [Math.max(0, from), Math.min(100, to)] : [from, to];
  return { ...axisOf(objective, part), nice: false, ticks: 6, domain, tickFormat: showTick };
}

/** Short enough for the margin: `97.5`, `1.2M`, `3e-5`. */
export function showTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-3))
    return Number(value.toPrecision(3)).toExponential().replace('e+', 'e').replaceAll('-', '−');
  if (size >= 1e4) {
    const [number, unit = ''] = showLarge(value).split(' ');
    return `${Number(number)}${unit}`.replace('-', '−');
  }
  return String(Number(value.toPrecision(5))).replace('-', '−');
}

/** Whole numbers from `first` to `last` at about eight places. */
export function wholeTicks(first: number, last: number): number[] {
  const step =
    [1, 2, 5]
      .flatMap((digit) => Array.from({ length: 9 }, (_, power) => digit * 10 ** power))
      .toSorted((a, b) => a - b)
      .find((size) => (last - first) / size <= 8) ?? 1;
  const from = Math.ceil(first / step) * step;
  return Array.from({ length: Math.floor((last - from) / step) + 1 }, (_, i) => from + i * step);
}

/** Smallest and largest; of a list of any length. */
export function extent(values: readonly number[]): [low: number, high: number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
