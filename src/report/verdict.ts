import type { Objective } from '../common/metrics.ts';
import { deviation, isShare, mean, showDifference, showMetric } from './numbers.ts';

/** A result on the test split. */
export interface Tested {
  readonly name: string;
  /** One value for each seed. */
  readonly values: readonly number[];
  /** Of one that is exported. */
  readonly file?: string;
}

export interface VerdictRequest {
  readonly objective: Objective;
  readonly testSamples: number;
  readonly found: Tested;
  readonly baselines: readonly Tested[];
  /** Search trials that are complete; absent where a supernet chose among all networks of the space. */
  readonly candidates?: number;
}

/** A difference of more standard errors than this is no chance, with a probability of 95 %. */
const Z = 1.96;

/**
 * What a result is worth, in sentences: better or worse than which baseline, by how much, and whether the difference could be chance. The
 * standard error of a share over n test samples is √(p (1 − p) / n), and that of a mean over seeds s / √n; both are taken of both
 * sides, as if the two were independent: for results on the same samples, that is cautious. Other metrics have only the spread over seeds.
 */
export function verdict({
  objective,
  testSamples,
  found,
  baselines,
  candidates = Number.POSITIVE_INFINITY,
}: VerdictRequest): readonly string[] {
  const { metric } = objective;
  const sign = objective.direction === 'maximize' ? 1 : -1;
  const compared = baselines
    .filter(({ values }) => values.length > 0)
    .map((baseline) => {
      const gain = sign * (mean(found.values) - mean(baseline.values));
      const error = Math.hypot(
        standardError(metric, found.values, testSamples),
        standardError(metric, baseline.values, testSamples),
      );
      return { ...baseline, gain, isNoise: error > 0 && Math.abs(gain) <= Z * error, isKnown: error > 0 };
    })
    .sort((a, b) => a.gain - b.gain);
  const [strongest] = compared;
  if (strongest === undefined) return ['No baseline was measured.', ...(candidates < 3 ? [few(candidates)] : [])];
  const { name, gain, isNoise, isKnown, values, file } = strongest;
  const by = `${showDifference(metric, Math.abs(gain)).replace(/^\+/, '')} of ${metric}`;
  const noise = !isKnown
    ? ' (one run each: nothing is known of chance)'
    : isNoise
      ? ' (within noise)'
      : ' (more than noise)';
  const value = showMetric(metric, mean(values));
  const sentences = [
    gain === 0
      ? `As good as the best baseline, ${name} (${value}).`
      : gain > 0
        ? `Better than the best baseline, ${name} (${value}), by ${by}${noise}.`
        : `Worse than ${name} (${value}), by ${by}${noise}.`,
  ];
  if (gain < 0 && file !== undefined)
    sentences.push(isNoise ? `It is as good: ${file}.` : `Use ${name} instead: ${file}.`);
  const others = compared.filter((one) => one !== strongest);
  const better = others.filter((one) => one.gain < 0 && !one.isNoise);
  if (better.length > 0) {
    const offered = file === undefined ? better.find((one) => one.file !== undefined) : undefined;
    const shown = (one: Tested) => (one === offered ? `${one.name} (exported: ${one.file})` : one.name);
    sentences.push(`Also worse than ${better.map(shown).join(', ')}.`);
  }
  const weak = others.filter((one) => one.isNoise);
  if (weak.length > 0) sentences.push(`Not clearly better than ${weak.map((one) => one.name).join(', ')}.`);
  if (candidates < 3) sentences.push(few(candidates));
  else if (gain <= 0 || isNoise) sentences.push('To do better: more time (--time), or more data.');
  return sentences;
}

const few = (candidates: number) =>
  candidates === 1
    ? 'The search tried one network only, so nothing was chosen: give it more time (--time) or trials (--trials).'
    : `The search tried ${candidates} networks only, too few to choose from: give it more time (--time) or trials (--trials).`;

function standardError(metric: string, values: readonly number[], samples: number): number {
  const seeds = values.length > 1 ? deviation(values) / Math.sqrt(values.length) : 0;
  if (!isShare(metric)) return seeds;
  // A share of exactly 0 or 1 has an error too: as if one sample more were wrong.
  const share = Math.min(1 - 1 / (samples + 2), Math.max(1 / (samples + 2), mean(values)));
  return Math.hypot(seeds, Math.sqrt((share * (1 - share)) / samples));
}
