import assert from 'node:assert/strict';
import { messageOf } from '../common/errors.ts';
import { type Rng, rng } from '../common/random.ts';
import { actionSize, bound, type Environment, type Lanes, observationSize } from './environment.ts';
import { actionsAt } from './probe.ts';

export interface CheckEnvironmentOptions {
  /** Episodes that are played, by random actions. Default: 4. */
  readonly episodes?: number;
  /** Steps of an episode that are taken at most. Default: 300. */
  readonly steps?: number;
}

/** A rule that every environment keeps; `check` throws where it is broken. */
interface Rule {
  readonly title: string;
  check(): void;
}

/** All that an episode has shown. */
interface Played {
  readonly observations: readonly (readonly number[])[];
  readonly rewards: readonly number[];
  readonly ends: readonly string[];
}

/** What every environment must keep. */
export function environmentRules(
  environment: Environment,
  { episodes = 4, steps = 300 }: CheckEnvironmentOptions = {},
): readonly Rule[] {
  const { observation, maxSteps, success } = environment;
  const opened = <T>(count: number, use: (lanes: Lanes) => T): T => {
    const lanes = environment.open(count);
    try {
      return use(lanes);
    } finally {
      lanes.close();
    }
  };
  const seeds = Array.from({ length: episodes }, (_, i) => i);
  const alone = (seed: number): Played => opened(1, (lanes) => play(environment, lanes, 0, seed, steps));
  return [
    {
      title: 'it has a name of letters, digits and hyphens, and says in words what success is',
      check() {
        assert.match(environment.name, /^[a-z][a-z0-9-]*$/);
        assert.ok(success.rule.trim() !== '', 'success.rule is empty');
      },
    },
    {
      title: 'observations are within their bounds, from the reset to the end',
      check() {
        const size = observationSize(observation);
        for (const seed of seeds)
          for (const [step, values] of alone(seed).observations.entries()) {
            assert.equal(values.length, size);
            for (const [i, value] of values.entries()) {
              const [low, high] = [bound(observation.low, i), bound(observation.high, i)];
              const name = observation.names?.[observation.shape.length === 1 ? i : -1] ?? `value ${i}`;
              // Bounds are doubles, observations float32.
              assert.ok(
                value >= Math.fround(low) && value <= Math.fround(high),
                `${name} at step ${step} is ${value}, not within [${low}, ${high}]`,
              );
            }
          }
      },
    },
    {
      title: 'an episode ends at its limit of steps at the latest, and by one of the two ends',
      check() {
        for (const seed of seeds) {
          const { ends } = alone(seed);
          assert.ok(ends.length <= maxSteps, `it has ${ends.length} steps, more than ${maxSteps}`);
          if (steps >= maxSteps) assert.notEqual(ends.at(-1), 'runs', `it runs on after ${ends.length} steps`);
        }
      },
    },
    {
      title: 'the same random stream and the same actions give the same episode',
      check() {
        for (const seed of seeds) assert.deepEqual(alone(seed), alone(seed), `episode ${seed}`);
      },
    },
    {
      title: 'an episode does not depend on the lane, on those beside it, or on those before it',
      check() {
        const expected = seeds.map(alone);
        opened(3, (lanes) => {
          // Lane 2 plays, the others stand in the middle of other episodes; each next episode follows one that was broken off.
          for (const seed of seeds) {
            for (const other of [0, 1]) lanes.reset(other, rng('beside', seed, other));
            lanes.reset(2, rng('broken off', seed));
            const random = rng('broken off', seed, 'actions');
            for (let i = 0; i < 3; i++) lanes.step(randomActions(environment, lanes.count, random));
            assert.deepEqual(play(environment, lanes, 2, seed, steps), expected[seed], `episode ${seed}`);
          }
        });
      },
    },
    {
      title: 'an ended episode stays as it is until the lane is reset',
      check() {
        opened(1, (lanes) => {
          const { ends } = play(environment, lanes, 0, 0, steps);
          if (ends.at(-1) === 'runs') return;
          const before = [[...lanes.observations], lanes.episode(0)];
          lanes.step(randomActions(environment, 1, rng('after')));
          assert.deepEqual([[...lanes.observations], lanes.episode(0)], before);
        });
      },
    },
    {
      title: 'where it names its state, an episode begun in a state has the observation of that state',
      check() {
        if (environment.state === undefined) return;
        opened(2, (lanes) => {
          play(environment, lanes, 0, 0, Math.min(steps, 5));
          const { states } = lanes;
          assert.ok(states, 'its lanes have no states');
          const state = [...states.of(0)];
          assert.equal(state.length, environment.state?.length, 'numbers of the state');
          states.begin(1, state);
          const size = observationSize(observation);
          assert.deepEqual([...lanes.observations.subarray(size)], [...lanes.observations.subarray(0, size)]);
        });
      },
    },
    {
      title: 'the bounds of its actions are actions',
      check() {
        for (const share of [0, 1])
          opened(1, (lanes) => {
            lanes.reset(0, rng('bounds'));
            lanes.step(actionsAt(environment.action, 1, () => share));
          });
      },
    },
  ];
}

/**
 * Checks that an environment keeps the rules that training, evaluation and resuming rely on, over a few episodes of random actions: bounds,
 * ends, and that an episode follows from its random stream and its actions alone. Throws Error, with the rule, at the first one that is
 * broken; UserError, with place, value and rule, where an answer is no number.
 */
export function checkEnvironment(environment: Environment, options: CheckEnvironmentOptions = {}): void {
  for (const { title, check } of environmentRules(environment, options)) {
    try {
      check();
    } catch (error) {
      throw new Error(`environment "${environment.name}" breaks the rule "${title}": ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** An episode of random actions in one lane; the other lanes take random steps beside it. */
function play(environment: Environment, lanes: Lanes, lane: number, seed: number, most: number): Played {
  const random = rng('conformance', seed, 'actions');
  const beside = rng('conformance', seed, 'beside');
  const size = observationSize(environment.observation);
  const width = actionSize(environment.action);
  const seen = () => [...lanes.observations.subarray(lane * size, (lane + 1) * size)];
  lanes.reset(lane, rng('conformance', seed));
  const observations = [seen()];
  const rewards: number[] = [];
  const ends: string[] = [];
  let end = 'runs';
  while (end === 'runs' && ends.length < most) {
    const actions = randomActions(environment, lanes.count, beside);
    actions.set(randomActions(environment, 1, random), lane * width);
    lanes.step(actions);
    observations.push(seen());
    rewards.push(lanes.rewards[lane] as number);
    assert.ok(lanes.terminated[lane] === 0 || lanes.truncated[lane] === 0, 'it is terminated and truncated at once');
    end = lanes.terminated[lane] === 1 ? 'terminated' : lanes.truncated[lane] === 1 ? 'truncated' : 'runs';
    ends.push(end);
  }
  return { observations, rewards, ends };
}

const randomActions = (environment: Environment, lanes: number, random: Rng): Float32Array =>
  actionsAt(environment.action, lanes, random.float);
