/**
 * Policies trained by gradients on the classical problems: mean return over 100 fresh episodes, of the weights of the epoch that was best
 * on 20 other episodes.
 *
 *     npm run -s bench:policies -- [--problem NAME ...] [--method NAME ...] [--seeds 1] [--first-seed 1] [--json] [--save] [--resume FILE]
 *
 * --python DIR/bin/python trains Stable-Baselines3's PPO (PyPI) beside ours, seed by seed, on CartPole with the same settings; its final policy is
 * tested, without validation episodes.
 * --resume FILE keeps each row as it ends, and does not measure again what is there. The whole of it: --seeds 10, about an hour of one core. docs/policies.md says how to read it.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rng } from '../../src/common/random.ts';
import { ENVIRONMENTS } from '../../src/control/index.ts';
import { openDqn } from '../../src/control/train/dqn.ts';
import { evaluatePolicyNetwork } from '../../src/control/train/evaluate.ts';
import { environmentData } from '../../src/control/train/on-environment.ts';
import { episodes } from '../../src/control/train/play.ts';
import { openPpo, PPO_OPTIONS } from '../../src/control/train/ppo.ts';
import { openReinforce } from '../../src/control/train/reinforce.ts';
import type { PolicyRequest, PolicyTraining } from '../../src/control/train/request.ts';
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { policy } from '../../src/space/index.ts';
import { checkArchitecture } from '../../src/space/tree/architecture.ts';
import { resolve } from '../../src/space/tree/resolve.ts';
import { spaceTask } from '../../src/task/index.ts';
import { trainUntil } from '../../src/train/trainable.ts';
import { circumstances, saveResult } from '../engine/results.ts';
import { markdown } from '../engine/tables.ts';
import { parseFlags } from '../support/flags.ts';
import { PROBLEMS, type Problem } from './problems.ts';

const METHODS = ['ppo', 'dqn', 'reinforce'];
const PEER = "Stable-Baselines3's ppo";
const NAMES = [...new Set(PROBLEMS.map(({ environment }) => environment))];
const VALID = episodes(0, 20);
const TEST = episodes(1_000_000, 100);

const flags = parseFlags({
  problem: { type: 'string', multiple: true, default: NAMES },
  method: { type: 'string', multiple: true, default: METHODS },
  seeds: { type: 'string', default: '1' },
  'first-seed': { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  /** Rows, a line of JSON each as they end; those that it has are not measured again. */
  resume: { type: 'string' },
  python: { type: 'string' },
});

interface Row {
  readonly problem: string;
  readonly method: string;
  readonly seed: number;
  readonly steps: number;
  /** Of 100 episodes. */
  readonly return: number;
  readonly success: number;
  readonly reached: boolean;
  /** Whose weights are kept. */
  readonly epoch?: number;
  readonly wallSeconds: number;
  /** Of the process, training and validation. */
  readonly cpuSeconds: number;
}

function opened(problem: Problem, request: PolicyRequest): Promise<PolicyTraining> {
  switch (problem.method) {
    case 'ppo':
      return openPpo({ ...request, settings: problem.settings });
    case 'dqn':
      return openDqn({ ...request, settings: problem.settings });
    case 'reinforce':
      return openReinforce({ ...request, settings: problem.settings });
  }
}

// Runs are too short to be handed to another thread.
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const say = (line: string) => process.stderr.write(`${line}\n`);

async function measure(problem: Problem, seed: number): Promise<Row> {
  const { environment: name, form, architecture, goal, memory = false } = problem;
  const environment = ENVIRONMENTS[name];
  const space = policy.create(spaceTask(environmentData(environment, form, memory)));
  const network = resolve(space, checkArchitecture(space, architecture));
  const [began, before] = [performance.now(), process.cpuUsage()];
  const training = await opened(problem, {
    engine,
    network,
    environment,
    valid: VALID,
    rng: (...labels) => rng('bench', seed, ...labels),
  });
  await trainUntil(training, training.plannedEpochs);
  const [wallSeconds, used] = [(performance.now() - began) / 1000, process.cpuUsage(before)];
  const weights = await training.weights();
  const epoch = training.keptEpoch();
  await training.dispose();
  const { metrics } = await evaluatePolicyNetwork({ engine, network, environment, form, weights, samples: TEST });
  const { return: reached = Number.NaN, success = Number.NaN } = metrics;
  const cpuSeconds = (used.user + used.system) / 1e6;
  say(
    `${name} ${problem.method} seed ${seed}: ${reached.toFixed(1)} (epoch ${epoch}), ${cpuSeconds.toFixed(1)} s of a core`,
  );
  return {
    problem: name,
    method: problem.method,
    seed,
    steps: training.plannedSteps,
    return: reached,
    success,
    reached: reached >= goal,
    epoch,
    wallSeconds,
    cpuSeconds,
  };
}

/** Stable-Baselines3's PPO in a process of its own. */
function measurePeer({ environment: problem, settings, architecture, goal }: Problem, seed: number): Row {
  const usual = Object.entries(PPO_OPTIONS).map(([name, option]) => [
    name,
    typeof option === 'object' ? option.default : option,
  ]);
  const asked = {
    ...{ ...Object.fromEntries(usual), ...settings },
    ...{ environment: 'CartPole-v1', width: architecture['layer/0/width'], goal, seed },
  };
  const script = join(import.meta.dirname, '../peers/stable_baselines3_ppo.py');
  const found = JSON.parse(execFileSync(flags.python ?? '', [script, JSON.stringify(asked)], { encoding: 'utf8' }));
  say(`${problem} ${PEER} seed ${seed}: ${found.return.toFixed(1)}, ${found.cpuSeconds.toFixed(1)} s of a core`);
  return { problem, method: PEER, seed, reached: found.return >= goal, ...found };
}

const when = circumstances(1);
const asked = PROBLEMS.filter(
  ({ environment, method }) => flags.problem.includes(environment) && flags.method.includes(method),
);
/** Each problem with the name of the method in the rows. */
const wanted = asked.flatMap((problem) => {
  const own = { problem, method: problem.method as string, take: measure };
  const isCompared = flags.python !== undefined && problem.environment === 'cart-pole' && problem.method === 'ppo';
  return isCompared ? [own, { problem, method: PEER, take: measurePeer }] : [own];
});
const first = Number(flags['first-seed']);
const seeds = Array.from({ length: Number(flags.seeds) }, (_, i) => first + i);
const kept: Row[] = flags.resume === undefined ? [] : readRows(flags.resume);
const rows: Row[] = [];
for (const seed of seeds)
  for (const { problem, method, take } of wanted) {
    const { environment: name } = problem;
    const known = kept.find((row) => row.problem === name && row.method === method && row.seed === seed);
    const row = known ?? (await take(problem, seed));
    rows.push(row);
    if (flags.resume !== undefined && known === undefined) appendFileSync(flags.resume, `${JSON.stringify(row)}\n`);
  }
await engine.dispose();
if (flags.save) say(saveResult('policies', when, { rows }));
if (flags.json) process.stdout.write(`${JSON.stringify({ ...when, rows })}\n`);
else process.stdout.write(`${table()}\n`);

function readRows(file: string): Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function table(): string {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return markdown(
    ['problem', 'method', 'steps', 'goal', 'reached', 'return', 'least', 'success', 'steps a second of a core'],
    wanted.map(({ problem: { environment: name, goal }, method }) => {
      const own = rows.filter((row) => row.problem === name && row.method === method);
      return [
        name,
        method,
        own[0]?.steps ?? 0,
        goal,
        `${own.filter(({ reached }) => reached).length} of ${own.length}`,
        mean(own.map((row) => row.return)).toFixed(1),
        Math.min(...own.map((row) => row.return)).toFixed(1),
        mean(own.map(({ success }) => success)).toFixed(2),
        Math.round(mean(own.map(({ steps, cpuSeconds }) => steps / cpuSeconds))),
      ];
    }),
  );
}
