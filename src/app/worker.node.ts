import { serveTrials } from '../study/worker/serve.node.ts';
import { openEngine } from './engine.ts';
import { openEstimator } from './estimators.ts';
import { openFinalEstimator } from './evaluation/final.ts';
import { treeOf } from './setup.ts';
import { checkWorkerSettings, setUpInWorker } from './study.ts';

// The entry of a worker process: builds, from the study's own record, what it estimates with.
serveTrials(async ({ settings }) => {
  const workerSettings: unknown = settings;
  checkWorkerSettings(workerSettings);
  const { plan, memoryBytes, earlier = [], own, final = false } = workerSettings;
  const setup = await setUpInWorker(plan, own);
  if (final) {
    const engine = await openEngine(setup.settings, setup.settings.workers);
    const space = setup.estimator.kind === 'played' ? setup.space : treeOf(setup);
    return { space, estimator: await openFinalEstimator(setup, engine, memoryBytes) };
  }
  // A function judges the members of any space, and genomes play; all other estimators take trees.
  const { kind } = setup.estimator;
  const space = kind === 'function' || kind === 'played' ? setup.space : treeOf(setup);
  return { space, estimator: await openEstimator(setup, memoryBytes, earlier) };
});
