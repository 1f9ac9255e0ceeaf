/** Images without labels: a network is asked how each was turned. Gidaris et al. 2018, arXiv:1803.07728. */
import { invalid } from '../common/errors.ts';
import { deepFreeze } from '../common/json.ts';
import type { Dataset, Samples } from './dataset.ts';

/** Quarter turns to the left, by class number. Names with a side: nothing mirrors such images in training (`recipeFor`). */
const TURNS = ['upright', 'turned left', 'upside down', 'turned right'] as const;

/**
 * The same images in each part, each of them four times, turned by quarters; the class is the turn. The labels are not read.
 * Throws UserError for data that are no square images.
 */
export function rotated(dataset: Dataset): Dataset {
  const { search } = dataset;
  const { info } = search;
  const [channels = 0, height = 0, width = 0] = info.input;
  const refuse = (found: string, rule: string) => invalid(`data "${info.name}"`, found, `${rule} for --task rotation`);
  if (info.input.length !== 3) throw refuse(`a sample is [${info.input.join(', ')}]`, 'must be images');
  if (height !== width) throw refuse(`images are ${width} x ${height} pixels`, 'must be square');
  const turned = (samples: Samples) => turnedSamples(samples, channels, height);
  const { train, valid, test } = info.counts;
  const { ownTask: _, ...rest } = info;
  return {
    search: {
      train: turned(search.train),
      valid: turned(search.valid),
      info: deepFreeze({
        ...rest,
        ...{ kind: 'classification', outputs: TURNS.length, labels: TURNS },
        counts: { train: TURNS.length * train, valid: TURNS.length * valid, test: TURNS.length * test },
        notes: [
          ...info.notes,
          'Each image is shown upright and turned by 90, 180 and 270 degrees: the class is the turn.',
        ],
      }),
    },
    openTest: async () => turned(await dataset.openTest()),
  };
}

/** Sample i is image i / 4 (rounded down), turned i % 4 times. */
function turnedSamples(samples: Samples, channels: number, side: number): Samples {
  const elements = channels * side ** 2;
  return {
    count: TURNS.length * samples.count,
    async read(indices, { input, target }) {
      indices.forEach((index, k) => {
        if (target) target[k] = index % TURNS.length;
      });
      if (input === undefined) return;
      await samples.read(
        indices.map((index) => Math.floor(index / TURNS.length)),
        { input },
      );
      for (const [k, index] of indices.entries()) {
        const image = input.subarray(k * elements, (k + 1) * elements);
        image.set(quarterTurns(Float32Array.from(image), index % TURNS.length, channels, side));
      }
    },
  };
}

/** [C, S, S] turned to the left: what is on the right comes to the top. */
function quarterTurns(from: Float32Array, turns: number, channels: number, side: number): Float32Array {
  const last = side - 1;
  const source = (row: number, column: number) =>
    [
      [row, column],
      [column, last - row],
      [last - row, last - column],
      [last - column, row],
    ][turns] ?? [0, 0];
  const turned = new Float32Array(from.length);
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++) {
        const [y = 0, x = 0] = source(row, column);
        turned[(c * side + row) * side + column] = from[(c * side + y) * side + x] ?? 0;
      }
  return turned;
}
