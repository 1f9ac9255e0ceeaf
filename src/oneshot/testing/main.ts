import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { randomSearch } from '../../strategy/random.ts';
import { problemOf } from '../../strategy/testing/problems.ts';
import { runStudy, type StudyRun } from '../../study/run.ts';
import type { Store } from '../../study/store/store.ts';
import { createStudyStore, openStudyStore } from '../../study/study.node.ts';
import type { WorkerPool } from '../../study/worker/pool.ts';
import { processPool } from '../../study/worker/process.node.ts';
import { blobs } from '../../train/testing/blobs.ts';
import { pointSpace } from './space.ts';

const strategy = randomSearch();
const problem = problemOf(pointSpace(blobs().info), { fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }] });

export const NEW_STUDY = { name: 'one-shot', settings: null, state: strategy.init(problem) };

/** A supernet of six epochs, then four candidates with its weights. */
export function oneShotStudy(store: Store, workers: WorkerPool, changes: Partial<StudyRun> = {}) {
  return runStudy({ store, strategy, problem, workers, budget: { trials: 4 }, supernet: { epochs: 6 }, ...changes });
}

export const processes = (study: string, settings: { method: string; died?: string }) =>
  processPool({ workers: 1, entry: new URL('./worker.ts', import.meta.url), study, settings });

/** A study in its own process: `node main.ts DIR METHOD [REPORT]`; it kills itself at a report such as `supernet 3`. */
if (process.argv[1] === import.meta.filename) {
  const [dir = '', method = '', report] = process.argv.slice(2);
  const isThere = existsSync(join(dir, 'study.db'));
  const store = isThere ? await openStudyStore(dir, 'write') : await createStudyStore(dir, NEW_STUDY);
  await oneShotStudy(store, processes(dir, { method }), {
    onEvent(event) {
      if (event.kind === 'reported' && `${event.trial.purpose} ${event.report.step}` === report)
        process.kill(process.pid, 'SIGKILL');
    },
  });
  await store.close();
}
