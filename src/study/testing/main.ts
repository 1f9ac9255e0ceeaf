import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runStudy } from '../run.ts';
import { createStudyStore, openStudyStore } from '../study.node.ts';
import { inProcessPool } from '../worker/in-process.ts';
import { processPool } from '../worker/process.node.ts';
import { fakeBench } from './fake.ts';
import { STUDIES, type TestStudy } from './studies.ts';

/**
 * A study in its own process, to be killed by tests: creates or resumes it.
 * `node main.ts DIR STRATEGY TRIALS in-process|processes [REPORTS]`; prints `open` when it has the study, `reported` at
 * each report of a trial, `done` when it has ended. After REPORTS it stands still until it is killed: it cannot end before, however late
 * that comes.
 */
const [dir = '', name = '', trials = '', where = '', most = 'Infinity'] = process.argv.slice(2);
let reports = 0;
const studies: Readonly<Record<string, TestStudy>> = STUDIES;
const study = studies[name];
if (!study) throw new Error(`no test study ${name}`);
const { strategy, problem, quality } = study;
const store = existsSync(join(dir, 'study.db'))
  ? await openStudyStore(dir, 'write')
  : await createStudyStore(dir, { name, settings: null, state: strategy.init(problem) });
process.stdout.write('open\n');
const epochMs = 3;
const workers =
  where === 'processes'
    ? processPool({ workers: 1, entry: new URL('./worker.ts', import.meta.url), study: dir, settings: { epochMs } })
    : inProcessPool(fakeBench(problem.space, { epochMs, ...(quality && { quality }) }), store.artifacts);
await runStudy({
  store,
  strategy,
  problem,
  workers,
  budget: { trials: Number(trials) },
  confirm: { top: 3 },
  onEvent: ({ kind }) => {
    if (kind !== 'reported') return;
    process.stdout.write('reported\n');
    if (++reports >= Number(most)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
await store.close();
process.stdout.write('done\n');
