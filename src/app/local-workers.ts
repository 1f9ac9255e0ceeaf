import { invalid } from '../common/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { EstimateRun, Estimator } from '../estimate/estimator.ts';
import type { Store } from '../study/store/store.ts';
import { inProcessPool } from '../study/worker/in-process.ts';
import type { WorkerPool } from '../study/worker/pool.ts';
import { openEngine } from './engine.ts';
import { type Setup, treeOf } from './setup.ts';

/**
 * One worker in this process, for a study whose loss or metrics are functions of this program. Its engine is opened for it. When the pool
 * is closed, a training that is under way ends after its step, and the engine is disposed of only then: its thread cannot be stopped in
 * the middle of a run.
 */
export async function workersHere(
  setup: Setup,
  store: Store,
  estimatorOn: (engine: Engine) => Promise<Estimator>,
): Promise<WorkerPool> {
  checkTrainsHere(setup);
  const engine = await openEngine(setup.settings, 1);
  const estimator = await estimatorOn(engine).catch(async (error: unknown) => {
    await engine.dispose();
    throw error;
  });
  let underWay: Promise<unknown> = Promise.resolve();
  const followed: Estimator = {
    estimate(candidate, run) {
      const aborted = abortOf(run.signal);
      const report: EstimateRun['report'] = (...reported) => Promise.race([run.report(...reported), aborted]);
      const ended = estimator.estimate(candidate, { ...run, report });
      underWay = ended.catch(() => {});
      return ended;
    },
  };
  const pool = inProcessPool({ space: treeOf(setup), estimator: followed }, store.artifacts);
  return {
    ...pool,
    async close() {
      await pool.close();
      await underWay;
      await engine.dispose();
    },
  };
}

/** Rejects with the signal's reason: a report is answered no more once the pool is closed. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  if (signal.aborted) aborted.reject(signal.reason);
  else signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
  return aborted.promise;
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
