import { invalid } from '../common/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Estimator } from '../estimate/estimator.ts';
import type { Store } from '../study/store/store.ts';
import { inProcessPool } from '../study/worker/in-process.ts';
import type { WorkerPool } from '../study/worker/pool.ts';
import { openEngine } from './engine.ts';
import { type Setup, treeOf } from './setup.ts';

/**
 * One worker in this process, for a study whose loss or metrics are functions of this program. Its engine is opened for it, and disposed
 * of when the pool is closed.
 */
export async function workersHere(
  setup: Setup,
  store: Store,
  estimatorOn: (engine: Engine) => Promise<Estimator>,
): Promise<WorkerPool> {
  checkTrainsHere(setup);
  const engine = await openEngine(setup.settings, 1);
  const pool = inProcessPool({ space: treeOf(setup), estimator: await estimatorOn(engine) }, store.artifacts);
  return {
    ...pool,
    async close() {
      await pool.close();
      await engine.dispose();
    },
  };
}

/** Throws UserError for settings that need other processes. */
export function checkTrainsHere({ settings: { workers }, estimator }: Setup): void {
  const rule = 'a file is needed where several processes train: loss: "./loss.ts", metric: "./metrics.ts"';
  if (estimator.kind !== 'train')
    throw invalid(
      'loss, metrics',
      'are functions of this program',
      'only serve trials that are trained; name files for others',
    );
  if (workers > 1)
    throw invalid('workers', `${workers}, with a loss or metrics that are functions of this program`, rule);
}
