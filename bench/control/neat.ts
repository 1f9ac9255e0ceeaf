/**
 * NEAT on the problems of its paper (Stanley & Miikkulainen 2002): XOR, and balancing two poles with and without velocities; its four
 * ablations and two searches of weights alone on the second. A row says whether the problem was solved, after how many evaluations, and how
 * large the network is. docs/neat.md says how to read it.
 *
 *     npm run -s bench:neat -- [--json] [--problem NAME] [--only NAME] [--seeds N] [--resume FILE] [--short] [--save]
 *
 *     --problem NAME    may be repeated: xor, double pole, double pole without velocities; `none` for --python alone
 *     --only NAME       may be repeated: a contender (default: neat; `all` for all)
 *     --seeds N         default: 100 of XOR, 50 and 20 of the poles
 *     --resume FILE     a line of JSON for each search goes into this file; searches that have one are not repeated
 *     --short           3 seeds of XOR and of two poles with velocities
 *     --first-seed N, --generations N (100)
 *     --set a=1,b=2     options of the strategy in place of the paper's; the rows name them
 *     --python PATH     an interpreter with neat-python: processor time of a generation of 1,000 genomes, same episodes
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { rankSumTest } from '../../src/common/ranks.ts';
import { circumstances, saveResult } from '../engine/results.ts';
import { median } from '../engine/statistics.ts';
import { markdown } from '../engine/tables.ts';
import { optionsFrom } from '../oneshot/options.ts';
import { parseFlags } from '../support/flags.ts';
import { CONTENDERS, evolve, type Row } from './neat/evolve.ts';
import { PROBLEMS } from './neat/problems.ts';
import { compareSpeed } from './neat/speed.ts';

const flags = parseFlags({
  json: { type: 'boolean', default: false },
  problem: { type: 'string', multiple: true, default: [] },
  only: { type: 'string', multiple: true, default: ['neat'] },
  seeds: { type: 'string' },
  'first-seed': { type: 'string', default: '0' },
  generations: { type: 'string', default: '100' },
  set: { type: 'string' },
  resume: { type: 'string' },
  short: { type: 'boolean', default: false },
  python: { type: 'string' },
  save: { type: 'boolean', default: false },
});

const SEEDS: Readonly<Record<string, number>> = { xor: 100, 'double pole': 50, 'double pole without velocities': 20 };
const generations = Number(flags.generations);
const wanted = flags.short ? ['xor', 'double pole'] : flags.problem;
const problems = PROBLEMS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const contenders = CONTENDERS.filter(({ name }) => flags.only.includes('all') || flags.only.includes(name)).map(
  (one) =>
    flags.set === undefined
      ? one
      : { ...one, name: `${one.name}, ${flags.set}`, options: { ...one.options, ...optionsFrom(flags.set) } },
);

const done: Row[] = [];
if (flags.resume !== undefined && existsSync(flags.resume))
  for (const line of readFileSync(flags.resume, 'utf8').split('\n'))
    if (line !== '') done.push(JSON.parse(line) as Row);
const keyOf = ({ problem, contender, seed }: Pick<Row, 'problem' | 'contender' | 'seed'>) =>
  `${problem}/${contender}/${seed}`;
const known = new Map(done.map((row) => [keyOf(row), row]));

const rows: Row[] = [];
for (const problem of problems)
  for (const contender of contenders) {
    const count = Number(flags.seeds ?? (flags.short ? 3 : SEEDS[problem.name]));
    for (let seed = Number(flags['first-seed']); seed < Number(flags['first-seed']) + count; seed++) {
      const found = known.get(keyOf({ problem: problem.name, contender: contender.name, seed }));
      const row = found ?? (await evolve(problem, contender, seed, generations));
      rows.push(row);
      if (found !== undefined) continue;
      if (flags.resume !== undefined) appendFileSync(flags.resume, `${JSON.stringify(row)}\n`);
      const end = row.solved ? 'solved' : 'not solved';
      process.stderr.write(
        `${problem.name}, ${contender.name}, seed ${seed}: ${end}, ${row.evaluations} evaluations\n`,
      );
    }
  }

const groups = problems.flatMap((problem) =>
  contenders.map((contender) => ({
    ...{ problem, contender },
    rows: rows.filter((row) => row.problem === problem.name && row.contender === contender.name),
  })),
);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const summary = groups.map(({ problem, contender, rows: own }) => {
  const solved = own.filter((row) => row.solved);
  const full = groups.find((one) => one.problem === problem && one.contender.name === 'neat')?.rows ?? [];
  // A search that failed has taken all its evaluations and one more.
  const cost = (row: Row) => row.evaluations + Number(!row.solved);
  const evaluations = solved.map((row) => row.evaluations);
  return {
    ...{ problem: problem.name, contender: contender.name, seeds: own.length, solved: solved.length },
    paper: problem.paper,
    // Of those that were solved.
    ...(solved.length > 0 && {
      meanEvaluations: Math.round(mean(evaluations)),
      medianEvaluations: median(evaluations),
      mostEvaluations: Math.max(...evaluations),
      hidden: Number(mean(solved.map((row) => row.hidden)).toFixed(2)),
      connections: Number(mean(solved.map((row) => row.connections)).toFixed(2)),
    }),
    seconds: Number(mean(own.map((row) => row.seconds)).toFixed(2)),
    ...(contender.name !== 'neat' && { p: rankSumTest(own.map(cost), full.map(cost), 'greater') }),
  };
});
const speed = flags.python === undefined ? undefined : await compareSpeed(flags.python);
const when = circumstances(1);
const result = { generations, summary, ...(speed && { speed }), rows };
if (flags.save) saveResult('neat', when, result);
if (flags.json) process.stdout.write(`${JSON.stringify({ ...when, ...result }, undefined, 1)}\n`);
else {
  const shown = summary.map((one) => [
    ...[
      one.problem,
      one.contender,
      `${one.solved} of ${one.seeds}`,
      `${one.meanEvaluations}`,
      `${one.medianEvaluations}`,
    ],
    ...[
      `${one.mostEvaluations}`,
      `${one.paper}`,
      `${one.hidden}`,
      `${one.connections}`,
      one.p === undefined ? '' : one.p.toPrecision(2),
    ],
  ]);
  const head = [
    'problem',
    'contender',
    'solved',
    'mean evaluations',
    'median',
    'most',
    'paper',
    'hidden',
    'connections',
    'p',
  ];
  process.stdout.write(`${markdown(head, shown)}\n`);
  if (speed) process.stdout.write(`${JSON.stringify(speed)}\n`);
}
