// A data set of your own: points in and around a ring. Use it by its file:
//   netsmith search --data examples/own-data.ts --space mlp --trials 20
// and, since a stored study runs no code, name it again to go on, and to train the winner:
//   netsmith evaluate runs/own-data-mlp-1 --data examples/own-data.ts
import { defineDataset, rng } from 'netsmith';

const COUNT = 400;

export default defineDataset({
  name: 'ring',
  open({ seed }) {
    const random = rng(seed, 'ring');
    const points = Array.from({ length: COUNT }, () => [2 * random.float() - 1, 2 * random.float() - 1] as const);
    return {
      input: [2], // shape of a sample: [features], [channels, height, width], [channels, time], or [time] of tokens
      labels: ['outside', 'inside'],
      // 20 % of the samples become the test part, and --valid-share of the others the validation part.
      train: {
        count: COUNT,
        // Whoever wants no targets hands none over.
        async read(indices, { input, target }) {
          for (const [at, index] of indices.entries()) {
            const [x, y] = points[index] ?? [0, 0];
            input?.set([x, y], 2 * at);
            if (target) target[at] = Math.hypot(x, y) < 0.8 ? 1 : 0;
          }
        },
      },
    };
  },
});
