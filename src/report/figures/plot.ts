/** What all figures have in common: static SVG text, made by Observable Plot on linkedom's document. No script runs in them. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Objective } from '../../common/metrics.ts';
import { visible } from '../markup.ts';
import { isShare } from '../numbers.ts';

export const QUIET = '#9aa4b1';
export const STRONG = '#1f5fa8';
export const ACCENT = '#c2410c';
const STYLE = {
  fontFamily: "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif",
  fontSize: '12px',
  color: '#1c2128',
  background: '#ffffff',
};

/** The SVG of a plot; `label` says for those who cannot see it what it shows. */
export function plot(options: Plot.PlotOptions, label: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    width: 480,
    height: 280,
    marginLeft: 56,
    marginBottom: 40,
    insetTop: 8,
    style: STYLE,
    ariaLabel: label,
    ...options,
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
  const better = direction === 'maximise' ? '↑' : '↓';
  return isShare(metric)
    ? { label: `${better} ${metric} (${part}, %)`, percent: true, grid: true, nice: true }
    : { label: `${better} ${metric} (${part})`, grid: true, nice: true };
}
