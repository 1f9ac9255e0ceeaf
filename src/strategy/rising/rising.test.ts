import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../../common/random.ts';
import { rankSumTest } from '../../common/ranks.ts';
import { createStrategy, definitionOf, fidelitiesOf } from '../index.ts';
import { randomSearch } from '../random.ts';
import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { nasBench201, problemOf, pseudoOutcome, RISING, tinySpace } from '../testing/problems.ts';
import { asha } from './asha.ts';
import { hyperband, hyperbandBracket } from './hyperband.ts';
import { successiveHalving } from './successive-halving.ts';

const rising = problemOf(nasBench201, { fidelities: RISING });
const evolution = { inner: 'aging-evolution', 'inner.population': 6, 'inner.sample': 2 };

for (const name of ['successive-halving', 'hyperband', 'asha'])
  for (const options of [{}, { ...evolution, enough: 3 }, { inner: 'unique', eta: 2 }])
    strategyConformance(() => createStrategy(name, options), rising);

for (const options of [{}, { enough: 4, eta: 2, random: 0 }])
  strategyConformance(() => createStrategy('bohb', options), rising);

/** Plays with one worker: accuracy `of(candidate, fidelity)`, candidates numbered as they are begun. */
async function play(
  strategy: Strategy,
  problem: Problem,
  trials: number,
  of: (candidate: number, fidelity: number) => number | undefined,
): Promise<{ readonly candidate: number; readonly fidelity: number }[]> {
  let state = strategy.init(problem);
  let begun = 0;
  const played: { candidate: number; fidelity: number }[] = [];
  while (played.length < trials) {
    const trial = played.length;
    const [asked, [proposal]] = await strategy.ask(problem, state, trial, 1);
    if (!proposal) break;
    const { fidelity, start } = proposal;
    const candidate = start.kind === 'continue' ? (played[start.trial]?.candidate ?? Number.NaN) : begun++;
    played.push({ candidate, fidelity });
    const accuracy = of(candidate, fidelity);
    const outcome: Outcome =
      accuracy === undefined
        ? { ...pseudoOutcome(proposal, trial), state: 'failed', metrics: {}, reason: 'for the test' }
        : { ...pseudoOutcome(proposal, trial), metrics: { accuracy } };
    state = await strategy.tell(problem, asked, [outcome]);
  }
  return played;
}

const at = (played: readonly { candidate: number; fidelity: number }[], fidelity: number) =>
  played.filter((one) => one.fidelity === fidelity).map(({ candidate }) => candidate);

suite('successive halving', () => {
  const halving = (candidates = 0, brackets = 1) =>
    successiveHalving(randomSearch(), { eta: 3, candidates, brackets, enough: 0 });

  test('the best third of each rung continues, in one bracket of 9, 3 and 1', async () => {
    const values = [5, 9, 1, 8, 2, 7, 3, 6, 4];
    const played = await play(halving(), rising, 100, (candidate, fidelity) =>
      fidelity === 0 ? values[candidate] : -(values[candidate] ?? 0),
    );
    assert.deepEqual(at(played, 0), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(at(played, 1), [1, 3, 5]);
    assert.deepEqual(at(played, 2), [5]); // At the second rung the order is reversed.
    assert.equal(played.length, 13);
  });

  test('failures fill their places and do not go on; of equals the earlier does', async () => {
    const played = await play(halving(), rising, 100, (candidate, fidelity) =>
      candidate < 4 ? undefined : fidelity === 1 && candidate === 4 ? undefined : 1,
    );
    assert.deepEqual([at(played, 1), at(played, 2)], [[4, 5, 6], [5]]);
    const none = await play(halving(0, 2), rising, 100, () => undefined);
    assert.deepEqual([none.length, at(none, 1)], [18, []]);
  });

  test('a bracket of so few that none would reach the full fidelity is refused', () => {
    assert.throws(() => halving(8).init(rising), { name: 'UserError', message: /candidates is 8; must be at least 9/ });
  });

  test('while a rung is unfinished the next bracket begins, and a rung does not depend on the order of arrival', async () => {
    const strategy = halving(0, 0);
    const [state, round] = await strategy.ask(rising, strategy.init(rising), 0, 12);
    assert.equal(round.length, 12);
    const first = round.slice(0, 9).map(pseudoOutcome);
    const forth = await strategy.tell(rising, state, first);
    const back = await strategy.tell(rising, state, first.toReversed());
    const [, promoted] = await strategy.ask(rising, forth, 12, 3);
    assert.deepEqual((await strategy.ask(rising, back, 12, 3))[1], promoted);
    assert.ok(promoted.every(({ start, fidelity }) => start.kind === 'continue' && start.trial < 9 && fidelity === 1));
  });

  test('of a rung, only what may still be promoted is to be kept', async () => {
    const strategy = halving();
    let [state, round] = await strategy.ask(rising, strategy.init(rising), 0, 9);
    for (const [trial, proposal] of round.entries()) {
      state = await strategy.tell(rising, state, [{ ...pseudoOutcome(proposal, trial), metrics: { accuracy: trial } }]);
      const kept = [...(strategy.continuable?.(state) ?? [])].sort();
      assert.deepEqual(
        kept,
        [trial - 2, trial - 1, trial].filter((one) => one >= 0),
      );
    }
  });
});

suite('hyperband', () => {
  test('its brackets are those of table 1 of the paper (R = 81, η = 3)', () => {
    const plans = Array.from({ length: 5 }, (_, i) => hyperbandBracket(3, 5, i));
    assert.deepEqual(plans, [
      { level: 0, sizes: [81, 27, 9, 3, 1] },
      { level: 1, sizes: [34, 11, 3, 1] },
      { level: 2, sizes: [15, 5, 1] },
      { level: 3, sizes: [8, 2] },
      { level: 4, sizes: [5] },
    ]);
    assert.deepEqual(hyperbandBracket(3, 5, 5), plans[0]);
  });

  test('plays them one after another', async () => {
    const strategy = hyperband(randomSearch(), { eta: 3, brackets: 3, enough: 0 });
    const played = await play(strategy, rising, 1000, (candidate) => candidate);
    assert.deepEqual(
      played.map(({ fidelity }) => fidelity),
      [...Array(9).fill(0), 1, 1, 1, 2, ...Array(5).fill(1), 2, 2, 2, 2],
    );
  });
});

suite('asha', () => {
  const strategy = (candidates = 0) => asha(randomSearch(), { eta: 3, candidates, enough: 0 });

  test('promotes as algorithm 2 does, worked by hand', async () => {
    // Of 3 ended, the best (1) continues; of 5, 4 takes its place; of 7, 6 is the second, so that the rung above has 3 of its
    // own and promotes 4; of 8, 7 is the second, and of 9, 8 the third.
    const values = [3, 5, 1, 4, 9, 2, 6, 8, 7];
    const played = await play(strategy(9), rising, 100, (candidate) => values[candidate]);
    assert.deepEqual(
      played.map(({ candidate, fidelity }) => `${candidate}:${fidelity}`),
      [...'012']
        .map((c) => `${c}:0`)
        .concat('1:1', '3:0', '4:0', '4:1', '5:0', '6:0', '6:1', '4:2', '7:0', '7:1', '8:0', '8:1'),
    );
  });

  test('is the algorithm 2 that sorts everything, at every step, also with failures', async () => {
    const value = (candidate: number, fidelity: number) => {
      const x = (candidate * 7919 + fidelity * 104729) % 1009;
      return x % 17 === 0 ? undefined : x;
    };
    const played = await play(strategy(), rising, 1500, value);
    const rungs: { candidate: number; value: number; promoted: boolean }[][] = [[], [], []];
    let next = 0;
    for (const { candidate, fidelity } of played) {
      let expected = { candidate: next, fidelity: 0 };
      for (const level of [1, 0]) {
        const rung = rungs[level] ?? [];
        const top = [...rung].sort((a, b) => b.value - a.value || a.candidate - b.candidate);
        const best = top
          .slice(0, Math.floor(rung.length / 3))
          .find((one) => !one.promoted && Number.isFinite(one.value));
        if (!best) continue;
        best.promoted = true;
        expected = { candidate: best.candidate, fidelity: level + 1 };
        break;
      }
      assert.deepEqual({ candidate, fidelity }, expected);
      if (fidelity === 0) next++;
      rungs[fidelity]?.push({
        candidate,
        value: value(candidate, fidelity) ?? Number.NEGATIVE_INFINITY,
        promoted: false,
      });
    }
  });

  test('never waits: every one of many workers has something to do', async () => {
    const [state, round] = await strategy().ask(rising, strategy().init(rising), 0, 50);
    assert.equal(round.length, 50);
    const [, more] = await strategy().ask(rising, state, 50, 50);
    assert.equal(more.length, 50);
  });

  test('ends when its candidates have been promoted as far as they go', async () => {
    const played = await play(strategy(27), rising, 1000, (candidate) => (candidate * 11) % 27);
    assert.equal(at(played, 0).length, 27);
    assert.ok(at(played, 1).length >= 9 && at(played, 2).length >= 3 && played.length < 27 + 18 + 6);
  });

  test('state and trials that may be continued grow with the square root of the trials', async () => {
    const sizes: number[] = [];
    for (const trials of [400, 1600]) {
      const one = strategy();
      let state = one.init(rising);
      for (let trial = 0; trial < trials; trial++) {
        const [asked, proposals] = await one.ask(rising, state, trial, 1);
        state = await one.tell(
          rising,
          asked,
          proposals.map((proposal) => pseudoOutcome(proposal, trial)),
        );
      }
      sizes.push(one.continuable?.(state).length ?? 0);
      assert.ok(JSON.stringify(state).length < 30_000);
    }
    assert.ok((sizes[1] ?? 0) < 2.2 * (sizes[0] ?? 0));
  });
});

suite('candidates', () => {
  test('of a space that ends: each once, and those there are go on', async () => {
    const tiny = problemOf(tinySpace, { fidelities: RISING });
    for (const name of ['successive-halving', 'asha']) {
      const options = name === 'asha' ? {} : { candidates: 27 };
      const strategy = createStrategy(name, { inner: 'exhaustive', ...options });
      const played = await play(strategy, tiny, 1000, (candidate) => (candidate * 7) % 18);
      assert.deepEqual(at(played, 0).length, 18);
      assert.deepEqual([at(played, 1).length >= 6, at(played, 2).length >= 2], [true, true]);
      assert.ok(played.length <= 18 + 18 / 2 + 9);
    }
  });
});

suite('what the candidates are learned from', () => {
  /** Counts the outcomes, and proposes at random. */
  const listener = (told: { state: string; fidelity: number; fidelities: number }[]): Strategy<null> => ({
    ...randomSearch(),
    async tell(problem, state, outcomes) {
      for (const one of outcomes)
        told.push({ state: one.state, fidelity: one.fidelity, fidelities: problem.fidelities.length });
      return state;
    },
  });

  test('one fidelity at a time, each as if there were no other', async () => {
    const told: Parameters<typeof listener>[0] = [];
    const strategy = successiveHalving(listener(told), { eta: 3, candidates: 9, brackets: 1, enough: 100 });
    await play(strategy, rising, 100, (candidate) => candidate);
    assert.ok(told.every(({ fidelity, fidelities }) => fidelity === 0 && fidelities === 1));
    const count = (state: string) => told.filter((one) => one.state === state).length;
    assert.deepEqual([count('complete'), count('paused')], [13, 26]); // 13 trials, each told to three states.
  });

  test('the highest of which there is enough', async () => {
    const strategy = successiveHalving(createStrategy('aging-evolution', { population: 2, sample: 2 }), {
      eta: 3,
      candidates: 9,
      brackets: 0,
      enough: 3,
    });
    let state = strategy.init(rising);
    const levels: number[] = [];
    for (let trial = 0; trial < 45; trial++) {
      const [asked, proposals] = await strategy.ask(rising, state, trial, 1);
      state = await strategy.tell(
        rising,
        asked,
        proposals.map((proposal) => pseudoOutcome(proposal, trial)),
      );
      levels.push(state.candidates.level);
      assert.equal(state.candidates.states.length, 3 - state.candidates.level);
    }
    assert.deepEqual([levels[10], levels[11], levels[37], levels[38]], [0, 1, 1, 2]);
  });
});

suite('bohb', () => {
  test('learns: its candidates become better than those of Hyperband', async () => {
    const goodShare = async (name: string, seed: number) => {
      const seeded = { ...rising, seed };
      const strategy = createStrategy(name);
      let state = strategy.init(seeded);
      const good: number[] = [];
      for (let trial = 0; trial < 120; trial++) {
        const [asked, proposals] = await strategy.ask(seeded, state, trial, 1);
        const outcomes = proposals.map((proposal) => {
          const convs = Object.values(proposal.architecture).filter((op) => op === 'nor_conv_3x3').length;
          if (proposal.start.kind === 'fresh') good.push(convs);
          return { ...pseudoOutcome(proposal, trial), metrics: { accuracy: convs / 10 + proposal.fidelity * 0.1 } };
        });
        state = await strategy.tell(seeded, asked, outcomes);
      }
      const last = good.slice(-30);
      return last.reduce((a, b) => a + b, 0) / last.length;
    };
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    const guided = await Promise.all(seeds.map((seed) => goodShare('bohb', seed)));
    const blind = await Promise.all(seeds.map((seed) => goodShare('hyperband', 100 + seed)));
    const p = rankSumTest(guided, blind, 'greater');
    assert.ok(p < 1e-4, `p = ${p}`);
  });

  test('before a fidelity has N_min + 2 results, decisions + 3, its candidates are uniform', async () => {
    const strategy = createStrategy('bohb', { random: 0 });
    const uniform = (await randomSearch().ask(rising, null, 0, 40))[1].map(({ architecture }) => architecture);
    let state = strategy.init(rising);
    const isUniform: boolean[] = [];
    for (let trial = 0; trial < 40; trial++) {
      const [asked, [proposal]] = await strategy.ask(rising, state, trial, 1);
      assert.ok(proposal);
      if (proposal.start.kind === 'fresh')
        isUniform.push(JSON.stringify(proposal.architecture) === JSON.stringify(uniform[trial]));
      state = await strategy.tell(rising, asked, [pseudoOutcome(proposal, trial)]);
    }
    assert.deepEqual(isUniform.slice(0, 9), Array(9).fill(true)); // NAS-Bench-201 has 6 decisions.
    assert.ok(isUniform.slice(9).every((one) => !one));
  });

  test('a share of its candidates stays uniform', async () => {
    const all = async (random: number) => {
      const strategy = createStrategy('bohb', { random });
      return (await strategy.ask(rising, strategy.init(rising), 0, 9))[1].map(({ architecture }) => architecture);
    };
    const uniform = (await randomSearch().ask(rising, null, 0, 9))[1].map(({ architecture }) => architecture);
    assert.deepEqual(await all(1), uniform);
  });
});

suite('a third of the epochs', () => {
  /** 1, 3, 9 and 27 epochs; quality shows slowly, and how fast depends on the architecture. */
  const epochs = [1, 3, 9, 27] as const;
  const at = (of: number) => ({ epochs: of, data: 1, resolution: 1, width: 1 });
  const curves = (seed: number): Problem => problemOf(nasBench201, { seed, fidelities: [at(1), at(3), at(9), at(27)] });
  const qualityOf = ({ architecture }: Proposal) => rng('quality', JSON.stringify(architecture)).float();
  const measured = (proposal: Proposal, trial: number, seed: number) => {
    const speed = 0.3 + 0.7 * rng('speed', JSON.stringify(proposal.architecture)).float();
    const left = Math.exp(-speed * Math.sqrt(epochs[proposal.fidelity] ?? 27));
    return 0.5 + 0.4 * qualityOf(proposal) * (1 - left) - 0.3 * left + 0.005 * rng('noise', seed, trial).normal();
  };
  /** The quality of the fully trained trial that measured best, once `budget` epochs have been trained. */
  const search = async (strategy: Strategy, seed: number, budget: number) => {
    const problem = curves(seed);
    let state = strategy.init(problem);
    let [spent, best, quality] = [0, 0, 0];
    for (let trial = 0; spent < budget; trial++) {
      const [asked, proposals] = await strategy.ask(problem, state, trial, 1);
      const outcomes = proposals.map((proposal) => {
        const accuracy = measured(proposal, trial, seed);
        const full = epochs[proposal.fidelity] ?? 27;
        spent += full - (proposal.start.kind === 'continue' ? full / 3 : 0);
        if (proposal.fidelity === 3 && accuracy > best) [best, quality] = [accuracy, qualityOf(proposal)];
        return { ...pseudoOutcome(proposal, trial), metrics: { accuracy } };
      });
      state = await strategy.tell(problem, asked, outcomes);
    }
    return quality;
  };

  test('of random search and more are enough for ASHA and Hyperband to find what is better (60 seeds each)', async () => {
    const seeds = Array.from({ length: 60 }, (_, seed) => seed);
    const full = await Promise.all(seeds.map((seed) => search(randomSearch(), 1000 + seed, 20 * 27)));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    for (const [name, limit] of [
      ['asha', 0.001],
      ['hyperband', 0.2],
    ] as const) {
      const third = await Promise.all(seeds.map((seed) => search(createStrategy(name), seed, (20 * 27) / 3)));
      const p = rankSumTest(third, full, 'greater');
      assert.ok(p < limit, `${name}: p = ${p}, ${mean(third)} against ${mean(full)}`);
    }
  });
});

suite('several objectives', () => {
  const params = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
  const two: Problem = { ...rising, objectives: [...rising.objectives, params] };
  /** The accuracy and the size of nine candidates: 2, 5 and 7 are the front. */
  const values = [
    [0.5, 500],
    [0.6, 600],
    [0.9, 700],
    [0.4, 450],
    [0.3, 400],
    [0.7, 300],
    [0.2, 350],
    [0.1, 100],
    [0.05, 200],
  ] as const;

  test('trials of a rung are ranked by fronts: none that is dominated continues before the front has', async () => {
    for (const [name, options] of [
      ['asha', { candidates: 9 }],
      ['successive-halving', { candidates: 9, brackets: 1 }],
    ] as const) {
      for (const order of ['first to last', 'last to first']) {
        const strategy = createStrategy(name, options);
        let [state, asked] = await strategy.ask(two, strategy.init(two), 0, 9);
        const outcomes = asked.map((proposal, trial): Outcome => {
          const [accuracy = 0, size = 0] = values[trial] ?? [];
          return { ...pseudoOutcome(proposal, trial), metrics: { accuracy, params: size } };
        });
        for (const one of order === 'first to last' ? outcomes : outcomes.toReversed())
          state = await strategy.tell(two, state, [one]);
        [state, asked] = await strategy.ask(two, state, 9, 3);
        const continued = asked.flatMap(({ start }) => (start.kind === 'continue' ? [start.trial] : []));
        assert.deepEqual(continued.sort(), [2, 5, 7], `${name}, ${order}`);
      }
    }
  });

  test('a trial without a value of each is never continued', async () => {
    const strategy = createStrategy('asha', { candidates: 9 });
    let [state, asked] = await strategy.ask(two, strategy.init(two), 0, 9);
    const outcomes = asked.map((proposal, trial) => ({
      ...pseudoOutcome(proposal, trial),
      metrics: { accuracy: 0.5 },
    }));
    state = await strategy.tell(two, state, outcomes);
    [state, asked] = await strategy.ask(two, state, 9, 3);
    assert.deepEqual(asked, []);
  });

  for (const name of ['asha', 'hyperband', 'bohb']) strategyConformance(() => createStrategy(name), two);
});

suite('fidelities of a study', () => {
  const full = { epochs: 81, data: 1, resolution: 0.5, width: 1 };
  const epochs = (name: string, options: Record<string, unknown>, most = 81) =>
    fidelitiesOf(definitionOf(name), options, { ...full, epochs: most }).map((one) => one.epochs);

  test('rise by eta to the full one', () => {
    assert.deepEqual(epochs('asha', {}), [1, 3, 9, 27, 81]);
    assert.deepEqual(epochs('hyperband', { minEpochs: 4, eta: 2 }, 50), [6, 13, 25, 50]);
    assert.deepEqual(epochs('scalarized', { inner: 'asha', 'inner.eta': 9 }), [1, 9, 81]);
    assert.deepEqual(epochs('random', {}), [81]);
    assert.deepEqual(fidelitiesOf(definitionOf('asha'), {}, full)[0], { ...full, epochs: 1 });
  });

  test('one alone is refused, and so is a rising strategy within another', () => {
    assert.throws(() => epochs('asha', {}, 2), { name: 'UserError', message: /epochs is 2; must be at least 3/ });
    assert.throws(() => createStrategy('asha', { inner: 'hyperband' }), { name: 'UserError' });
    assert.throws(() => createStrategy('asha', { 'inner.x': 1 }), {
      message: /"random": unknown option "x"; there are none/,
    });
  });
});
