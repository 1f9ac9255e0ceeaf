/** Evolution over the paths of a trained supernet (Guo et al. 2020, algorithm 1, with the study's own evolution in its place). */
import { METRICS } from '../../src/common/metrics.ts';
import type { Samples } from '../../src/data/dataset.ts';
import type { Supernet } from '../../src/oneshot/supernet.ts';
import type { Architecture, Space } from '../../src/space/index.ts';
import { architectureKey } from '../../src/space/tree/architecture.ts';
import { searchSpaceOf } from '../../src/space/tree/tree-search-space.ts';
import { createStrategy } from '../../src/strategy/index.ts';
import type { Problem } from '../../src/strategy/strategy.ts';
import { runStudy } from '../../src/study/run.ts';
import { memoryStore } from '../../src/study/store/memory.ts';
import { inProcessPool } from '../../src/study/worker/in-process.ts';

/** The paths that were measured, best first by the accuracy that `measurePath` has for them. */
export async function evolved(
  measurePath: NonNullable<Supernet['measurePath']>,
  space: Space,
  samples: Samples,
  { seed, evaluations }: { readonly seed: number; readonly evaluations: number },
): Promise<readonly { readonly architecture: Architecture }[]> {
  const problem: Problem = {
    space: searchSpaceOf(space),
    objectives: [{ metric: 'accuracy', ...METRICS.accuracy }],
    ...{ limits: [], seed, costs: () => ({}) },
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
  const strategy = createStrategy('aging-evolution', { population: 50, sample: 10 });
  const store = memoryStore({ name: strategy.name, settings: null, state: strategy.init(problem) });
  const measured = new Map<string, { readonly architecture: Architecture; readonly accuracy: number }>();
  const workers = inProcessPool(
    {
      space,
      estimator: {
        async estimate({ architecture }, { report }) {
          const key = architectureKey(architecture);
          const accuracy =
            measured.get(key)?.accuracy ?? (await measurePath(architecture, samples)).metrics.accuracy ?? Number.NaN;
          measured.set(key, { architecture, accuracy });
          const point = { step: 1, metrics: { accuracy }, seconds: 0 };
          await report(point, undefined);
          return { state: 'complete', metrics: point.metrics, curve: [point], seconds: 0 };
        },
      },
    },
    store.artifacts,
  );
  await runStudy({ store, strategy, problem, workers, budget: { trials: evaluations } });
  return [...measured.values()].sort((a, b) => b.accuracy - a.accuracy);
}
