import { trainEstimator } from '../estimate/train.ts';
import { serveTrials } from '../study/worker/serve.node.ts';
import { openPrograms } from '../train/programs.ts';
import { openEngine } from './engine.ts';
import { setUp } from './setup.ts';
import { type StudyPlan, spaceOf } from './study.ts';

// The entry of a worker process: builds, from the study's own record, what it estimates with.
serveTrials(async ({ settings: json }) => {
  const plan = json as unknown as StudyPlan;
  const { settings, dataset, space, training } = await setUp(plan.settings, await spaceOf(plan));
  const engine = await openEngine(settings, settings.workers);
  const programs = openPrograms(engine);
  return { space, estimator: trainEstimator({ engine, programs, data: dataset.search, settings: training }) };
});
