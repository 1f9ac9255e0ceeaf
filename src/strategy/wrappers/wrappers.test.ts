import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deepFreeze } from '../../common/json.ts';
import { rng } from '../../common/random.ts';
import { formatArchitecture, sample } from '../../space/index.ts';
import { createStrategy } from '../index.ts';
import { randomSearch } from '../random.ts';
import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';
import { strategyConformance } from '../testing/conformance.ts';
import {
  continuousSpace,
  nasBench201,
  problemOf,
  pseudoCosts,
  pseudoOutcome,
  RISING,
  tinySpace,
} from '../testing/problems.ts';
import { constrained } from './constrained.ts';
import { forgiving } from './forgiving.ts';
import { scalarized } from './scalarized.ts';
import { tryingFirst } from './trying-first.ts';
import { unique } from './unique.ts';

const problem = problemOf(nasBench201);
const evolution = () => createStrategy('aging-evolution', { population: 5, sample: 3 });

for (const inner of [randomSearch, evolution]) {
  for (const wrap of [unique, constrained]) {
    strategyConformance(() => wrap(inner()), problem);
    strategyConformance(() => wrap(inner()), problemOf(continuousSpace));
  }
  for (const failed of ['hidden', 'worst'] as const) strategyConformance(() => forgiving(inner(), { failed }), problem);
  for (const method of ['weights', 'chebyshev'] as const)
    strategyConformance(() => scalarized(inner(), { method, weights: { accuracy: 2 } }), problem);
  strategyConformance(() => unique(constrained(forgiving(inner(), { failed: 'worst' }))), problem);
}
strategyConformance(
  () =>
    createStrategy('scalarized', { inner: 'asha', 'inner.inner': 'unique', 'inner.inner.inner': 'aging-evolution' }),
  problemOf(nasBench201, { fidelities: RISING }),
);

strategyConformance(() => tryingFirst(evolution(), [nasBench201First()]), problem);

function nasBench201First() {
  return sample(nasBench201, rng('first'));
}

/** A strategy that proposes a given list, knows no limits, and records the outcomes. */
function scripted(told: Outcome[], proposals: readonly Proposal[]): Strategy<number> {
  return {
    name: 'scripted',
    init: () => 0,
    ask: async (_, next, __, count) => [next + count, proposals.slice(next, next + count)],
    async tell(_, next, outcomes) {
      told.push(...outcomes);
      return next;
    },
  };
}

async function samples(count: number, of: Problem = problem): Promise<Proposal[]> {
  return (await randomSearch().ask(of, null, 0, count))[1];
}

suite('unique', () => {
  test('visits a small space once and ends', async () => {
    const tiny = problemOf(tinySpace);
    const strategy = unique(randomSearch());
    let state = strategy.init(tiny);
    const seen: string[] = [];
    for (let trial = 0; trial < 40; trial++) {
      const [asked, [proposal]] = await strategy.ask(tiny, state, trial, 1);
      if (!proposal) break;
      seen.push(formatArchitecture(tinySpace, proposal.architecture));
      state = await strategy.tell(tiny, asked, [pseudoOutcome(proposal, trial)]);
    }
    assert.deepEqual([seen.length, new Set(seen).size], [18, 18]);
  });

  test('asks again before it draws, and knows what others tried', async () => {
    const [a, b, c] = await samples(3);
    assert.ok(a && b && c);
    const strategy = unique(scripted([], [a, a, b, a, b, c]));
    const foreign: Outcome = { ...pseudoOutcome(b, 9), origin: 'person' };
    const state = await strategy.tell(problem, strategy.init(problem), [foreign]);
    const [, proposals] = await strategy.ask(problem, deepFreeze(state), 0, 2);
    assert.deepEqual(proposals, [a, c]);
  });

  test('continues from an older state as if nothing had happened since', async () => {
    const strategy = unique(randomSearch());
    const [old] = await strategy.ask(problem, strategy.init(problem), 0, 5);
    const [newer, next] = await strategy.ask(problem, old, 5, 5);
    await strategy.ask(problem, newer, 10, 5);
    assert.deepEqual((await strategy.ask(problem, old, 5, 5))[1], next);
  });

  test('a trial that continues another is no repetition', async () => {
    const [a] = await samples(1);
    assert.ok(a);
    const goesOn: Proposal = { ...a, start: { kind: 'continue', trial: 0 } };
    const strategy = unique(scripted([], [a, goesOn]));
    assert.deepEqual((await strategy.ask(problem, strategy.init(problem), 0, 2))[1], [a, goesOn]);
  });
});

suite('constrained', () => {
  test('proposals beyond the limits never come out, and the inner strategy sees none', async () => {
    const limited = problemOf(nasBench201, { limits: [{ cost: 'params', max: 300 }] });
    const proposals = await samples(60);
    const within = proposals.filter(({ architecture }) => (pseudoCosts(architecture).params ?? 0) <= 300);
    const inner = scripted([], proposals);
    const noLimits: Strategy<number> = {
      ...inner,
      ask(seen, ...rest) {
        assert.deepEqual(seen.limits, []);
        return inner.ask(seen, ...rest);
      },
    };
    const strategy = constrained(noLimits);
    const [, round] = await strategy.ask(limited, strategy.init(limited), 0, 5);
    assert.deepEqual(round, within.slice(0, 5));
  });
});

suite('forgiving', () => {
  const outcomes = async (values: readonly (number | undefined)[]) =>
    (await samples(values.length)).map((proposal, trial): Outcome => {
      const value = values[trial];
      const outcome = pseudoOutcome(proposal, trial);
      return value === undefined
        ? { ...outcome, state: 'failed', metrics: {} }
        : { ...outcome, metrics: { accuracy: value } };
    });
  const heard = async (failed: 'hidden' | 'worst', values: readonly (number | undefined)[]) => {
    const told: Outcome[] = [];
    const strategy = forgiving(scripted(told, []), { failed });
    let state = strategy.init(problem);
    for (const outcome of await outcomes(values)) state = await strategy.tell(problem, deepFreeze(state), [outcome]);
    assert.ok(told.every((outcome) => outcome.state === 'complete'));
    return told.map(({ trial, metrics }) => [trial, metrics.accuracy]);
  };

  test('hidden: the others are reported', async () => {
    assert.deepEqual(await heard('hidden', [undefined, 0.5, undefined, 0.4]), [
      [1, 0.5],
      [3, 0.4],
    ]);
  });

  test('worst: with the worst value so far, once there is one', async () => {
    assert.deepEqual(await heard('worst', [undefined, 0.5, 0.4, undefined, 0.3]), [
      [0, 0.5],
      [1, 0.5],
      [2, 0.4],
      [3, 0.4],
      [4, 0.3],
    ]);
  });
});

suite('scalarized', () => {
  const params = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
  const two: Problem = { ...problem, objectives: [...problem.objectives, params] };
  const scalars = async (method: 'weights' | 'chebyshev', metrics: readonly (readonly [number, number])[]) => {
    const told: Outcome[] = [];
    const strategy = scalarized(scripted(told, []), { method, weights: { accuracy: 2 } });
    const [proposal] = await samples(1);
    assert.ok(proposal);
    const state = strategy.init(two);
    const outcome = (accuracy: number, cost: number) => ({
      ...pseudoOutcome(proposal, 0),
      metrics: { accuracy, params: cost },
    });
    await strategy.tell(
      two,
      state,
      metrics.map(([accuracy, cost]) => outcome(accuracy, cost)),
    );
    return told.map((one) => one.metrics.scalarised ?? Number.NaN);
  };

  test('weights: each objective counts with its weight, costs by their logarithm', async () => {
    const [best = 0, lessAccurate = 0, dearest = 0] = await scalars('weights', [
      [1, 0],
      [0.9, 0],
      [1, 1e9],
    ]);
    assert.ok(Math.abs(lessAccurate - best - 0.2) < 1e-9);
    assert.ok(best < 0.05 && Math.abs(dearest - 1) < 0.05);
  });

  test('chebyshev: the worst objective decides, so that a balanced point of a concave front wins', async () => {
    const points = [
      [1, 999],
      [0.7, 25],
      [0.5, 0],
    ] as const;
    const rank = (values: readonly number[]) => values.indexOf(Math.min(...values));
    assert.equal(rank(await scalars('chebyshev', points)), 1);
  });

  test('a single-objective strategy finds the other end of the front with other weights', async () => {
    const best = async (weights: Readonly<Record<string, number>>) => {
      const strategy = scalarized(createStrategy('aging-evolution', { population: 20, sample: 8 }), {
        method: 'weights',
        weights,
      });
      let state = strategy.init(two);
      let last: number[] = [];
      for (let trial = 0; trial < 200; trial++) {
        const [asked, proposals] = await strategy.ask(two, state, trial, 1);
        const outcomes = proposals.map((proposal) => {
          const outcome = pseudoOutcome(proposal, trial);
          const convs = Object.values(proposal.architecture).filter((op) => String(op).includes('conv')).length;
          return { ...outcome, metrics: { accuracy: convs / 6, params: 1 + convs * 150 } };
        });
        last = [...last, ...outcomes.map(({ metrics }) => metrics.accuracy)].slice(-20);
        state = await strategy.tell(two, asked, outcomes);
      }
      return last.reduce((a, b) => a + b, 0) / last.length;
    };
    assert.ok((await best({ accuracy: 10 })) > 0.75);
    assert.ok((await best({ params: 10 })) < 0.25);
  });

  test('studies of older versions, which call it scalarised, are read', () => {
    assert.equal(createStrategy('scalarised', { inner: 'asha' }).name, 'scalarized');
    assert.equal(createStrategy('constrained', { inner: 'scalarised' }).name, 'constrained');
  });

  test('refuses weights without an objective, and weights that are not positive', () => {
    const make = (options: Record<string, unknown>) => createStrategy('scalarized', options).init(two);
    assert.throws(() => make({ 'weight.loss': 1 }), { name: 'UserError', message: /weight.loss; the objectives are/ });
    assert.throws(() => make({ 'weight.params': 0 }), { name: 'UserError' });
    assert.throws(() => make({ weights: 1 }), { name: 'UserError' });
    make({ 'weight.params': 0.1, method: 'weights' });
  });
});

suite('trying first', () => {
  test('the given architectures come first, in their order; then the inner strategy is asked, and told of all', async () => {
    const told: Outcome[] = [];
    const [one, two, three, four] = await samples(4);
    assert.ok(one && two && three && four);
    const strategy = tryingFirst(scripted(told, [three, four]), [two.architecture, one.architecture]);
    const [state, first] = await strategy.ask(problem, strategy.init(problem), 0, 3);
    assert.deepEqual(
      first.map(({ architecture }) => architecture),
      [two, one, three].map(({ architecture }) => architecture),
    );
    const outcomes = first.map(pseudoOutcome);
    const [, next] = await strategy.ask(problem, await strategy.tell(problem, state, outcomes), 3, 1);
    assert.deepEqual([told.length, next], [3, [four]]);
  });

  test('those beyond a limit are left out', async () => {
    const [one, two] = await samples(2);
    assert.ok(one && two);
    const max = Math.min(...[one, two].map(({ architecture }) => pseudoCosts(architecture).params ?? 0));
    const limited = problemOf(nasBench201, { limits: [{ cost: 'params', max }] });
    const strategy = tryingFirst(scripted([], []), [one.architecture, two.architecture]);
    const [, proposals] = await strategy.ask(limited, strategy.init(limited), 0, 2);
    assert.equal(proposals.length, 1);
  });
});
