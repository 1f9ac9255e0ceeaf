/**
 * Contests at the level of a user: what `netsmith run` with data and a time alone gives, beside what the same person could have
 * trained instead, on one core, with one thread, in the same time and on the same test file.
 *
 *     npm run -s bench:user -- [--json] [--only NAME] [--seeds K] [--resume] [--python PATH]
 *
 * Fashion-MNIST 300 s, CIFAR-10 (20,000 images) 330 s, EuroSAT 300 s, digits 60 s; adult, California housing, credit-g, titanic,
 * diamonds and abalone 60 s each. Contestants: `netsmith run`, whose exported network is scored; our own ResNet-8, 14 and 20 by
 * `netsmith train`; and, with `--python`, a Python with torch, scikit-learn, pandas, optuna, flaml[automl] and keras-tuner (below
 * bench/user/peers): a ResNet-8 in PyTorch, Optuna, KerasTuner and an SVC for images, scikit-learn's models and FLAML for tables.
 *
 *     --only NAME       a task or a contestant; several with commas
 *     --seeds K         trainings by `netsmith run` for each task (3); --peer-seeds K: by each other contestant (1)
 *     --splits K        divisions of credit-g and titanic, for every contestant (10)
 *     --time-scale X    multiplies all times; results with other times are other contests
 *     --short           --seeds 1 --splits 1 --time-scale 0.2: whether everything runs, not who wins
 *     --resume          skips contests with a row in the file of results; --retry-failed: except those without a test value
 *     --results FILE    where rows are appended as contests end (bench/results/user.jsonl)
 *     --cores A,B       a contest at a time on each of these cores (0,1); --jobs N: on the first N of them
 *     --shared FOLDER   the data (../shared/data); NETSMITH_FASHION_MNIST: the folder of Fashion-MNIST's four files
 *     --files FOLDER    where the bench writes training and test files (netsmith-contests in the temporary folder)
 *     --python PATH     without it there are no peers
 *     --json            rows { task, contestant, seed, seconds, metric, test, params, peakMiB, exported, budget, cpuSeconds,
 *                       reason? }
 *
 * Machine hours: 3.5 on one core with the times and seeds above and all peers, so 1.7 on two; a task of images takes 40
 * minutes, the ten splits together 45. A contestant that takes more than one and a half times its time and a minute is
 * killed. `seconds` is the wall clock of the whole command; where `cpuSeconds` is far below it, the core had other work, and
 * the results are worth little.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseFlags } from '../support/flags.ts';
import { contestsOf, holdAll, type Plan, unknownNames } from './contest.ts';
import { CONTESTANTS } from './contestants.ts';
import { killRunning } from './process.ts';
import { appendResult, keyOf, keyOfContest, type Row, readResults, writeResults } from './results.ts';
import { resultTable } from './table.ts';
import { TASKS } from './tasks.ts';

const root = join(import.meta.dirname, '../..');
const flags = parseFlags({
  json: { type: 'boolean' },
  only: { type: 'string', multiple: true },
  seeds: { type: 'string' },
  'peer-seeds': { type: 'string', default: '1' },
  splits: { type: 'string' },
  'time-scale': { type: 'string' },
  short: { type: 'boolean' },
  resume: { type: 'boolean' },
  'retry-failed': { type: 'boolean' },
  results: { type: 'string', default: join(root, 'bench/results/user.jsonl') },
  cores: { type: 'string' },
  jobs: { type: 'string' },
  shared: { type: 'string', default: join(root, '../shared/data') },
  files: { type: 'string', default: join(tmpdir(), 'netsmith-contests') },
  python: { type: 'string' },
});

const count = (name: 'seeds' | 'peer-seeds' | 'splits' | 'jobs', otherwise: number) => {
  const value = Number(flags[name] ?? otherwise);
  return Number.isInteger(value) && value > 0 ? value : refuse(`--${name} ${flags[name]}: it must be a whole number`);
};
const plan: Plan = {
  only: (flags.only ?? []).flatMap((names) => names.split(/,(?! )/)),
  seeds: count('seeds', flags.short ? 1 : 3),
  peerSeeds: count('peer-seeds', 1),
  splits: count('splits', flags.short ? 1 : 10),
  timeScale: Number(flags['time-scale'] ?? (flags.short ? 0.2 : 1)),
};
if (!(plan.timeScale > 0)) refuse(`--time-scale ${flags['time-scale']}: it must be above 0`);
const unknown = unknownNames(plan);
if (unknown.length > 0) {
  const known = [...TASKS, ...CONTESTANTS].map(({ name }) => name).join('; ');
  refuse(`--only ${unknown.join(',')}: it must be one of ${known}`);
}
if (process.platform !== 'linux') refuse('the contests need Linux (taskset and /proc)');
const listed = (flags.cores ?? '0,1').split(',').map(Number);
if (!listed.every((core) => Number.isInteger(core) && core >= 0)) refuse(`--cores ${flags.cores}: numbers of cores`);
const cores = listed.slice(
  0,
  count('jobs', Math.min(listed.length, flags.cores ? listed.length : availableParallelism())),
);

if (!flags.resume && existsSync(flags.results))
  refuse(`${flags.results} is there: --resume continues it, --results names another file`);
const all = contestsOf(plan).filter(({ contestant }) => flags.python !== undefined || contestant.by !== 'python');
const keys = new Set(all.map(keyOfContest));
const isHeldAgain = (row: Row) => flags['retry-failed'] === true && row.test === null && keys.has(keyOf(row));
const kept = readResults(flags.results).filter((row) => !isHeldAgain(row));
writeResults(flags.results, kept);
const done = new Set(kept.map(keyOf));
const contests = all.filter((contest) => !done.has(keyOfContest(contest)));
const rows = kept.filter((row) => keys.has(keyOf(row)));

process.once('exit', killRunning);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const python = flags.python === undefined ? '' : flags.python.includes('/') ? resolve(flags.python) : flags.python;
mkdirSync(flags.files, { recursive: true });
const venue = {
  sources: {
    shared: resolve(flags.shared),
    fashionMnist: process.env.NETSMITH_FASHION_MNIST ?? '/usr/share/datasets/fashion-mnist',
  },
  python,
  folder: resolve(flags.files),
};
const seconds = contests.reduce((sum, { budget }) => sum + budget, 0);
console.error(
  `${contests.length} contests, ${(seconds / cores.length / 3600).toFixed(1)} hours at most; results: ${flags.results}`,
);
await holdAll(contests, cores, venue, (row) => {
  appendResult(flags.results, row);
  rows.push(row);
  const { task, contestant, seed, test, reason = '' } = row;
  console.error(`${task}, ${contestant}, seed ${seed}: ${test ?? 'none'} in ${row.seconds} s ${reason}`);
});
console.log(flags.json ? JSON.stringify(rows, undefined, 2) : resultTable(rows));

function refuse(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}
