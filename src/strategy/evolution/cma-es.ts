import { invalid } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import { type Distribution, pointOf, pointsFor, spreadOf, startAt, updated } from '../../model/cma.ts';
import type { GenomeMoves } from '../../space/genome/moves.ts';
import type { Architecture } from '../../space/space.ts';
import { genomeMovesOf } from '../genome.ts';
import { drawWithin, proposalRng, sampleWithin } from '../limits.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { bornOf } from './breed.ts';

export interface CmaEsOptions {
  /** Points between two updates; 0: 4 + 3 ln n for n weights. */
  readonly population: number;
  /** Standard deviation of the first weights, around 0. */
  readonly sigma: number;
}

type Point = { readonly trial: number; readonly weights: readonly number[]; readonly fitness: number };

export type CmaEsState = {
  readonly distribution: Distribution;
  readonly restarts: number;
  /** Those that have been measured since the last update. */
  readonly born: readonly Point[];
};

/** Weights have six decimals; a narrower distribution has nothing left to find. */
const NARROWEST = 1e-6;

/**
 * CMA-ES over the weights of a genome of fixed structure (model/cma.ts; Hansen 2016; for neuroevolution Igel 2003, "Neuroevolution for
 * Reinforcement Learning Using Evolution Strategies"): what NEAT is compared with to see what growth is good for. The space must have
 * one structure (`neatSpace` with `growth: false`).
 *
 * Differs: no trial waits for an update; points of an older distribution count in the next one as they are. When the distribution is
 * narrower than 1e-6, it starts again as wide as at first, around random weights. Weights beyond the space's limit are moved to it
 * before they are measured. Failed, paused and pruned trials do not count.
 *
 * ask: O(n²), and O(n³) after an update. tell: O(n² · population + n³) at an update.
 */
export function cmaEs(options: CmaEsOptions): Strategy<CmaEsState> {
  return {
    name: 'cma-es',
    init(problem) {
      const moves = fixedMoves(problem);
      const mean = moves.weights(sampleWithin(problem, 0)).map(() => 0);
      return { distribution: startAt(mean, options.sigma), restarts: 0, born: [] };
    },
    async ask(problem, state, firstTrial, count) {
      const moves = fixedMoves(problem);
      const structure = problem.space.sample(rng('structure'));
      const propose = (trial: number): Architecture => {
        const stream = proposalRng(problem, trial, 'point');
        const point = drawWithin(problem, () => moves.withWeights(structure, pointOf(state.distribution, stream)));
        return point ?? sampleWithin(problem, trial);
      };
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture: propose(firstTrial + i),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [state, proposals];
    },
    async tell(problem, state, outcomes) {
      const { metric, direction } = problem.objectives[0];
      const moves = fixedMoves(problem);
      const points = options.population === 0 ? pointsFor(state.distribution.mean.length) : options.population;
      let { distribution, restarts } = state;
      let born = [...state.born];
      for (const { trial, architecture, metrics } of bornOf(problem, outcomes, points)) {
        const value = metrics[metric];
        if (value === undefined) continue;
        born.push({
          trial,
          weights: moves.weights(architecture),
          fitness: direction === 'maximize' ? value : 0 - value,
        });
        if (born.length < points) continue;
        const ranked = born.sort((a, b) => b.fitness - a.fitness || b.trial - a.trial).map(({ weights }) => weights);
        distribution = updated(distribution, ranked);
        born = [];
        if (spreadOf(distribution) >= NARROWEST) continue;
        restarts++;
        const mean = moves.weights(problem.space.sample(rng(problem.seed, 'restart', restarts)));
        distribution = startAt(mean, options.sigma);
      }
      return { distribution, restarts, born };
    },
  };
}

function fixedMoves(problem: Problem): Required<GenomeMoves> {
  const moves = genomeMovesOf(problem, 'cma-es');
  const { grows, weights, withWeights } = moves;
  if (!grows && weights !== undefined && withWeights !== undefined) return { ...moves, weights, withWeights };
  const found = `the members of space "${problem.space.name}" differ in their structure`;
  throw invalid('strategy "cma-es"', found, 'needs a space with one structure (`growth: false`)');
}
