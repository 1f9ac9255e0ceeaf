// Our classic environments against Gymnasium's: the same starts and actions, 1,000 steps by a random policy and 1,000 by one that reaches
// the goals, for each environment. "from the start" lets our trajectory run on by itself; "one step" puts it back on Gymnasium's state before
// each step. Rewards, ends and observations are compared as well. --write keeps a part of the trajectories for the test that repeats this
// without Python (src/control/testing/gymnasium.json).
//   python3 -m venv DIR && DIR/bin/pip install gymnasium
//   npx node --conditions=netsmith-source bench/parity/control.ts --python DIR/bin/python [--write]
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Environment } from '../../src/control/environment.ts';
import { ENVIRONMENTS } from '../../src/control/index.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    steps: { type: 'string', default: '1000' },
    write: { type: 'boolean', default: false },
  },
});

interface Trajectory {
  readonly start: readonly number[];
  readonly actions: readonly number[];
  readonly states: readonly (readonly number[])[];
  readonly observations: readonly (readonly number[])[];
  readonly return: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

const OURS: Readonly<Record<string, Environment>> = {
  'CartPole-v1': ENVIRONMENTS['cart-pole'],
  'Acrobot-v1': ENVIRONMENTS.acrobot,
  'MountainCar-v0': ENVIRONMENTS['mountain-car'],
  'MountainCarContinuous-v0': ENVIRONMENTS['mountain-car-continuous'],
  'Pendulum-v1': ENVIRONMENTS.pendulum,
};
/** Of the fixture: each state that is kept has this many steps to the next. */
const EVERY = 25;
const LIMIT = 1e-6;

const largest = (differences: readonly number[]): number => differences.reduce((most, one) => Math.max(most, one), 0);
const distance = (a: ArrayLike<number>, b: readonly number[]): number =>
  largest(b.map((value, i) => Math.abs(value - (a[i] ?? Number.NaN))));

/** The largest differences of an episode. Without `isFree` each step begins in Gymnasium's state. */
function follow(environment: Environment, episode: Trajectory, isFree: boolean) {
  const lanes = environment.open(1);
  const states = lanes.states;
  if (states === undefined) throw new Error(`${environment.name} has no state`);
  states.begin(0, episode.start);
  const differences = { state: 0, observation: 0, ends: 0 };
  let sum = 0;
  for (const [i, action] of episode.actions.entries()) {
    const before = episode.states[i - 1];
    if (!isFree && before !== undefined) states.begin(0, before);
    lanes.step(Float32Array.of(action));
    sum += lanes.rewards[0] ?? Number.NaN;
    differences.state = Math.max(differences.state, distance(states.of(0), episode.states[i] ?? []));
    differences.observation = Math.max(
      differences.observation,
      distance(lanes.observations, episode.observations[i] ?? []),
    );
    const isLast = i === episode.actions.length - 1;
    if (lanes.terminated[0] !== Number(isLast && episode.terminated)) differences.ends++;
    if (isFree && lanes.truncated[0] !== Number(isLast && episode.truncated)) differences.ends++;
  }
  return { ...differences, return: Math.abs(sum - episode.return) };
}

const args = [new URL('control_reference.py', import.meta.url).pathname, values.steps];
const lines = execFileSync(values.python, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  .trim()
  .split('\n');
const fixture: Record<string, unknown[]> = {};
let isGood = true;
let version = '';
console.log(
  '| environment | policy | episodes | steps | ended by rule | state, from the start | state, one step | observation | return |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const line of lines) {
  const run: { name: string; policy: string; version: string; episodes: Trajectory[] } = JSON.parse(line);
  version = run.version;
  const environment = OURS[run.name];
  if (environment === undefined) throw new Error(run.name);
  const free = run.episodes.map((episode) => follow(environment, episode, true));
  const single = run.episodes.map((episode) => follow(environment, episode, false));
  const most = (rows: typeof free, key: keyof (typeof free)[number]) => largest(rows.map((row) => row[key]));
  const steps = run.episodes.reduce((sum, { actions }) => sum + actions.length, 0);
  const ended = run.episodes.filter(({ terminated }) => terminated).length;
  const figures = [most(free, 'state'), most(single, 'state'), most(free, 'observation'), most(free, 'return')];
  const wrongEnds = most(free, 'ends') + most(single, 'ends');
  if (wrongEnds > 0 || !figures.every((value) => value <= LIMIT)) isGood = false;
  const cells = [
    run.name,
    run.policy,
    run.episodes.length,
    steps,
    ended,
    ...figures.map((value) => value.toExponential(1)),
  ];
  console.log(`| ${cells.join(' | ')} |${wrongEnds > 0 ? ` ${wrongEnds} ends differ` : ''}`);
  fixture[`${environment.name} ${run.policy}`] = run.episodes.map((episode) => ({
    start: episode.start,
    // In 64ths, which all of them are.
    actions: environment.action.kind === 'discrete' ? episode.actions.join('') : episode.actions.map((a) => a * 64),
    states: Object.fromEntries(
      episode.states.flatMap((state, i, all) =>
        (i + 1) % EVERY === 0 || i === all.length - 1 ? [[i + 1, state.map((value) => Number(value.toFixed(9)))]] : [],
      ),
    ),
    return: Number(episode.return.toFixed(9)),
    terminated: episode.terminated,
    truncated: episode.truncated,
  }));
}
console.log(
  `Gymnasium ${version}. ${isGood ? 'All' : 'Not all'} within ${LIMIT}; every episode ends ${isGood ? 'at the same step' : 'as shown'}.`,
);
if (values.write) {
  const runs = Object.entries(fixture).map(
    ([name, episodes]) => `${JSON.stringify(name)}: [\n${episodes.map((one) => JSON.stringify(one)).join(',\n')}\n]`,
  );
  const path = new URL('../../src/control/testing/gymnasium.json', import.meta.url);
  writeFileSync(path, `{\n"gymnasium": ${JSON.stringify(version)},\n"runs": {\n${runs.join(',\n')}\n}\n}\n`);
}
process.exitCode = isGood ? 0 : 1;
