import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deepFreeze, type Json } from '../../common/json.ts';
import type { Objective } from '../../common/metrics.ts';
import { checkArchitecture } from '../../space/index.ts';
import { withinLimits } from '../limits.ts';
import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';
import { pseudoOutcome } from './problems.ts';

interface Played {
  readonly proposals: readonly Proposal[];
  readonly state: Json;
}

interface Play {
  readonly problem: Problem;
  readonly trials: number;
  /** How many are asked for at a time. */
  readonly width?: number;
  readonly outcome?: (proposal: Proposal, trial: number) => Outcome;
  /** The order in which a round's outcomes are told. */
  readonly order?: (outcomes: readonly Outcome[]) => readonly Outcome[];
  /** What happens to the state between two calls. */
  readonly keep?: (state: Json) => Json;
}

/** Plays the loop of a study, in rounds, until there are `trials` or nothing more is proposed. */
async function play(strategy: Strategy, settings: Play): Promise<Played> {
  const {
    problem,
    trials,
    width = 1,
    outcome = pseudoOutcome,
    order = (told) => told,
    keep = (state) => state,
  } = settings;
  const proposals: Proposal[] = [];
  const checked = (state: Json): Json => keep(deepFreeze(isJson(state)));
  let state = checked(strategy.init(problem));
  while (proposals.length < trials) {
    const first = proposals.length;
    const [asked, round] = await strategy.ask(problem, state, first, Math.min(width, trials - first));
    assert.ok(round.length <= width, `${round.length} proposals where ${width} were asked for`);
    if (round.length === 0) break;
    proposals.push(...round);
    const outcomes = order(round.map((proposal, i) => outcome(proposal, first + i)));
    state = checked(asked);
    for (const one of outcomes) state = checked(await strategy.tell(problem, state, [one]));
  }
  return { proposals, state };
}

/** The state, if it is the very same after a round trip through JSON. */
function isJson(state: Json): Json {
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state, 'the state is not what JSON makes of it');
  return state;
}

const fails = (proposal: Proposal, trial: number): Outcome => ({
  ...pseudoOutcome(proposal, trial),
  state: 'failed',
  metrics: {},
  reason: 'for the test',
});

/**
 * What every strategy must do, on a problem that it can work on; its limits, if it has none, are chosen here. States are
 * frozen throughout: a strategy that changes what it is given throws.
 */
export function strategyConformance(make: () => Strategy, problem: Problem): void {
  const trials = 30;
  const limited: Problem = { ...problem, limits: [{ cost: 'params', max: 600 }] };
  suite(`strategy conformance: ${make().name} on ${problem.space.name}`, () => {
    test('proposals are members of the space at a fidelity of the problem', async () => {
      const { proposals } = await play(make(), { problem, trials });
      assert.ok(proposals.length > 0);
      for (const { architecture, fidelity } of proposals) {
        assert.deepEqual(checkArchitecture(problem.space, architecture), architecture);
        assert.ok(Number.isInteger(fidelity) && fidelity >= 0 && fidelity < problem.fidelities.length);
      }
    });

    test('what is continued is an earlier trial of the same architecture at a lower fidelity', async () => {
      const { proposals } = await play(make(), { problem, trials, width: 4 });
      for (const [trial, { start, architecture, fidelity }] of proposals.entries()) {
        if (start.kind !== 'continue') continue;
        const source = proposals[start.trial];
        assert.ok(source && start.trial < trial && source.fidelity < fidelity);
        assert.deepEqual(source.architecture, architecture);
      }
    });

    test('the same seed gives the same proposals, another seed others', async () => {
      for (const width of [1, 3]) {
        const once = await play(make(), { problem, trials, width });
        assert.deepEqual(await play(make(), { problem, trials, width }), once);
        const other = await play(make(), { problem: { ...problem, seed: 2 }, trials, width });
        if (make().name !== 'exhaustive') assert.notDeepEqual(other.proposals, once.proposals);
      }
    });

    test('the state survives a round trip through JSON at every step', async () => {
      const keep = (state: Json): Json => deepFreeze(JSON.parse(JSON.stringify(state)) as Json);
      assert.deepEqual(await play(make(), { problem, trials, keep }), await play(make(), { problem, trials }));
    });

    test('values of 0 and values that are missing leave nothing in the state that JSON has not', async () => {
      const objectives = problem.objectives.map((one) => ({ ...one, direction: 'minimise' as const }));
      const least: Problem = { ...problem, objectives: objectives as [Objective, ...Objective[]] };
      const zeros = Object.fromEntries(objectives.map(({ metric }) => [metric, 0]));
      await play(make(), {
        ...{ problem: least, trials },
        outcome: (proposal, trial) => ({ ...pseudoOutcome(proposal, trial), metrics: trial % 3 === 2 ? {} : zeros }),
      });
    });

    test('a strategy made anew at every step goes on as if it were the old one', async () => {
      const anew: Strategy = {
        name: make().name,
        init: (p) => make().init(p),
        ask: (p, state, first, count) => make().ask(p, state, first, count),
        tell: (p, state, outcomes) => make().tell(p, state, outcomes),
      };
      assert.deepEqual(await play(anew, { problem, trials }), await play(make(), { problem, trials }));
    });

    test('asks for several at once are answered before any outcome', async () => {
      const strategy = make();
      const [state, round] = await strategy.ask(problem, deepFreeze(strategy.init(problem)), 0, 4);
      const [, more] = await strategy.ask(problem, deepFreeze(state), round.length, 4);
      assert.ok(round.length > 0 && round.length <= 4 && more.length <= 4);
    });

    test('outcomes are taken in any order, one by one or together', async () => {
      for (const order of [(told: readonly Outcome[]) => told.toReversed(), (told: readonly Outcome[]) => told]) {
        const { proposals } = await play(make(), { problem, trials, width: 5, order });
        assert.ok(proposals.length > 5);
      }
      const strategy = make();
      const [state, round] = await strategy.ask(problem, deepFreeze(strategy.init(problem)), 0, 4);
      const told = await strategy.tell(problem, deepFreeze(state), round.map(pseudoOutcome));
      const [, next] = await strategy.ask(problem, deepFreeze(told), round.length, 1);
      assert.equal(next.length, 1);
    });

    test('outcomes that nobody asked for are taken', async () => {
      const strategy = make();
      const { proposals } = await play(strategy, { problem: { ...problem, seed: 5 }, trials: 3 });
      const foreign = proposals.map(
        (proposal, i): Outcome => ({
          ...pseudoOutcome(proposal, 100 + i),
          origin: i === 0 ? 'person' : 'earlier study',
        }),
      );
      const state = isJson(await strategy.tell(problem, deepFreeze(strategy.init(problem)), foreign));
      const [, next] = await strategy.ask(problem, deepFreeze(state), 0, 1);
      assert.equal(next.length, 1);
    });

    test('failed, paused and pruned trials do not stop the search', async () => {
      const all = await play(make(), { problem, trials, outcome: fails });
      assert.ok(all.proposals.length > 0);
      const ends = ['complete', 'failed', 'paused', 'pruned'] as const;
      const mixed = await play(make(), {
        problem,
        trials,
        outcome(proposal, trial) {
          const state = ends[trial % ends.length] ?? 'complete';
          return state === 'failed' ? fails(proposal, trial) : { ...pseudoOutcome(proposal, trial), state };
        },
      });
      assert.ok(mixed.proposals.length > ends.length);
    });

    test('a failed trial that is told again, as complete, is taken', async () => {
      const strategy = make();
      let state = strategy.init(problem);
      const failed: Outcome[] = [];
      for (let trial = 0; trial < 8; trial++) {
        const [asked, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
        if (!proposal) break;
        const outcome = trial % 2 === 0 ? fails(proposal, trial) : pseudoOutcome(proposal, trial);
        if (trial % 2 === 0) failed.push(pseudoOutcome(proposal, trial));
        state = isJson(await strategy.tell(problem, deepFreeze(asked), [outcome]));
      }
      for (const outcome of failed) state = isJson(await strategy.tell(problem, deepFreeze(state), [outcome]));
      const [, next] = await strategy.ask(problem, deepFreeze(state), 8, 1);
      assert.equal(next.length, 1);
    });

    test('limits are kept', async () => {
      const { proposals } = await play(make(), { problem: limited, trials, width: 2 });
      assert.ok(proposals.length > 0);
      for (const { architecture } of proposals) assert.ok(withinLimits(limited, architecture));
    });

    test('limits that nothing keeps are a UserError or an empty search, never an endless one', async () => {
      const impossible: Problem = { ...problem, limits: [{ cost: 'params', max: -1 }] };
      try {
        assert.deepEqual((await play(make(), { problem: impossible, trials })).proposals, []);
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.equal(error.name, 'UserError');
        assert.match(error.message, /params <= -1/);
      }
    });
  });
}
