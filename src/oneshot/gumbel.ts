/** One operation for each decision by the Gumbel-max trick, drawn on the host, and what the gates of a supernet are fed with it. */
import type { Rng } from '../common/random.ts';
import type { HostTensor } from '../graph/ir.ts';
import { gateInputs, INVERSE_TEMPERATURE } from '../network/gated.ts';
import type { ArchitectureParameter } from '../network/network.ts';
import type { Architecture } from '../space/space.ts';

export interface GumbelSample {
  /** The sampled option of each decision, inactive ones included. */
  readonly choices: Architecture;
  /** What the gates are fed (network/gated.ts). */
  readonly feeds: Readonly<Record<string, HostTensor>>;
}

/**
 * Draws standard Gumbel noise for each option; the option with the largest parameter + noise is the sampled one, so that an option is
 * drawn with the probability that is its share in the softmax of the parameters (Maddison et al. 2014). `temperature` is that of the gates alone.
 */
export function gumbelSample(
  architecture: readonly ArchitectureParameter[],
  tensors: Readonly<Record<string, HostTensor>>,
  temperature: number,
  random: Rng,
): GumbelSample {
  const choices: Record<string, string> = {};
  const feeds: Record<string, HostTensor> = {
    [INVERSE_TEMPERATURE]: { shape: [], data: Float32Array.of(1 / temperature) },
  };
  for (const { path, shape, decisions } of architecture) {
    const values = tensors[path]?.data;
    if (values === undefined) throw new Error(`there is no tensor "${path}"`);
    const [count = 0] = shape.slice(1);
    const noise = Float32Array.from(values, () => -Math.log(-Math.log(uniform(random))));
    const sampled = new Float32Array(values.length);
    const rest = decisions.map(({ name, options }, row) => {
      const at = row * count;
      const scores = options.map((_, k) => (values[at + k] ?? Number.NaN) + (noise[at + k] ?? Number.NaN));
      const best = scores.reduce((a, score, k) => (score > (scores[a] ?? Number.NaN) ? k : a), 0);
      choices[name] = options[best] ?? '';
      sampled[at + best] = 1;
      const top = scores[best] ?? Number.NaN;
      return 1 - 1 / scores.reduce((sum, score) => sum + Math.exp((score - top) / temperature), 0);
    });
    const inputs = gateInputs(count);
    feeds[inputs.noise] = { shape, data: noise };
    feeds[inputs.sampled] = { shape, data: sampled };
    feeds[inputs.rest] = { shape: [decisions.length], data: Float32Array.from(rest) };
  }
  return { choices, feeds };
}

/** Uniform in (0, 1), neither end included. */
const uniform = (random: Rng): number => (random.int(2 ** 24) + 0.5) / 2 ** 24;
