import { UserError } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import type { ModelTools } from '../../model/tools.ts';
import type { Architecture } from '../../space/space.ts';
import { proposalRng } from '../limits.ts';
import { guidedBy, type Observation, type ObservationsState, standardized, utilities } from '../observations.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { treeOf } from '../tree.ts';
import { bestWithin, pool } from './candidates.ts';
import { type ENSEMBLES, ensembleFor, type Predict } from './ensembles.ts';
import { featuresOf } from './features.ts';

export interface BananasOptions {
  /** Random architectures before the model is asked. */
  readonly initial: number;
  /** Observations from one training of the ensemble to the next. */
  readonly every: number;
  readonly members: number;
  /** Networks on the path encoding, or graph networks on the cells themselves. */
  readonly model: (typeof ENSEMBLES)[number];
  /** How many of the best are mutated. */
  readonly parents: number;
  /** Mutations of each. */
  readonly mutations: number;
}

/** Random architectures among the candidates. */
const RANDOM = 50;
/** Observations that the ensemble is trained on, at most. */
const TRAINED = 512;

/** An ensemble and how many observations it has seen. */
interface Trained {
  readonly count: number;
  readonly ensemble: Promise<Predict>;
}

/**
 * BANANAS. White, Neiswanger & Savani 2021, "BANANAS: Bayesian Optimization with Neural Architectures for Neural
 * Architecture Search", algorithm 1: after `initial` random architectures, an ensemble of networks learns to predict
 * accuracy from the path encoding; each trial is the one of many mutations of the best architectures for which an
 * independent Thompson sample (a normal draw with the mean and deviation of the members' predictions) is largest; the
 * ensemble is retrained after every k = 10 observations.
 *
 * Differs: paths through an operation that puts out nothing do not count, identities are left out of them, decisions
 * outside of cells are encoded beside them (`featuresOf`); two hidden layers of 32 in place of ten of 20, trained on
 * all rows at once, on the squared error of standardized targets whose bad end is cut (`standardized`), where failed
 * trials are; a fifth of the candidates is random; nothing that computes the same is proposed twice. From 512
 * observations on, the ensemble learns the best half of them and the latest. Several objectives: random weights for
 * each training (ParEGO, Knowles 2006). `model=graph-network`: graph networks on the cells (`trainGraphNetworks`) learn in
 * place of networks on paths.
 *
 * What is still running needs no place in the model: samples of several trials differ by themselves.
 *
 * ask: one pass of the ensemble for each candidate, and every `every` observations a training of 100 or 150 steps. tell: O(n)
 * to copy the list. Needs an engine.
 */
export function bananas(options: BananasOptions, { engine }: ModelTools): Strategy<ObservationsState> {
  /** By the first observation, which all states of a study share. */
  const kept = new WeakMap<Observation, Trained>();

  const guided = guidedBy('bananas', options.initial, propose);
  return {
    ...guided,
    init(problem) {
      ensembleFor(options.model, treeOf(problem)); // A space without cells is refused before the first trial.
      return guided.init(problem);
    },
  };

  async function propose(problem: Problem, state: ObservationsState, trial: number): Promise<Architecture> {
    const space = treeOf(problem);
    const { observations, pending } = state;
    const count = observations.length - (Math.max(0, observations.length - options.initial) % options.every);
    const known = featuresOf(space, 'path');
    const predict = await trained(problem, observations, count);

    const utility = utilities(problem, observations, trial);
    const order = observations
      .map((_, i) => i)
      .sort((a, b) => (utility[b] ?? Number.NaN) - (utility[a] ?? Number.NaN) || a - b);
    const parents = order.slice(0, options.parents).map((i) => (observations[i] as Observation).architecture);
    const stream = proposalRng(problem, trial, 'candidates');
    const drafts = pool(space, stream, known.keyOf, [...observations, ...pending], {
      random: RANDOM,
      parents,
      mutations: options.mutations,
    });
    const scores = drafts.map((draft) => thompson(predict(draft), stream.normal()));
    return bestWithin(problem, trial, drafts, scores);
  }

  function trained(problem: Problem, observations: readonly Observation[], count: number): Promise<Predict> {
    const first = observations[0] as Observation;
    const found = kept.get(first);
    if (found?.count === count) return found.ensemble;
    if (engine === undefined)
      throw new UserError('strategy "bananas": has no engine to train its ensemble; pass tools.engine');
    const learned = learnedFrom(problem, observations.slice(0, count));
    const targets = standardized(utilities(problem, learned, count, 'train'));
    const architectures = learned.map(({ architecture }) => architecture);
    const stream = rng(problem.seed, 'bananas', 'ensemble', count);
    const train = ensembleFor(options.model, treeOf(problem));
    const ensemble = engine().then((one) => train(one, architectures, targets, stream, options.members));
    kept.set(first, { count, ensemble });
    return ensemble;
  }
}

/** At most TRAINED: half of them the best, the others the latest. */
function learnedFrom(problem: Problem, observations: readonly Observation[]): readonly Observation[] {
  if (observations.length <= TRAINED) return observations;
  const utility = utilities(problem, observations, 0, 'learned');
  const order = observations
    .map((_, i) => i)
    .sort((a, b) => (utility[b] ?? Number.NaN) - (utility[a] ?? Number.NaN) || a - b);
  const best = new Set(order.slice(0, TRAINED / 2));
  const latest = observations.length - TRAINED / 2;
  return observations.filter((_, i) => best.has(i) || i >= latest);
}

function thompson(predictions: Float64Array, normal: number): number {
  const mean = predictions.reduce((sum, value) => sum + value, 0) / predictions.length;
  const variance = predictions.reduce((sum, value) => sum + (value - mean) ** 2, 0) / predictions.length;
  return mean + Math.sqrt(variance) * normal;
}
