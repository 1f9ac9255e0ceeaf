import * as ops from '../graph/ops.ts';
import { closed, type Lower } from './lowering.ts';

/** What becomes of a feature's value v: min(1, max(0, (v - from) / width)). */
interface Bin {
  readonly feature: number;
  readonly from: number;
  readonly width: number;
}

/** The features themselves stay, so that values beyond the training's smallest and largest are still told apart. */
export const lowerPiecewiseLinear: Lower<'piecewiseLinear'> = (l, module, x) => {
  const { g, quantiles = [] } = l;
  const [, features, ...rest] = g.shape(x);
  if (features === undefined || rest.length > 0)
    throw l.error(`input is [${g.shape(x)}]`, 'it needs the features of a table, [N, F]');
  if (quantiles.length > 0 && quantiles.length !== features)
    throw l.error(
      `${features} features come in`,
      `quantiles are known of the table's ${quantiles.length}: put it first`,
    );
  const bins = quantiles.flatMap((edges, feature) => binsOf(edges, closed(module.bins), feature));
  if (bins.length === 0) return x;
  const along = [1, bins.length];
  const which = ops.indices(
    g,
    bins.map(({ feature }) => feature),
  );
  const values = ops.transpose(g, ops.gather(g, ops.transpose(g, x, [1, 0]), which), [1, 0]); // [N, bins]
  const from = ops.constant(
    g,
    bins.map((bin) => bin.from),
    along,
  );
  const inverse = ops.constant(
    g,
    bins.map(({ width }) => 1 / width),
    along,
  );
  return ops.concat(g, [x, ops.clip(g, ops.mul(g, ops.sub(g, values, from), inverse), 0, 1)], 1);
};

/** At most `most` bins, between evenly spaced quantiles. */
function binsOf(edges: readonly number[], most: number, feature: number): Bin[] {
  const count = Math.min(most, edges.length - 1);
  const edge = (k: number) => edges[Math.round((k * (edges.length - 1)) / count)] ?? Number.NaN;
  return Array.from({ length: Math.max(0, count) }, (_, k) => {
    const from = edge(k);
    return { feature, from, width: edge(k + 1) - from };
  });
}
