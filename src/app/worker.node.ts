import { serveTrials } from '../study/worker/serve.node.ts';
import { openPrograms } from '../train/programs.ts';
import { openEngine } from './engine.ts';
import { openEstimator } from './estimators.ts';
import { finalEstimator } from './evaluation/final.ts';
import { memoryOfPrograms } from './memory.node.ts';
import { type Setup, treeOf } from './setup.ts';
import { checkWorkerSettings, setUpInWorker } from './study.ts';

// The entry of a worker process: builds, from the study's own record, what it estimates with.
serveTrials(async ({ settings }) => {
  const workerSettings: unknown = settings;
  checkWorkerSettings(workerSettings);
  const { plan, memoryBytes, earlier = [], own, final = false } = workerSettings;
  const setup = await setUpInWorker(plan, own);
  if (final) return { space: treeOf(setup), estimator: await openFinal(setup, memoryBytes) };
  // A function judges the members of any space, all other estimators those of trees.
  const space = setup.estimator.kind === 'function' ? setup.space : treeOf(setup);
  return { space, estimator: await openEstimator(setup, memoryBytes, earlier) };
});

async function openFinal(setup: Setup, memoryBytes: number) {
  const engine = await openEngine(setup.settings, setup.settings.workers);
  const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) });
  return finalEstimator(setup, engine, programs, await setup.dataset.openTest());
}
