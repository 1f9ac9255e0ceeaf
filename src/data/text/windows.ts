/** The tokens of one text as samples: windows, and the tokens one further as their targets. */
import { PADDING } from '../../task/class-numbers.ts';
import type { Samples } from '../dataset.ts';
import { checkedIndex } from '../samples.ts';

/** The names that the task `language-model` gives its tensors. */
const [TOKENS, NEXT] = ['tokens', 'next'];

/**
 * All tokens of a text in windows of `length`, in order: each token but the first is a target once. The last window is filled up with token 0
 * and targets that do not count.
 */
export function allWindows(tokens: Int32Array, length: number): Samples {
  return windows(tokens, length, 0, Math.ceil((tokens.length - 1) / length));
}

/** As many whole windows as there are wherever the first begins, for training: `shifted` cuts them elsewhere. */
export function trainingWindows(tokens: Int32Array, length: number, most = Number.POSITIVE_INFINITY): Samples {
  const count = Math.min(most, Math.floor(tokens.length / length) - 1);
  return {
    ...windows(tokens, length, 0, count),
    shifted: (share) => windows(tokens, length, Math.floor(share * length), count),
  };
}

function windows(tokens: Int32Array, length: number, from: number, count: number): Samples {
  return {
    count,
    async read(indices, into) {
      for (let k = 0; k < indices.length; k++) {
        const start = from + checkedIndex(indices, k, count) * length;
        copy(into[TOKENS], k * length, tokens.subarray(start, Math.min(start + length, tokens.length - 1)), length, 0);
        copy(into[NEXT], k * length, tokens.subarray(start + 1, start + length + 1), length, PADDING);
      }
    },
  };
}

function copy(
  into: Float32Array | Int32Array | undefined,
  at: number,
  tokens: Int32Array,
  length: number,
  filling: number,
): void {
  if (into === undefined) return;
  into.set(tokens, at);
  into.fill(filling, at + tokens.length, at + length);
}
