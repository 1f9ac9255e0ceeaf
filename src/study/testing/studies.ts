import type { Fidelity } from '../../common/fidelity.ts';
import { agingEvolution } from '../../strategy/evolution/aging-evolution.ts';
import { createStrategy } from '../../strategy/index.ts';
import { localSearch } from '../../strategy/local-search.ts';
import { randomSearch } from '../../strategy/random.ts';
import type { Problem, Strategy } from '../../strategy/strategy.ts';
import { nasBench201, problemOf, RISING } from '../../strategy/testing/problems.ts';
import { ridgeSearch } from '../../strategy/testing/ridge.ts';
import type { Store, Trial } from '../store/store.ts';
import type { FakeOptions } from './fake.ts';
import { xorProblem, xorReward } from './xor.ts';

export interface TestStudy {
  readonly strategy: Strategy;
  readonly problem: Problem;
  /** What its fake estimates come from; the architecture's key by default. */
  readonly quality?: FakeOptions['quality'];
}

export const THREE_EPOCHS: Fidelity = { epochs: 3, data: 1, resolution: 1, width: 1 };

const RISING_PROBLEM = problemOf(nasBench201, { fidelities: RISING });

/** Studies whose estimates are fakes, one for each strategy that must survive being killed: of NAS-Bench-201, and of a space without a tree. */
export const STUDIES = {
  random: { strategy: randomSearch(), problem: problemOf(nasBench201, { fidelities: [THREE_EPOCHS] }) },
  'aging-evolution': {
    strategy: agingEvolution({ population: 8, sample: 3 }),
    problem: problemOf(nasBench201, { fidelities: [THREE_EPOCHS], limits: [{ cost: 'params', max: 700 }] }),
  },
  halving: { strategy: createStrategy('successive-halving', { eta: 2 }), problem: RISING_PROBLEM },
  hyperband: { strategy: createStrategy('hyperband', { eta: 2, inner: 'unique' }), problem: RISING_PROBLEM },
  asha: {
    strategy: createStrategy('asha', { inner: 'aging-evolution', 'inner.population': 6, 'inner.sample': 2, enough: 4 }),
    problem: RISING_PROBLEM,
  },
  'local-search': {
    strategy: localSearch({ starts: 3, improvement: 'first', warmStart: true }),
    problem: problemOf(nasBench201, { fidelities: [THREE_EPOCHS] }),
  },
  'gaussian-process': {
    strategy: createStrategy('gaussian-process', { initial: 6, candidates: 50 }),
    problem: problemOf(nasBench201, { fidelities: [THREE_EPOCHS] }),
  },
  bohb: { strategy: createStrategy('bohb', { eta: 2, enough: 5 }), problem: RISING_PROBLEM },
  nsga2: {
    strategy: createStrategy('nsga2', { population: 6 }),
    problem: problemOf(nasBench201, {
      fidelities: [THREE_EPOCHS],
      objectives: [...RISING_PROBLEM.objectives, { metric: 'params', direction: 'minimize', unit: 'parameters' }],
    }),
  },
  ridge: { strategy: ridgeSearch(), problem: problemOf(nasBench201, { fidelities: [THREE_EPOCHS] }) },
  'aging-evolution of a growing network': {
    strategy: agingEvolution({ population: 8, sample: 3 }),
    problem: xorProblem({ fidelities: [THREE_EPOCHS], objectives: RISING_PROBLEM.objectives }),
    quality: xorReward,
  },
  'evolution of a growing network': {
    strategy: createStrategy('hyperband', { eta: 2, inner: 'evolution', 'inner.population': 6, enough: 4 }),
    problem: xorProblem({ fidelities: RISING, objectives: RISING_PROBLEM.objectives }),
    quality: xorReward,
  },
} as const satisfies Readonly<Record<string, TestStudy>>;

/** What must not depend on when a study was interrupted: all of its trials but times and attempts, and the strategy's state. */
export async function essence(store: Store) {
  const trial = ({ startedAt, endedAt, attempts, fence, ...rest }: Trial) => rest;
  return { trials: (await store.trials()).map(trial), strategy: await store.strategyState() };
}

/** The same of a study that trains, where times, and checkpoints that hold them, differ from run to run. */
export async function trainedEssence(store: Store) {
  const trial = ({ startedAt, endedAt, attempts, fence, seconds, checkpoint, curve, ...rest }: Trial) => ({
    ...rest,
    curve: curve.map(({ step, metrics }) => ({ step, metrics })),
  });
  return { trials: (await store.trials()).map(trial), strategy: await store.strategyState() };
}
