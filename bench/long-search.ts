/**
 * What a search costs beside its trainings, on the table of NAS-Bench-201: the seconds of many short searches (12,000 simulated
 * seconds each), and, over one of 100,000 trials, bytes of memory that each trial leaves behind and the time of an `ask` early and
 * late. Each through `simulate`, which keeps trials in a list, and through `runStudy` with the store in memory, as a real study
 * runs. docs/search.md says how to read it.
 *
 *     node --conditions=netsmith-source bench/long-search.ts [--only NAME] [--seeds N] [--trials N] [--json] [--save]
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { simulatedClock, tabularEstimator } from '../src/estimate/tabular/estimator.ts';
import { openNasBench201 } from '../src/estimate/tabular/nas-bench-201.node.ts';
import { createStrategy } from '../src/strategy/index.ts';
import type { Strategy } from '../src/strategy/strategy.ts';
import { runStudy } from '../src/study/run.ts';
import { simulate, tabularProblem } from '../src/study/simulate.ts';
import { memoryStore } from '../src/study/store/memory.ts';
import { inProcessPool } from '../src/study/worker/in-process.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { median } from './engine/statistics.ts';
import { markdown } from './engine/tables.ts';
import { parseFlags } from './support/flags.ts';

const DATASET = 'cifar-10';
const SECONDS = 12_000;

const flags = parseFlags({
  only: { type: 'string', multiple: true, default: ['random', 'aging-evolution'] },
  seeds: { type: 'string', default: '500' },
  trials: { type: 'string', default: '100000' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const most = Number(flags.trials);
const seeds = Number(flags.seeds);
/** Tenths: memory and times are compared between the second and the last, when everything has been compiled. */
const tenth = Math.floor(most / 10);
if (!(tenth >= 1 && seeds >= 1)) {
  process.stderr.write(`--trials ${flags.trials} --seeds ${flags.seeds}: they must be numbers, from 10 and from 1\n`);
  process.exit(2);
}
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const when = circumstances(1);
const table = await openNasBench201();

interface Search {
  readonly strategy: Strategy;
  readonly seed: number;
  readonly budget: { readonly seconds: number } | { readonly trials: number };
  /** Told of each trial that has ended. */
  readonly onTrial?: (trial: number) => void;
}

/** A search, from its beginning to its end; how many trials it had. */
type Play = (search: Search) => Promise<number>;

const THROUGH: Readonly<Record<'simulate' | 'study', Play>> = {
  async simulate({ strategy, seed, budget, onTrial }) {
    const { trials } = await simulate({
      ...{ strategy, problem: tabularProblem(table, DATASET, seed), table, dataset: DATASET },
      budget: 'trials' in budget ? { evaluations: budget.trials } : budget,
      until({ trial }) {
        onTrial?.(trial);
        return false;
      },
    });
    return trials.length;
  },
  async study({ strategy, seed, budget, onTrial }) {
    const problem = tabularProblem(table, DATASET, seed);
    const clock = simulatedClock('seconds' in budget ? budget.seconds : undefined);
    const store = memoryStore({ name: strategy.name, settings: null, state: strategy.init(problem) });
    const workers = inProcessPool(
      { space: table.space, estimator: tabularEstimator(table, DATASET, clock) },
      store.artifacts,
    );
    const { trials } = await runStudy({
      ...{ store, strategy, problem, workers, budget, now: clock.now },
      onEvent: (event) => event.kind === 'ended' && onTrial?.(event.trial.trial),
    });
    return trials;
  },
};
type Through = keyof typeof THROUGH;

/** Bytes in use once nothing is left that could go. */
function heap(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function shortSearches(name: string, through: Through) {
  const start = performance.now();
  let trials = 0;
  for (let seed = 0; seed < seeds; seed++)
    trials += await THROUGH[through]({ strategy: createStrategy(name), seed, budget: { seconds: SECONDS } });
  return { strategy: name, through, searches: seeds, trials, seconds: (performance.now() - start) / 1000 };
}

async function longSearch(name: string, through: Through) {
  const asks = new Float64Array(most);
  const inner = createStrategy(name);
  const strategy: Strategy = {
    ...inner,
    async ask(problem, state, firstTrial, count) {
      const start = performance.now();
      const answer = await inner.ask(problem, state, firstTrial, count);
      asks[firstTrial] = 1000 * (performance.now() - start);
      return answer;
    },
  };
  const heaps: number[] = [];
  const start = performance.now();
  const trials = await THROUGH[through]({
    ...{ strategy, seed: 0, budget: { trials: most } },
    onTrial(trial) {
      if ((trial + 1) % tenth === 0) heaps.push(heap());
    },
  });
  const [early = Number.NaN, late = Number.NaN] = [heaps[1], heaps[9]];
  return {
    ...{ strategy: name, through, trials, seconds: (performance.now() - start) / 1000 },
    bytesPerTrial: Math.round((late - early) / (8 * tenth)),
    /** Medians of the second tenth of the trials and of the last. */
    askMicroseconds: [
      median([...asks.slice(tenth, 2 * tenth)]),
      median([...asks.slice(9 * tenth, 10 * tenth)]),
    ] as const,
  };
}

const short = [];
const long = [];
for (const name of flags.only) {
  for (const through of ['simulate', 'study'] as const) {
    short.push(await shortSearches(name, through));
    long.push(await longSearch(name, through));
  }
}
const three = (value: number) => Number(value.toPrecision(3));
if (flags.json) process.stdout.write(`${JSON.stringify({ short, long }, undefined, 1)}\n`);
else {
  const searches = short.map((one) => [one.strategy, one.through, one.searches, one.trials, three(one.seconds)]);
  const rows = long.map(({ askMicroseconds: [early, late], ...one }) => [
    ...[one.strategy, one.through, one.trials, three(one.seconds), one.bytesPerTrial, three(early), three(late)],
  ]);
  const head = ['strategy', 'through', 'trials', 'seconds', 'bytes a trial', 'µs early', 'µs late'];
  process.stdout.write(`${markdown(['strategy', 'through', 'searches', 'trials', 'seconds'], searches)}\n\n`);
  process.stdout.write(`${markdown(head, rows)}\n`);
}
if (flags.save) process.stderr.write(`saved: ${saveResult('long-search', when, { short, long })}\n`);
