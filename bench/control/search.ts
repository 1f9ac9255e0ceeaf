/**
 * Search over the space `policy` under a budget of environment steps: CartPole without velocities, where a policy must remember, and
 * Acrobot. A strategy against random search at equal steps: as many trials, each trained for as many steps. A row has the return of the
 * winner over 100 fresh episodes after a training of its own, and the front of validation return against parameters.
 *
 *     npm run -s bench:control-search -- [--problem NAME ...] [--strategy NAME] [--seeds 10] [--first-seed 0] [--trials 20]
 *         [--env-steps N] [--resume FILE] [--json] [--save] [--short] [--tiny]
 *
 *     --strategy NAME   against random search (default: tpe)
 *     --env-steps N     of each trial (default: 50,000)
 *     --resume FILE     a line of JSON for each search goes into this file; searches that have one are not repeated
 *     --short           3 seeds of CartPole without velocities, 6 trials of 20,000 steps: some minutes
 *     --tiny            1 seed, 2 trials of 2,048 steps: whether it runs
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStudy } from '../../src/app/open.ts';
import { signedRankTest } from '../../src/common/ranks.ts';
import { circumstances, saveResult } from '../engine/results.ts';
import { markdown } from '../engine/tables.ts';
import { parseFlags } from '../support/flags.ts';

const NAMES = ['cart-pole-without-velocities', 'acrobot'];

const flags = parseFlags({
  problem: { type: 'string', multiple: true, default: NAMES },
  strategy: { type: 'string', default: 'tpe' },
  seeds: { type: 'string' },
  'first-seed': { type: 'string', default: '0' },
  trials: { type: 'string' },
  'env-steps': { type: 'string' },
  resume: { type: 'string' },
  short: { type: 'boolean', default: false },
  tiny: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});

const form = flags.tiny
  ? { seeds: 1, trials: 2, envSteps: 2048, epochs: 2, problems: NAMES.slice(0, 1) }
  : flags.short
    ? { seeds: 3, trials: 6, envSteps: 20_000, epochs: 10, problems: NAMES.slice(0, 1) }
    : { seeds: 10, trials: 20, envSteps: 50_000, epochs: 10, problems: flags.problem };
const seeds = Number(flags.seeds ?? form.seeds);
const trials = Number(flags.trials ?? form.trials);
const envSteps = Number(flags['env-steps'] ?? form.envSteps);
const first = Number(flags['first-seed']);

interface Row {
  readonly problem: string;
  readonly strategy: string;
  readonly seed: number;
  /** Environment steps of the whole search. */
  readonly steps: number;
  readonly valid: number;
  /** Mean return over 100 fresh episodes. */
  readonly test: number;
  readonly params: number;
  readonly architecture: string;
  /** Trials that no other one beats in both, by parameters. */
  readonly front: readonly { readonly params: number; readonly return: number }[];
}

async function search(problem: string, strategy: string, seed: number, dir: string): Promise<Row> {
  const study = await createStudy({
    ...{ environment: problem, space: 'policy', trials, envSteps, epochs: form.epochs, seed, dir },
    strategy,
    ...(strategy === 'tpe' && { strategyOptions: { initial: Math.max(2, Math.floor(trials / 3)) } }),
    // Small enough that the shortest form has whole rollouts.
    trainerOptions: { lanes: 8, rollout: 128 },
  });
  await study.optimize();
  const done = (await study.trials()).filter(({ state }) => state === 'complete');
  const points = done.map(({ metrics, costs }) => ({ params: costs.params ?? 0, return: metrics.return ?? 0 }));
  const front = points
    .filter((one) => !points.some((other) => other.params <= one.params && other.return > one.return))
    .toSorted((a, b) => a.params - b.params);
  const best = await study.best();
  if (best === undefined) throw new Error(`${problem}, ${strategy}, seed ${seed}: no trial is complete`);
  const { test, params } = await study.evaluate({ seeds: 1, samples: false });
  return {
    ...{ problem, strategy, seed, params, front },
    steps: trials * envSteps,
    valid: best.metrics.return ?? Number.NaN,
    test: test.return?.mean ?? Number.NaN,
    architecture: best.text,
  };
}

const done: Row[] = [];
if (flags.resume !== undefined && existsSync(flags.resume))
  for (const line of readFileSync(flags.resume, 'utf8').split('\n'))
    if (line !== '') done.push(JSON.parse(line) as Row);
const keyOf = ({ problem, strategy, seed }: Pick<Row, 'problem' | 'strategy' | 'seed'>) =>
  `${problem}/${strategy}/${seed}`;
const known = new Map(done.map((row) => [keyOf(row), row]));

const when = circumstances(1);
const say = (line: string) => process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'netsmith-control-search-'));
const rows: Row[] = [];
try {
  for (const problem of form.problems)
    for (let seed = first; seed < first + seeds; seed++)
      for (const strategy of ['random', flags.strategy]) {
        const key = keyOf({ problem, strategy, seed });
        const row = known.get(key) ?? (await search(problem, strategy, seed, join(folder, key.replaceAll('/', '-'))));
        rows.push(row);
        if (!known.has(key) && flags.resume !== undefined) appendFileSync(flags.resume, `${JSON.stringify(row)}\n`);
        say(`${key}: test return ${row.test.toFixed(1)}, ${row.params} parameters, ${row.architecture}`);
      }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (flags.save) say(saveResult('control-search', when, { rows }));
process.stdout.write(flags.json ? `${JSON.stringify({ ...when, rows })}\n` : `${tables()}\n`);

function tables(): string {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const of = (problem: string, strategy: string) =>
    rows.filter((row) => row.problem === problem && row.strategy === strategy);
  const summary = form.problems.flatMap((problem) => {
    const random = of(problem, 'random').map(({ test }) => test);
    return ['random', flags.strategy].map((strategy) => {
      const own = of(problem, strategy);
      const tests = own.map(({ test }) => test);
      const differences = tests.map((value, i) => value - (random[i] ?? Number.NaN));
      const p = strategy === 'random' || tests.length < 2 ? '' : signedRankTest(differences).toPrecision(2);
      return [
        ...[problem, strategy, own.length, own[0]?.steps ?? 0, mean(tests).toFixed(1), Math.min(...tests).toFixed(1)],
        ...[mean(own.map(({ valid }) => valid)).toFixed(1), mean(own.map(({ params }) => params)).toFixed(0), p],
      ];
    });
  });
  const fronts = rows.map(({ problem, strategy, seed, front }) => [
    ...[problem, strategy, seed],
    front.map((one) => `${one.params}: ${one.return.toFixed(1)}`).join(', '),
  ]);
  return [
    markdown(['problem', 'strategy', 'seeds', 'steps', 'test', 'least', 'valid', 'params', 'p (Wilcoxon)'], summary),
    markdown(['problem', 'strategy', 'seed', 'front (parameters: validation return)'], fronts),
  ].join('\n\n');
}
