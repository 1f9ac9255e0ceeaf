/** What shared weights say is best, trained from scratch for a short while: they tell good cells from poor ones, but not the best of the good. */
import { rng } from '../../src/common/random.ts';
import type { SearchData } from '../../src/data/dataset.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { trainEstimator } from '../../src/estimate/train.ts';
import { type Architecture, formatArchitecture, type Space } from '../../src/space/index.ts';
import type { TrainSettings } from '../../src/train/settings.ts';

interface Confirmation {
  readonly engine: Engine;
  readonly data: SearchData;
  readonly space: Space;
  readonly settings: TrainSettings;
  readonly resolution: number;
  readonly seed: number;
  say(line: string): void;
}

/** Of the first few, the one with the best validation accuracy; a single one is not trained. Throws Error for none. */
export async function bestByTraining(
  found: readonly { readonly architecture: Architecture }[],
  { engine, data, space, settings, resolution, seed, say }: Confirmation,
): Promise<Architecture> {
  const [first, ...others] = found.map(({ architecture }) => architecture);
  if (first === undefined) throw new Error('the search has found nothing');
  if (others.length === 0) return first;
  const estimator = trainEstimator({ engine, data, settings });
  const fidelity = { epochs: settings.epochs, data: 1, resolution, width: 1 };
  let best = { architecture: first, accuracy: Number.NEGATIVE_INFINITY };
  for (const [trial, architecture] of [first, ...others].entries()) {
    const { metrics } = await estimator.estimate(
      { space, architecture },
      {
        ...{ trial, fidelity, fullFidelity: fidelity, signal: new AbortController().signal },
        rng: (...labels) => rng(seed, 'confirm', trial, ...labels),
        artifacts: { put: async () => '', get: () => Promise.reject(new Error('nothing is kept')) },
        report: async () => 'continue',
      },
    );
    const { accuracy = Number.NEGATIVE_INFINITY } = metrics;
    say(
      `seed ${seed}: ${(100 * accuracy).toFixed(2)} % after a short training, ${formatArchitecture(space, architecture)}`,
    );
    if (accuracy > best.accuracy) best = { architecture, accuracy };
  }
  return best.architecture;
}
