/** Searches without training: aging evolution by a score, judged by the test accuracy of the architecture with the best score. */

import { FREEREA } from '../../src/common/metrics.ts';
import type { SearchData } from '../../src/data/dataset.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { proxyEstimator } from '../../src/estimate/proxies/estimator.ts';
import { networkCosts } from '../../src/network/costs.ts';
import { deviation, mean } from '../../src/report/numbers.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import { formatArchitecture, resolve, SPACES, searchSpaceOf } from '../../src/space/index.ts';
import { createStrategy } from '../../src/strategy/index.ts';
import type { Problem } from '../../src/strategy/strategy.ts';
import { runStudy } from '../../src/study/run.ts';
import { memoryStore } from '../../src/study/store/memory.ts';
import { inProcessPool } from '../../src/study/worker/in-process.ts';
import { markdown } from '../engine/tables.ts';

/** Scores by the metric that holds them. Fixed before any of them was tried here. */
const SCORES = {
  freerea: { proxies: FREEREA, freereaSample: 64 },
  flops: { proxies: ['flops'] },
} as const;
type ScoreName = keyof typeof SCORES;

/** Of aging evolution. */
const STRATEGY = { population: 50, sample: 25 };

export interface SearchRow {
  readonly score: ScoreName;
  readonly seeds: number;
  readonly candidates: number;
  /** Test accuracy, percent: mean, sample deviation and values. */
  readonly mean: number;
  readonly sd: number;
  readonly values: readonly number[];
  readonly architectures: readonly string[];
  /** Of a search, the sample that scores are normalized by and all compiling included; the longest. */
  readonly seconds: number;
}

export interface SearchJob {
  readonly engine: Engine;
  readonly data: SearchData;
  readonly seeds: number;
  readonly candidates: number;
  readonly say: (line: string) => void;
}

export async function searchAll(job: SearchJob): Promise<SearchRow[]> {
  const rows: SearchRow[] = [];
  for (const score of Object.keys(SCORES) as ScoreName[]) {
    const ends: { readonly test: number; readonly text: string; readonly seconds: number }[] = [];
    for (let seed = 0; seed < job.seeds; seed++) {
      const end = await searchOnce(job, score, seed);
      job.say(`${score}, seed ${seed}: ${end.test.toFixed(2)} % after ${end.seconds.toFixed(0)} s, ${end.text}`);
      ends.push(end);
    }
    const values = ends.map(({ test }) => test);
    rows.push({
      score,
      seeds: job.seeds,
      candidates: job.candidates,
      mean: mean(values),
      sd: deviation(values),
      values,
      architectures: ends.map(({ text }) => text),
      seconds: Math.max(...ends.map(({ seconds }) => seconds)),
    });
  }
  return rows;
}

async function searchOnce({ engine, data, candidates }: SearchJob, score: ScoreName, seed: number) {
  const start = performance.now();
  const space = SPACES['nas-bench-201'].create(data.info, {});
  const problem: Problem = {
    space: searchSpaceOf(space),
    objectives: [{ metric: score, direction: 'maximize', unit: 'score' }],
    limits: [],
    seed,
    costs(architecture) {
      const { params, flops } = networkCosts(resolve(space, architecture), data.info);
      return { params, flops };
    },
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
  const strategy = createStrategy('aging-evolution', STRATEGY);
  const store = memoryStore({ name: 'training-free', settings: null, state: strategy.init(problem) });
  const estimator = proxyEstimator({ engine, data, ...SCORES[score], seed });
  const workers = inProcessPool({ space, estimator }, store.artifacts);
  await runStudy({ store, strategy, problem, workers, budget: { trials: candidates } });
  await estimator.dispose();
  const trials = await store.trials('search');
  const scoreOf = ({ metrics }: (typeof trials)[number]) => metrics[score] ?? Number.NEGATIVE_INFINITY;
  const best = trials.reduce((a, b) => (scoreOf(b) > scoreOf(a) ? b : a));
  const testOf = await openNasBench201Test(space);
  const test = testOf(best.architecture, 'cifar-10');
  if (test === undefined) throw new Error('the table has no such architecture');
  const text = formatArchitecture(space, best.architecture);
  return { test: 100 * test, text, seconds: (performance.now() - start) / 1000 };
}

export function searchTable(rows: readonly SearchRow[]): string {
  return markdown(
    ['score', 'seeds', 'candidates', 'test %', 'sd', 'longest, s'],
    rows.map(({ score, seeds, candidates, mean, sd, seconds }) => [
      ...[score, seeds, candidates, mean.toFixed(2), sd.toFixed(2), Math.round(seconds)],
    ]),
  );
}
