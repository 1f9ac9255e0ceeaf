import { setImmediate } from 'node:timers/promises';
import { invalid } from '../common/errors.ts';
import type { Estimator } from '../estimate/estimator.ts';
import { simulatedClock, tabularEstimator } from '../estimate/tabular/estimator.ts';
import type { Table } from '../estimate/tabular/table.ts';
import { computingSeconds } from '../study/account.ts';
import type { StudyRun } from '../study/run.ts';
import type { Store, Trial } from '../study/store/store.ts';
import { hasEnded } from '../study/store/transitions.ts';
import { inProcessPool } from '../study/worker/in-process.ts';
import { benchmarkNamed } from './benchmarks.ts';
import type { Chosen } from './choice.ts';
import { type EvaluationRecord, writeEvaluation } from './evaluation/evaluation.ts';
import { budgetOf, type Setup, treeOf } from './setup.ts';

/**
 * What a study on a table is run with: one worker in this process, and a clock that is moved by what trials took. The study's own clock
 * is set to the trials that have ended: what a killed session had looked up and not written down is looked up again.
 */
export async function runOnTable(setup: Setup, table: Table, store: Store): Promise<Pick<StudyRun, 'workers' | 'now'>> {
  const { settings } = setup;
  const seconds = computingSeconds((await store.trials('search')).filter(hasEnded));
  await store.recordClock({ searchSeconds: seconds, workerSeconds: seconds });
  const { seconds: most } = budgetOf(settings);
  const clock = simulatedClock(most === undefined ? undefined : most - seconds);
  const lookUp = tabularEstimator(table, settings.data, clock);
  const estimator: Estimator = {
    async estimate(candidate, run) {
      await setImmediate(); // Nothing else here waits for anything: Ctrl-C would never be heard.
      return lookUp.estimate(candidate, run);
    },
  };
  return { now: clock.now, workers: inProcessPool({ space: treeOf(setup), estimator }, store.artifacts) };
}

/** The test value that the table has of the chosen architecture, kept as an evaluation is. */
export async function lookUpTest(
  dir: string,
  { settings: { benchmark = '', data } }: Setup,
  table: Table,
  { trial: { trial, architecture } }: Chosen,
): Promise<EvaluationRecord> {
  const { openTest, testEpochs } = benchmarkNamed(benchmark);
  const value = (await openTest(table))(architecture, data);
  if (value === undefined) throw invalid(`table "${table.name}"`, `trial ${trial}`, 'has no test value');
  const record: EvaluationRecord = {
    trial,
    architecture,
    seeds: [0],
    epochs: testEpochs,
    metrics: [{ [table.objectives[0].metric]: value }],
    trainedOn: `from the table ${table.name}`,
    baselines: [],
  };
  writeEvaluation(dir, record);
  return record;
}

/** Trials of one worker with the times of the simulated clock; without times where the table has no seconds. */
export function onSimulatedClock(trials: readonly Trial[], begun: number): readonly Trial[] {
  let now = begun;
  const timed = trials.some(({ seconds }) => seconds > 0);
  return trials.map(({ startedAt, endedAt, ...trial }) => {
    if (!timed) return trial;
    const from = now;
    now += 1000 * trial.seconds;
    return {
      ...trial,
      ...(startedAt !== undefined && { startedAt: from }),
      ...(endedAt !== undefined && { endedAt: now }),
    };
  });
}
