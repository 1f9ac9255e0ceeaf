import * as Plot from '@observablehq/plot';
import { INK } from './colors.ts';
import { plot } from './plot.ts';

/** Up to this many classes, rows and columns have their names. */
export const LABELED = 30;
/** Up to this many, cells have their counts. */
const COUNTED = 15;
/** Longest name that is written out. */
const LONGEST = 16;

/** Samples by true class (rows) and predicted class (columns); shade: share of the row. */
export function confusionFigure(matrix: readonly (readonly number[])[], labels: readonly string[]): string {
  const cells = matrix.flatMap((row, truth) => {
    const total = row.reduce((sum, n) => sum + n, 0);
    return row.map((count, predicted) => ({ truth, predicted, count, share: total === 0 ? 0 : count / total }));
  });
  const classes = matrix.length;
  const name = (index: number) => cut(labels[index] ?? String(index));
  const longest = matrix.reduce((most, _, i) => Math.max(most, name(i).length), 0);
  const named = classes <= LABELED;
  const margin = named ? 30 + longest * 6.8 : 44;
  const side = Math.min(520, Math.max(200, classes * 40));
  const axis = named ? { tickFormat: (i: number) => name(i) } : { ticks: every(classes) };
  const right = cells.reduce((sum, { truth, predicted, count }) => sum + (truth === predicted ? count : 0), 0);
  const all = cells.reduce((sum, { count }) => sum + count, 0);
  return plot(
    {
      width: side + margin + 12,
      height: side + margin + 20,
      marginLeft: margin,
      marginBottom: margin,
      marginRight: 12,
      marginTop: 20,
      insetTop: 0,
      padding: 0,
      x: {
        label: 'predicted →',
        labelAnchor: 'right',
        domain: matrix.map((_, i) => i),
        tickRotate: named && longest > 3 ? -45 : 0,
        ...axis,
      },
      y: { label: '↓ true', labelAnchor: 'top', domain: matrix.map((_, i) => i), ...axis },
      // The share is the shade: it works on white and on black.
      opacity: { type: 'linear', domain: [0, 1], range: [0, 1] },
      marks: [
        // With many classes the empty cells are the ground.
        Plot.cell(classes <= LABELED ? cells : cells.filter(({ count }) => count > 0), {
          x: 'predicted',
          y: 'truth',
          fill: 'var(--heat)',
          fillOpacity: 'share',
          inset: classes <= LABELED ? 0.5 : 0,
          stroke: classes <= LABELED ? 'var(--line)' : 'none',
        }),
        ...(classes <= LABELED ? [] : [Plot.frame({ stroke: 'var(--line)' })]),
        ...(classes <= COUNTED
          ? [
              Plot.text(
                cells.filter(({ count }) => count > 0),
                { x: 'predicted', y: 'truth', text: ({ count }: { count: number }) => String(count), fill: INK },
              ),
            ]
          : []),
      ],
    },
    `Confusion matrix of ${classes} classes on the test set: ${right} of ${all} samples on the diagonal`,
  );
}

/** Every fifth, tenth, ... class, so that about ten are named. */
function every(classes: number): number[] {
  const step = [5, 10, 20, 50, 100, 200, 500].find((size) => classes / size <= 12) ?? 1000;
  return Array.from({ length: Math.ceil(classes / step) }, (_, i) => i * step);
}

function cut(label: string): string {
  return label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
}
