import type { Estimator } from '../../estimate/estimator.ts';
import type { Architecture } from '../../space/space.ts';
import { activate, growingSpace } from '../../space/testing/genome.ts';
import type { Problem } from '../../strategy/strategy.ts';

/** A task with rewards and no samples: a growing network learns the exclusive or (XOR) of its two inputs. */

export const xorSpace = growingSpace('xor', 2, 1);

const CASES = [
  [0, 0, 0],
  [0, 1, 1],
  [1, 0, 1],
  [1, 1, 0],
] as const;

/**
 * The geometric mean of the probabilities of the right answers in the four cases. Guessing gives 1/2, and so does the best network
 * without a hidden node.
 */
export function xorReward(architecture: Architecture): number {
  const genome = xorSpace.check(architecture);
  const likelihoods = CASES.map(([a, b, right]) => {
    const one = activate(genome, [a, b])[0] ?? Number.NaN;
    return right === 1 ? one : 1 - one;
  });
  return likelihoods.reduce((product, one) => product * one, 1) ** (1 / CASES.length);
}

/** Whether all four answers are on the right side of 1/2. */
export function isSolved(architecture: Architecture): boolean {
  const genome = xorSpace.check(architecture);
  return CASES.every(([a, b, right]) => Math.round(activate(genome, [a, b])[0] ?? Number.NaN) === right);
}

export function xorProblem(changes: Partial<Problem> = {}): Problem {
  return {
    space: xorSpace,
    objectives: [{ metric: 'reward', direction: 'maximize', unit: 'score' }],
    limits: [],
    seed: 1,
    costs(architecture) {
      const { hidden, connections } = xorSpace.check(architecture);
      return { params: connections.length, depth: hidden.length };
    },
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
    ...changes,
  };
}

/** A function as an estimator: one look, one report. */
export function xorEstimator(): Estimator<unknown> {
  return {
    async estimate({ architecture }, { fidelity, signal, report }) {
      signal.throwIfAborted();
      const point = { step: fidelity.epochs, metrics: { reward: xorReward(architecture) }, seconds: 0 };
      await report(point, undefined); // It ends whatever the answer.
      return { state: 'complete', metrics: point.metrics, curve: [point], seconds: 0 };
    },
  };
}
