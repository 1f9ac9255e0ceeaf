import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, UserError } from '../common/errors.ts';
import { expectSame, expectThat } from '../common/expect.node.ts';
import { deepFreeze, type Json } from '../common/json.ts';
import type { Objective } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import {
  activation,
  conv,
  defineSpace,
  globalAvgPool,
  linear,
  pick,
  searchSpaceOf,
  sequential,
} from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import type { StrategyDefinition } from './index.ts';
import { withinLimits } from './limits.ts';
import type { Outcome, Problem, Proposal, Strategy } from './strategy.ts';

/** One thing that must hold. `check` rejects where it does not. */
export interface Rule {
  readonly title: string;
  check(): Promise<void>;
}

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

/** The state, if it survives a JSON round trip. */
function isJson(state: Json): Json {
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state, 'the state does not survive a JSON round trip');
  return state;
}

const fails = (proposal: Proposal, trial: number): Outcome => ({
  ...pseudoOutcome(proposal, trial),
  state: 'failed',
  metrics: {},
  reason: 'for the test',
});

/** Costs that depend on the architecture alone: params is uniform in [0, 1000). */
export function pseudoCosts(architecture: Architecture): Readonly<Record<string, number>> {
  return { params: rng('params', JSON.stringify(architecture)).int(1000) };
}

/** What a trial of a proposal might give: an accuracy that depends on the architecture, better at higher fidelity. */
export function pseudoOutcome(proposal: Proposal, trial: number): Outcome {
  const { architecture, fidelity } = proposal;
  const accuracy = rng('accuracy', JSON.stringify(architecture)).float() * 0.9 + fidelity * 0.01;
  return {
    trial,
    architecture,
    fidelity,
    state: 'complete',
    metrics: { accuracy, ...pseudoCosts(architecture) },
    seconds: 1,
    origin: 'asked',
  };
}

/**
 * What every strategy must do, on a problem that it can work on; its limits, if it has none, are chosen here. States are
 * frozen throughout: a strategy that changes what it is given throws.
 */
export function strategyRules(
  make: () => Strategy,
  problem: Problem,
  { deterministic = false }: Pick<CheckStrategyOptions, 'deterministic'> = {},
): readonly Rule[] {
  const rules: Rule[] = [];
  const test = (title: string, check: () => Promise<void>) => rules.push({ title, check });
  const trials = 30;
  const limited: Problem = { ...problem, limits: [{ cost: 'params', max: 600 }] };
  let alone: Promise<Played> | undefined;
  /** An undisturbed search, one proposal at a time. The other searches must equal it. It runs once. */
  const undisturbed = () => {
    alone ??= play(make(), { problem, trials });
    return alone;
  };
  test('proposals are members of the space at a fidelity of the problem', async () => {
    const { proposals } = await undisturbed();
    assert.ok(proposals.length > 0, 'nothing is proposed');
    for (const { architecture, fidelity } of proposals) {
      expectSame(problem.space.check(architecture), architecture, 'a proposal, as its space checks it');
      assert.ok(
        problem.fidelities[fidelity] !== undefined,
        `${fidelity} is not the index of a fidelity of the problem`,
      );
    }
  });

  test('what is continued is an earlier trial of the same architecture at a lower fidelity', async () => {
    const { proposals } = await play(make(), { problem, trials, width: 4 });
    for (const [trial, { start, architecture, fidelity }] of proposals.entries()) {
      if (start.kind !== 'continue') continue;
      const source = proposals[start.trial];
      expectThat(
        source && start.trial < trial && source.fidelity < fidelity,
        `trial ${trial} continues an earlier trial of a lower fidelity, not trial ${start.trial}`,
      );
      expectSame(architecture, source.architecture, 'the architecture of a trial that continues another');
    }
  });

  test('the same seed gives the same proposals, another seed others', async () => {
    for (const width of [1, 3]) {
      const once = await (width === 1 ? undisturbed() : play(make(), { problem, trials, width }));
      expectSame(await play(make(), { problem, trials, width }), once, 'a second search with the same seed');
      const other = await play(make(), { problem: { ...problem, seed: 2 }, trials, width });
      if (!deterministic)
        expectThat(
          !isDeepStrictEqual(other.proposals, once.proposals),
          'another seed (problem.seed) gives other proposals; { deterministic: true } if it is to be the same',
        );
    }
  });

  test('the state survives a round trip through JSON at every step', async () => {
    const keep = (state: Json): Json => deepFreeze(JSON.parse(JSON.stringify(state)) as Json);
    expectSame(
      await play(make(), { problem, trials, keep }),
      await undisturbed(),
      'a search whose state is stored and read at each step',
    );
  });

  test('values of 0 and values that are missing leave nothing in the state that JSON has not', async () => {
    const objectives = problem.objectives.map((one) => ({ ...one, direction: 'minimize' as const }));
    const least: Problem = { ...problem, objectives: objectives as [Objective, ...Objective[]] };
    const zeros = Object.fromEntries(objectives.map(({ metric }) => [metric, 0]));
    await play(make(), {
      ...{ problem: least, trials },
      outcome: (proposal, trial) => ({ ...pseudoOutcome(proposal, trial), metrics: trial % 3 === 2 ? {} : zeros }),
    });
  });

  test('a strategy that is created anew at every step continues like the old one', async () => {
    const anew: Strategy = {
      name: make().name,
      init: (p) => make().init(p),
      ask: (p, state, first, count) => make().ask(p, state, first, count),
      tell: (p, state, outcomes) => make().tell(p, state, outcomes),
    };
    expectSame(
      await play(anew, { problem, trials }),
      await undisturbed(),
      'a search by a strategy that is created at each step (what it knows must be in its state)',
    );
  });

  test('asks for several at once are answered before any outcome', async () => {
    const strategy = make();
    const [state, round] = await strategy.ask(problem, deepFreeze(strategy.init(problem)), 0, 4);
    const [, more] = await strategy.ask(problem, deepFreeze(state), round.length, 4);
    expectThat(
      round.length > 0 && round.length <= 4 && more.length <= 4,
      `two asks for 4 give 1 to 4 proposals, then up to 4, not ${round.length} and ${more.length}`,
    );
  });

  test('outcomes are taken in any order, one by one or together', async () => {
    for (const order of [(told: readonly Outcome[]) => told.toReversed(), (told: readonly Outcome[]) => told]) {
      const { proposals } = await play(make(), { problem, trials, width: 5, order });
      expectThat(proposals.length > 5, `there are more than 5 proposals, not ${proposals.length}`);
    }
    const strategy = make();
    const [state, round] = await strategy.ask(problem, deepFreeze(strategy.init(problem)), 0, 4);
    const told = await strategy.tell(problem, deepFreeze(state), round.map(pseudoOutcome));
    const [, next] = await strategy.ask(problem, deepFreeze(told), round.length, 1);
    expectSame(next.length, 1, 'the number of proposals of the next ask for 1');
  });

  test('outcomes without an ask are accepted', async () => {
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
    expectSame(next.length, 1, 'the number of proposals of the next ask for 1');
  });

  test('failed, paused and pruned trials do not stop the search', async () => {
    const all = await play(make(), { problem, trials, outcome: fails });
    expectThat(all.proposals.length > 0, 'there are proposals although all trials fail');
    const ends = ['complete', 'failed', 'paused', 'pruned'] as const;
    const mixed = await play(make(), {
      problem,
      trials,
      outcome(proposal, trial) {
        const state = ends[trial % ends.length] ?? 'complete';
        return state === 'failed' ? fails(proposal, trial) : { ...pseudoOutcome(proposal, trial), state };
      },
    });
    expectThat(
      mixed.proposals.length > ends.length,
      `there are more than ${ends.length} proposals although trials fail, pause and are pruned, not ${mixed.proposals.length}`,
    );
  });

  test('a failed trial that is reported again, as complete, is accepted', async () => {
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
    expectSame(next.length, 1, 'the number of proposals of the next ask for 1');
  });

  test('limits are kept', async () => {
    const { proposals } = await play(make(), { problem: limited, trials, width: 2 });
    assert.ok(proposals.length > 0, 'nothing is proposed');
    for (const { architecture } of proposals)
      assert.ok(
        withinLimits(limited, architecture),
        'a proposal is above a limit; `withinLimits` and `sampleWithin` help',
      );
  });

  test('limits that nothing keeps are a UserError or an empty search, never an endless one', async () => {
    const impossible: Problem = { ...problem, limits: [{ cost: 'params', max: -1 }] };
    try {
      expectSame(
        (await play(make(), { problem: impossible, trials })).proposals,
        [],
        'the proposals under limits that nothing keeps',
      );
    } catch (error) {
      expectThat(
        error instanceof UserError && error.message.includes('params <= -1'),
        `the error is a UserError that names the limit "params <= -1", not ${String(error)}`,
      );
    }
  });
  return rules;
}

export interface CheckStrategyOptions {
  /** What it works on; by default a small space of images with one objective. */
  readonly problem?: Problem;
  /** It proposes the same for every seed. */
  readonly deterministic?: boolean;
}

/**
 * Checks that a strategy keeps the rules that a study relies on: proposals are members of the space and within the limits, the
 * same seed gives the same proposals, the state is plain JSON that survives being stored at any step and is never changed in place,
 * outcomes are taken in any order, failed and pruned trials stop nothing. Nothing is trained. Throws Error, with the rule, at the first one
 * that is broken.
 */
export async function checkStrategy(
  strategy: Strategy | StrategyDefinition,
  options: CheckStrategyOptions = {},
): Promise<void> {
  const make = () => ('create' in strategy ? strategy.create() : strategy);
  for (const { title, check } of strategyRules(make, options.problem ?? smallProblem(), options)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`strategy "${strategy.name}" breaks the rule "${title}": ${messageOf(error)}`, { cause: error });
    }
  }
}

/** 54 architectures of a small convolutional network. */
function smallProblem(): Problem {
  const space = defineSpace('small', () =>
    sequential(
      conv(pick('channels', [4, 8, 16]), 3),
      conv(pick('more', [4, 8]), pick('kernel', [1, 3, 5])),
      activation(pick('activation', ['relu', 'silu', 'tanh'])),
      globalAvgPool(),
      linear('outputs'),
    ),
  ).create({ kind: 'classification', input: [3, 32, 32], outputs: 10 });
  return {
    space: searchSpaceOf(space),
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    limits: [],
    seed: 1,
    costs: pseudoCosts,
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
}
