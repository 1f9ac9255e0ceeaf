import { encodeOneHot } from '../../space/index.ts';
import { drawWithin, proposalRng, sampleWithin } from '../limits.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { treeOf } from '../tree.ts';

type RidgeState = {
  readonly inputs: readonly (readonly number[])[];
  readonly values: readonly number[];
  /** One for each input and the intercept; empty: not fitted yet. */
  readonly weights: readonly number[];
};

const FIRST = 6;
const CANDIDATES = 20;

/**
 * A fixture, not for users: ridge regression on the one-hot encoding, refitted at each tell; of 20 random candidates the
 * one of the best prediction is proposed. It stands for all strategies whose state is a learned model.
 */
export function ridgeSearch(penalty = 0.1): Strategy<RidgeState> {
  return {
    name: 'ridge',
    init: () => ({ inputs: [], values: [], weights: [] }),
    async ask(problem, state, firstTrial, count) {
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture: propose(problem, state, firstTrial + i),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [state, proposals];
    },
    async tell(problem, state, outcomes) {
      const { metric, direction } = problem.objectives[0];
      const inputs = [...state.inputs];
      const values = [...state.values];
      for (const { state: ended, architecture, metrics } of outcomes) {
        const value = metrics[metric];
        if (ended === 'failed' || value === undefined) continue;
        inputs.push(encodeOneHot(treeOf(problem), architecture));
        values.push(direction === 'maximize' ? value : 0 - value);
      }
      return { inputs, values, weights: values.length < FIRST ? [] : solve(inputs, values, penalty) };
    },
  };
}

function propose(problem: Problem, state: RidgeState, trial: number) {
  if (state.weights.length === 0) return sampleWithin(problem, trial);
  const stream = proposalRng(problem, trial, 'ridge');
  const candidates = Array.from({ length: CANDIDATES }, () => drawWithin(problem, () => problem.space.sample(stream)));
  const score = (x: readonly number[]) => x.reduce((sum, value, i) => sum + value * (state.weights[i] ?? 0), 0);
  return candidates
    .filter((architecture) => architecture !== undefined)
    .map((architecture) => ({ architecture, score: score(encodeOneHot(treeOf(problem), architecture)) }))
    .reduce((a, b) => (b.score > a.score ? b : a)).architecture;
}

/** Solves (XᵀX + penalty·I) w = Xᵀy, with a column of ones appended to X, by Gaussian elimination. */
function solve(inputs: readonly (readonly number[])[], values: readonly number[], penalty: number): number[] {
  const rows = inputs.map((x) => [...x, 1]);
  const size = rows[0]?.length ?? 0;
  const at = (row: readonly number[] | undefined, i: number) => row?.[i] ?? 0;
  const a = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) =>
      rows.reduce((sum, r) => sum + at(r, i) * at(r, j), i === j ? penalty : 0),
    ),
    rows.reduce((sum, r, k) => sum + at(r, i) * at(values, k), 0),
  ]);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = at(a[k], i) / at(a[i], i);
      a[k] = a[k]?.map((value, j) => value - factor * at(a[i], j)) ?? [];
    }
  }
  return a.map((row, i) => at(row, size) / at(row, i));
}
