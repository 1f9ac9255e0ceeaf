import { STRATEGIES, type StrategyChoice, type StrategyDefinition, type StrategyOptions } from './index.ts';

/** The options of one strategy; those left out have their defaults (`netsmith strategies NAME`). */
type OptionsOf<D> = D extends { readonly options?: infer Options } ? Readonly<Partial<NonNullable<Options>>> : never;

/** Those of a strategy that holds another one: `inner` is a name, or the other strategy with its options. */
type OuterOptionsOf<D> = Omit<OptionsOf<D>, 'inner'> & { readonly inner?: string | StrategyChoice };

/** Uniform random search. */
export const randomSearch = factory(STRATEGIES.random);
/** All architectures of a countable space, in order. */
export const exhaustiveSearch = factory(STRATEGIES.exhaustive);
/** Hill climbing with restarts (White et al. 2021). */
export const localSearch = factory(STRATEGIES['local-search']);
/** Regularized evolution (Real et al. 2019). */
export const agingEvolution = factory(STRATEGIES['aging-evolution']);
/** A genetic algorithm with crossover (Xie & Yuille 2017). */
export const evolution = factory(STRATEGIES.evolution);
/** Networks that grow, over a space of genomes (Stanley & Miikkulainen 2002). */
export const neat = factory(STRATEGIES.neat);
/** NEAT for networks of layers that are trained, over the space `layer-genomes`. */
export const layerNeat = factory(STRATEGIES['layer-neat']);
/** The weights of genomes of one structure by covariance matrix adaptation (Hansen 2016). */
export const cmaEs = factory(STRATEGIES['cma-es']);
/** Several objectives: non-dominated sorting (Deb et al. 2002). */
export const nsga2 = factory(STRATEGIES.nsga2);
/** Several objectives: mutations of the members of the front (Laumanns et al. 2004). */
export const paretoLocalSearch = factory(STRATEGIES['pareto-local-search']);
/** Several objectives: expected hypervolume improvement (Emmerich et al. 2006). */
export const ehvi = factory(STRATEGIES.ehvi);
/** Monte Carlo tree search over the decisions. */
export const mcts = factory(STRATEGIES.mcts);
/** From simple to complex architectures with a surrogate (Liu et al. 2018). */
export const pnas = factory(STRATEGIES.pnas);
/** A recurrent controller trained by policy gradients (Zoph & Le 2017). */
export const controller = factory(STRATEGIES.controller);
/** Bayesian optimization with a Gaussian process. */
export const gaussianProcess = factory(STRATEGIES['gaussian-process']);
/** Tree-structured Parzen estimator (Bergstra et al. 2011). */
export const tpe = factory(STRATEGIES.tpe);
/** Mutations of the best, chosen by an ensemble of networks (White et al. 2021). */
export const bananas = factory(STRATEGIES.bananas);
/** Many short trainings, of which the best are continued (Jamieson & Talwalkar 2016). */
export const successiveHalving = outerFactory(STRATEGIES['successive-halving']);
/** Successive halving in brackets (Li et al. 2018). */
export const hyperband = outerFactory(STRATEGIES.hyperband);
/** Asynchronous successive halving (Li et al. 2020). */
export const asha = outerFactory(STRATEGIES.asha);
/** Hyperband with candidates from a density model (Falkner et al. 2018). */
export const bohb = factory(STRATEGIES.bohb);
/** Proposes no architecture twice. */
export const unique = outerFactory(STRATEGIES.unique);
/** Adds limits to a strategy without them, by rejection. */
export const constrained = outerFactory(STRATEGIES.constrained);
/** Hides failed trials from a strategy, or reports them with the worst value seen. */
export const forgiving = outerFactory(STRATEGIES.forgiving);
/** Several objectives as one, for strategies that know one alone: `scalarized({ inner: tpe(), 'weight.accuracy': 2 })`. */
export const scalarized = outerFactory(STRATEGIES.scalarized);

/** Throws UserError for an option that the strategy does not have, or a value that it may not have. */
function factory<D extends StrategyDefinition<object>>(definition: D) {
  return (options: OptionsOf<D> = {} as OptionsOf<D>): StrategyChoice => choose(definition, options as StrategyOptions);
}

function outerFactory<D extends StrategyDefinition<object>>(definition: D) {
  return ({ inner, ...options }: OuterOptionsOf<D> = {} as OuterOptionsOf<D>): StrategyChoice => {
    const held = typeof inner === 'string' ? { strategy: inner, options: {} } : inner;
    return choose(definition, {
      ...(options as StrategyOptions),
      ...(held !== undefined && { inner: held.strategy }),
      ...Object.fromEntries(Object.entries(held?.options ?? {}).map(([name, value]) => [`inner.${name}`, value])),
    });
  };
}

function choose({ name, create }: StrategyDefinition<object>, options: StrategyOptions): StrategyChoice {
  create(options);
  return Object.freeze({ strategy: name, options: Object.freeze({ ...options }) });
}
