import { trainEstimator } from '../estimate/train.ts';
import { serveTrials } from '../study/worker/serve.node.ts';
import { openPrograms } from '../train/programs.ts';
import { openEngine } from './engine.ts';
import { memoryOfPrograms } from './memory.node.ts';
import { setUp } from './setup.ts';
import { spaceOf, type WorkerOrders } from './study.ts';

// The entry of a worker process: builds, from the study's own record, what it estimates with.
serveTrials(async ({ settings: json }) => {
  const { plan, memoryBytes } = json as unknown as WorkerOrders;
  const { settings, dataset, space, training } = await setUp(plan.settings, await spaceOf(plan));
  const engine = await openEngine(settings, settings.workers);
  const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) });
  return { space, estimator: trainEstimator({ engine, programs, data: dataset.search, settings: training }) };
});
