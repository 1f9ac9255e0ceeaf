import { serveTrials } from '../study/worker/serve.node.ts';
import { openEstimator } from './estimators.ts';
import { checkOrders, setUpInWorker } from './study.ts';

// The entry of a worker process: builds, from the study's own record, what it estimates with.
serveTrials(async ({ settings }) => {
  const orders: unknown = settings;
  checkOrders(orders);
  const { plan, memoryBytes, earlier = [], own } = orders;
  const setup = await setUpInWorker(plan, own);
  return { space: setup.space, estimator: await openEstimator(setup, memoryBytes, earlier) };
});
