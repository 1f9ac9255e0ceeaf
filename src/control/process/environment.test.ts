import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rng } from '../../common/random.ts';
import { checkEnvironment } from '../conformance.node.ts';
import type { Environment } from '../environment.ts';
import { processEnvironment } from './environment.node.ts';
import { openLineProcess } from './lines.node.ts';

const SIMULATOR = fileURLToPath(new URL('../testing/simulator.ts', import.meta.url));
const commandOf = (fault = '') => `"${process.execPath}" "${SIMULATOR}" ${fault}`;

function twoSteps(environment: Environment, lanes = 1): void {
  const opened = environment.open(lanes);
  try {
    for (let lane = 0; lane < lanes; lane++) opened.reset(lane, rng(lane));
    for (let step = 0; step < 2; step++) opened.step(new Float32Array(lanes).fill(1));
  } finally {
    opened.close();
  }
}

test('an environment in a process keeps the rules of every environment', () => {
  const environment = processEnvironment({ command: commandOf() });
  assert.deepEqual(environment.observation, {
    shape: [2],
    names: ['place', 'steps'],
    low: [-10, 0],
    high: [10, Infinity],
  });
  checkEnvironment(environment, { episodes: 1 });
});

test('images may be nested lists', () => {
  const lanes = processEnvironment({ command: commandOf('image') }).open(1);
  lanes.reset(0, rng(0));
  assert.deepEqual([...lanes.observations].slice(0, 5), [1, 0, 1, 0, 1]);
  lanes.close();
});

const FAULTS: Readonly<Record<string, RegExp>> = {
  words: /^environment "walk" in a process, answer to step 2: observation\[0\] is "far"; must be a finite number$/,
  nan: /answer to step 2: it prints .*NaN.*; must have finite numbers$/,
  large: /answer to step 2: reward is Infinity; must be a finite number$/,
  short: /answer to step 2: observation has 1 entries; must have 2, for the shape \[2\]$/,
  long: /answer to step 2: observation has 3 entries; must have 2, for the shape \[2\]$/,
  maybe: /answer to step 2: terminated is "maybe"; must be true or false$/,
  chatter: /answer to step 2: it prints "Loading the world ..."; must print one JSON object for each line/,
  list: /answer to step 2: it prints \[0,0\]; must print one JSON object/,
  exit: /step 2: it exits with code 3: out of fuel; must run until its input ends$/,
};

for (const [fault, message] of Object.entries(FAULTS))
  test(`a process that answers wrongly is refused with place, value and rule: ${fault}`, () => {
    const environment = processEnvironment({ command: commandOf(fault) });
    assert.throws(() => twoSteps(environment), { name: 'UserError', message });
  });

test('a process that hangs is killed after the patience given', () => {
  const about = JSON.stringify({
    ...{ name: 'still', maxSteps: 5, success: { terminated: true } },
    ...{ observation: { shape: [1] }, action: { kind: 'discrete', count: 2 } },
  });
  // A shell starts at once, so that a short patience is enough for its first answers.
  const command = `read x; case "$x" in *describe*) echo '${about}';; *) echo '{"observation": [0]}';; esac; read x; sleep 1000`;
  const environment = processEnvironment({ command, patience: 3 });
  const message =
    'environment "still" in a process, step 1: no answer after 3 s; must answer each line with one; it was killed';
  assert.throws(() => twoSteps(environment), { name: 'UserError', message });
});

test('a description that is none is refused, and so are a silent process and a command that does not exist', () => {
  const refused = (command: string, message: RegExp, patience = 30) =>
    assert.throws(() => processEnvironment({ command, patience }), { name: 'UserError', message });
  refused(commandOf('shapeless'), /^environment command .*, answer to describe: observation\.shape; must be a list$/);
  refused(commandOf('silent'), /describe: no answer after 1 s; must answer/, 0.1);
  refused('netsmith-has-no-such-command', /describe: it exits with code 127: .*not found.*; must run until/);
});

test('after an error the next reset starts a new process', () => {
  const lanes = processEnvironment({ command: commandOf('maybe') }).open(2);
  for (const lane of [0, 1]) lanes.reset(lane, rng(lane));
  lanes.step(Float32Array.of(1, 1));
  assert.throws(() => lanes.step(Float32Array.of(1, 1)), /terminated is "maybe"/);
  // Lane 1 still owed its answer to the step that failed.
  for (const lane of [0, 1]) lanes.reset(lane, rng(lane));
  lanes.step(Float32Array.of(1, 1));
  assert.deepEqual([...lanes.rewards], [1, 1]);
  lanes.close();
});

test('a process that stays when its input ends is killed', () => {
  const opened = openLineProcess(`${commandOf('stays')} & echo $!; wait`);
  const answer = opened.read(30);
  assert.ok(answer.kind === 'line');
  const pid = Number(answer.text);
  process.kill(pid, 0);
  opened.close(0.1);
  const until = performance.now() + 30_000;
  let isRunning = true;
  while (isRunning && performance.now() < until) {
    try {
      process.kill(pid, 0);
    } catch {
      isRunning = false;
    }
  }
  assert.equal(isRunning, false);
});
