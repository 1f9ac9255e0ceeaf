import { serveTrials } from '../study/worker/serve.node.ts';
import { openEstimator } from './estimators.ts';
import { setUpInWorker, type WorkerOrders } from './study.ts';

// The entry of a worker process: builds, from the study's own record, what it estimates with.
serveTrials(async ({ settings: json }) => {
  const { plan, memoryBytes, earlier = [], own } = json as unknown as WorkerOrders;
  const setup = await setUpInWorker(plan, own);
  return { space: setup.space, estimator: await openEstimator(setup, memoryBytes, earlier) };
});
