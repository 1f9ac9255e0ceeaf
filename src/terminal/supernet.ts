/** What a live view and its lines say of a supernet in training. */
import { showMetric } from '../report/numbers.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Trial } from '../study/store/store.ts';

const BARS = '▁▂▃▄▅▆▇█';

/** Values from 0 to 1, one character each: the last `width` of them. */
export function sparkline(values: readonly number[], width = 20): string {
  return values
    .slice(-width)
    .map((value) => BARS[Math.min(BARS.length - 1, Math.max(0, Math.floor(value * BARS.length)))] ?? ' ')
    .join('');
}

/**
 * `accuracy 41.2 %, decided ▁▁▂▄ 62 %, expected flops 1.2 M; |nor_conv_3x3~0|...`: the supernet's validation value, the mean share of the
 * strongest options of its choices, epoch by epoch, what an architecture costs on average where costs count in the search, and the architecture
 * that would be derived now. All but the first are those of methods that find an architecture.
 */
export function supernetText({ curve }: Trial, space: SearchSpace, metric: string, name: string): string {
  const last = curve.at(-1);
  if (last === undefined) return '';
  const value = `${name} ${showMetric(metric, last.metrics[metric])}`;
  const { mixture } = last;
  if (mixture === undefined) return value;
  const decided = curve.flatMap((report) =>
    report.mixture === undefined ? [] : [decidedness(report.mixture.weights)],
  );
  const share = `${Math.round(100 * (decided.at(-1) ?? 0))} %`;
  const costs = Object.entries(mixture.costs ?? {}).map(([cost, of]) => `, expected ${cost} ${showMetric(cost, of)}`);
  return `${value}, decided ${sparkline(decided)} ${share}${costs.join('')}; ${space.format(mixture.genotype)}`;
}

/** The warning that a search has collapsed. */
export function collapseText(collapse: string): string {
  return `Warning: the one-shot search has collapsed: ${collapse}. What it derives is then often poor (docs/one-shot.md).`;
}

/** The mean share of the strongest option of each decision. */
function decidedness(weights: Readonly<Record<string, readonly number[]>>): number {
  const rows = Object.values(weights);
  return rows.reduce((sum, row) => sum + Math.max(...row), 0) / Math.max(1, rows.length);
}
