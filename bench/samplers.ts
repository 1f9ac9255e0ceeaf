/**
 * Milliseconds of one trial (ask, look up, tell) after 100, 1,000 and 10,000 trials, of Netsmith's strategies and of Optuna's
 * samplers on the same table in one run, one after another. docs/search.md says how to read it.
 *
 *     node --conditions=netsmith-source bench/samplers.ts [--python PATH] [--json] [--only NAME] [--limit SECONDS] [--save]
 *
 * `--python`: an interpreter with Optuna (`python3 -m venv DIR && DIR/bin/pip install optuna torch scipy`; its Gaussian process
 * needs the last two). A sampler that has not come to a number of trials within the limit has none there.
 */
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { openNasBench201 } from '../src/estimate/tabular/nas-bench-201.node.ts';
import { first, successor } from '../src/space/index.ts';
import { createStrategy } from '../src/strategy/index.ts';
import { simulate, tabularProblem } from '../src/study/simulate.ts';
import { inputToLastLine } from './engine/processes.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { median } from './engine/statistics.ts';
import { markdown } from './engine/tables.ts';
import { CONTENDERS } from './search/contenders.ts';
import { parseFlags } from './support/flags.ts';

const TRIALS = [100, 1000, 10_000] as const;
/** The median over a window of trials before each one. */
const WINDOW = 50;
const PEERS = ['random', 'tpe', 'tpe-multivariate', 'gp', 'nsga2'];
const DATASET = 'cifar-10';

interface Row {
  readonly by: 'netsmith' | 'optuna';
  readonly sampler: string;
  /** After 100, 1,000 and 10,000 trials; null: not within the limit. */
  readonly milliseconds: readonly (number | null)[];
  readonly trials: number;
}

const flags = parseFlags({
  python: { type: 'string' },
  json: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  limit: { type: 'string', default: '60' },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const limit = Number(flags.limit);
if (!(limit > 0)) {
  say(`--limit ${flags.limit}: it must be a number of seconds above 0`);
  process.exit(2);
}
const isWanted = (name: string) => flags.only.length === 0 || flags.only.includes(name);

const when = circumstances(1);
const table = await openNasBench201();
const engine = () => createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });

function rowOf(by: Row['by'], sampler: string, times: readonly number[]): Row {
  const at = TRIALS.map((n) => (times.length < n ? null : median(times.slice(n - WINDOW, n))));
  say(`${by} ${sampler}: ${times.length} trials`);
  return { by, sampler, milliseconds: at, trials: times.length };
}

async function ours(sampler: string): Promise<Row> {
  const times: number[] = [];
  const start = performance.now();
  let last = start;
  await simulate({
    strategy: createStrategy(sampler, {}, { engine }),
    problem: tabularProblem(table, DATASET, 0),
    table,
    dataset: DATASET,
    budget: { evaluations: TRIALS[2] },
    until() {
      const now = performance.now();
      times.push(now - last);
      last = now;
      return now - start > 1000 * limit;
    },
  });
  return rowOf('netsmith', sampler, times);
}

function theirs(python: string, sampler: string, values: string): Row {
  const script = `${import.meta.dirname}/peers/optuna_samplers.py`;
  const { times } = inputToLastLine(python, ['-B', script, sampler, String(TRIALS[2]), String(limit), '0'], values) as {
    times: readonly number[];
  };
  return rowOf('optuna', sampler, times);
}

const values: number[] = [];
for (let one: ReturnType<typeof successor> = first(table.space); one; one = successor(table.space, one))
  values.push(table.lookup(one, DATASET)?.metrics.accuracy ?? Number.NaN);

const rows: Row[] = [];
const tried = async (name: string, measure: () => Row | Promise<Row>) => {
  try {
    rows.push(await measure());
  } catch (error) {
    process.exitCode = 1;
    say(`${name} failed: ${error instanceof Error ? error.message : error}`);
  }
};
for (const name of CONTENDERS.filter(isWanted)) await tried(name, () => ours(name));
for (const name of flags.python === undefined ? [] : PEERS.filter(isWanted))
  await tried(`optuna's ${name}`, () => theirs(flags.python ?? '', name, JSON.stringify(values)));

if (flags.json) process.stdout.write(`${JSON.stringify(rows, undefined, 1)}\n`);
else {
  const cells = rows.map(({ by, sampler, milliseconds }) => [
    ...[by, sampler],
    ...milliseconds.map((ms) => (ms === null ? '-' : Number(ms.toPrecision(2)))),
  ]);
  process.stdout.write(`${markdown(['', 'sampler', ...TRIALS.map((n) => `ms at ${n}`)], cells)}\n`);
}
if (flags.save) say(`saved: ${saveResult('samplers', when, { limit, window: WINDOW, rows })}`);
