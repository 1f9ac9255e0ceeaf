import * as Plot from '@observablehq/plot';
import { spaced } from '../samples.ts';
import { plot, WIDTH } from './plot.ts';

/** More epochs than this are thinned out, so that a column can be seen. */
const MOST_EPOCHS = 60;
/** Pixels of a row with its label. */
const ROW = 13;

/** The mixture weights of a supernet by epoch: `rows` of one decision stand together, in the order of its options. */
export function mixtureFigure(
  epochs: readonly { readonly epoch: number; readonly weights: Readonly<Record<string, readonly number[]>> }[],
  options: Readonly<Record<string, readonly string[]>>,
): string {
  const shown = spaced(epochs, MOST_EPOCHS);
  const names = Object.entries(options).flatMap(([decision, keys]) => keys.map((key) => rowOf(decision, key)));
  const cells = shown.flatMap(({ epoch, weights }) =>
    Object.entries(weights).flatMap(([decision, shares]) =>
      shares.map((share, k) => ({ epoch, row: rowOf(decision, options[decision]?.[k] ?? String(k)), share })),
    ),
  );
  const firsts = Object.entries(options).flatMap(([decision, [first]]) =>
    first === undefined ? [] : [{ row: rowOf(decision, first) }],
  );
  const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
  return plot(
    {
      width: WIDTH * 1.4,
      height: 60 + ROW * names.length,
      marginLeft: 20 + Math.min(260, longest * 6.6),
      insetTop: 0,
      padding: 0,
      x: { label: 'epoch →', type: 'band', domain: shown.map(({ epoch }) => epoch), ticks: ticksOf(shown) },
      y: { label: null, domain: names, tickSize: 0 },
      opacity: { type: 'linear', domain: [0, 1], range: [0, 1] },
      marks: [
        Plot.cell(cells, { x: 'epoch', y: 'row', fill: 'var(--heat)', fillOpacity: 'share', inset: 0 }),
        // A line above the first option of each decision.
        Plot.tickY(firsts, { y: 'row', stroke: 'var(--line)', dy: -ROW / 2 }),
      ],
    },
    `Mixture weights of ${Object.keys(options).length} choices over ${epochs.length} epochs`,
  );
}

const rowOf = (decision: string, option: string) => `${decision} ${option}`;

/** About eight of the epochs. */
function ticksOf(shown: readonly { readonly epoch: number }[]): number[] {
  const step = Math.max(1, Math.ceil(shown.length / 8));
  return shown.filter((_, i) => i % step === step - 1).map(({ epoch }) => epoch);
}
