import { z } from 'zod';
import { unknownName } from '../common/closest.ts';
import { invalid, type UserError } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import { optionRules } from '../common/option-rules.ts';
import { options as checkOptions } from '../common/options.ts';
import type { ModelTools } from '../model/tools.ts';
import type { OBJECTIVE_USES, StrategyChoice, StrategyDefinition, StrategyOptions } from './definition.ts';
import { agingEvolution } from './evolution/aging-evolution.ts';
import { cmaEs } from './evolution/cma-es.ts';
import { evolution } from './evolution/evolution.ts';
import { neat } from './evolution/neat.ts';
import { asNeat, layerNeatOptions, neatOptions } from './evolution/neat-options.ts';
import { nsga2 } from './evolution/nsga2.ts';
import { exhaustiveSearch } from './exhaustive.ts';
import { localSearch } from './local-search.ts';
import { mcts } from './mcts.ts';
import { paretoLocalSearch } from './pareto-local-search.ts';
import { randomSearch } from './random.ts';
import { controller } from './reinforce.ts';
import { risingFidelities } from './rising/fidelities.ts';
import type { Problem, Strategy } from './strategy.ts';
import { bananas } from './surrogate/bananas.ts';
import { ehvi } from './surrogate/ehvi.ts';
import { ENSEMBLES } from './surrogate/ensembles.ts';
import { gaussianProcessSearch } from './surrogate/gaussian-process.ts';
import { pnas } from './surrogate/pnas.ts';
import { tpe } from './surrogate/tpe.ts';
import { wrapperDefinitions } from './wrappers/definitions.ts';

export type { OptionRule } from '../common/option-rules.ts';
export type { ModelTools } from '../model/tools.ts';
export type * from './definition.ts';
export type * from './strategy.ts';

const evolutionOptions = z
  .strictObject({
    population: z.int().min(1).max(100_000).default(25),
    sample: z.int().min(1).max(100_000).default(15),
  })
  .refine(
    ({ population, sample }) => sample <= population,
    'sample must be at most population (sample is 15 unless given)',
  );

const wrappers = wrapperDefinitions({
  create: (name, options, tools) => createStrategy(name, options, tools),
  rungs: (name, options) => definitionOf(name).rungs?.(options),
});

export const STRATEGIES = {
  random: define('random', 'Samples the space uniformly, with replacement.', z.strictObject({}), randomSearch),
  exhaustive: defineOnTrees(
    'exhaustive',
    'Enumerates all architectures of a countable space in order.',
    z.strictObject({}),
    exhaustiveSearch,
  ),
  'aging-evolution': define(
    'aging-evolution',
    'Mutates the best of a small sample and removes the oldest member of the population (Real et al. 2019).',
    evolutionOptions,
    agingEvolution,
  ),
  evolution: define(
    'evolution',
    'Genetic algorithm: crossover, mutation, tournaments, elitism (Whitley 1989; Xie & Yuille 2017).',
    z.strictObject({
      replacement: z.enum(['steady-state', 'generational']).default('steady-state'),
      population: z.int().min(1).max(100_000).default(20),
      elite: z.int().min(0).max(100_000).default(2),
      tournament: z.int().min(1).max(100_000).default(5),
      crossover: z.number().min(0).max(1).default(0.9),
      mutation: z.number().min(0).max(1).default(0.5),
    }),
    evolution,
  ),
  nsga2: define(
    'nsga2',
    'Genetic algorithm for several objectives: non-dominated sorting and crowding distance (Deb et al. 2002).',
    z.strictObject({
      population: z.int().min(1).max(100_000).default(20),
      crossover: z.number().min(0).max(1).default(0.9),
      mutation: z.number().min(0).max(1).default(0.5),
    }),
    nsga2,
  ),
  neat: defineOnGenomes(
    'neat',
    'Networks that grow: historical markings, species, crossover of genomes (Stanley & Miikkulainen 2002).',
    neatOptions,
    (options) => neat(options),
  ),
  'layer-neat': defineOnGenomes(
    'layer-neat',
    'NEAT for networks of layers that are trained (space layer-genomes): grows faster, in a smaller population.',
    layerNeatOptions,
    (options) => neat(asNeat(options), 'layer-neat'),
  ),
  'cma-es': defineOnGenomes(
    'cma-es',
    'Weights of genomes of one structure by covariance matrix adaptation (Hansen 2016; Igel 2003).',
    z.strictObject({
      population: z.int().min(0).max(100_000).default(0),
      sigma: z.number().positive().max(1000).default(1),
    }),
    cmaEs,
  ),
  'local-search': defineOnTrees(
    'local-search',
    'Hill climbing over all neighbors, restarted at each local optimum (White et al. 2021).',
    z.strictObject({
      starts: z.int().min(1).max(1_000_000).default(10),
      improvement: z.enum(['first', 'best']).default('first'),
      warmStart: z.boolean().default(false),
    }),
    localSearch,
  ),
  'pareto-local-search': define(
    'pareto-local-search',
    'Local search on fronts: mutates members of the Pareto front (Laumanns et al. 2004; Paquete et al. 2004).',
    z.strictObject({ starts: z.int().min(1).max(1_000_000).default(10) }),
    paretoLocalSearch,
  ),
  mcts: defineOnTrees(
    'mcts',
    'Monte Carlo tree search over the decisions: UCT, rollouts (Kocsis & Szepesvári 2006; Wang et al. 2019).',
    z.strictObject({
      exploration: z.number().min(0).max(1_000).default(0.3),
      rave: z.number().min(0).max(1_000_000).default(50),
      temperature: z.number().min(0).max(1_000).default(0.1),
      widening: z.number().min(0).max(1_000).default(1),
      nodes: z.int().min(1).max(1_000_000).default(2000),
    }),
    mcts,
  ),
  pnas: defineOnTrees(
    'pnas',
    'Progressive search from simple to complex architectures with a surrogate (Liu et al. 2018).',
    z.strictObject({
      levels: z.int().min(1).max(100).default(3),
      beam: z.int().min(1).max(10_000).default(16),
      penalty: z.number().positive().max(1000).default(1),
    }),
    pnas,
  ),
  controller: defineOnTrees(
    'controller',
    'A recurrent controller trained by policy gradients (Zoph & Le 2017; Schulman et al. 2017).',
    z.strictObject({
      algorithm: z.enum(['reinforce', 'ppo']).default('ppo'),
      hidden: z.int().min(2).max(256).multipleOf(2).default(32),
      batch: z.int().min(1).max(10_000).default(5),
      epochs: z.int().min(1).max(1_000).default(5),
      learningRate: z.number().positive().max(1000).default(0.01),
      entropy: z.number().min(0).max(1_000).default(0.01),
      clip: z.number().positive().max(1).default(0.2),
      baseline: z.number().min(0).max(1).default(0.9),
    }),
    controller,
  ),
  'gaussian-process': defineOnTrees(
    'gaussian-process',
    'Bayesian optimization with a Gaussian process on paths and decisions (Snoek et al. 2012; Ru et al. 2021).',
    z.strictObject({
      initial: z.int().min(2).max(1_000_000).default(10),
      kernel: z.enum(['path', 'hamming']).default('path'),
      acquisition: z.enum(['ei', 'ucb']).default('ucb'),
      beta: z.number().min(0).max(1_000_000).default(3),
      candidates: z.int().min(1).max(10_000).default(200),
      parents: z.int().min(1).max(10_000).default(5),
    }),
    gaussianProcessSearch,
  ),
  tpe: defineOnTrees(
    'tpe',
    'Tree-structured Parzen estimator: ratio of the densities of good and bad trials (Bergstra et al. 2011).',
    z.strictObject({
      initial: z.int().min(2).max(1_000_000).default(10),
      gamma: z.number().gt(0).lt(1).default(0.1),
      candidates: z.int().min(1).max(10_000).default(64),
      multivariate: z.boolean().default(true),
    }),
    tpe,
  ),
  ehvi: defineOnTrees(
    'ehvi',
    'For several objectives: expected hypervolume improvement by Gaussian processes (Emmerich et al. 2006; Yang et al. 2019).',
    z.strictObject({
      initial: z.int().min(2).max(1_000_000).default(20),
      candidates: z.int().min(0).max(10_000).default(16),
      mutations: z.int().min(1).max(10_000).default(80),
    }),
    ehvi,
  ),
  bananas: defineOnTrees(
    'bananas',
    'Mutates the best trials and picks with an ensemble of networks on paths or cells (White et al. 2021).',
    z.strictObject({
      initial: z.int().min(2).max(1_000_000).default(10),
      every: z.int().min(1).max(1_000_000).default(10),
      members: z.int().min(2).max(100).default(5),
      model: z.enum(ENSEMBLES).default('mlp-ensemble'),
      parents: z.int().min(1).max(10_000).default(5),
      mutations: z.int().min(1).max(10_000).default(40),
    }),
    bananas,
  ),
  ...wrappers,
  bohb: onTrees(wrappers.bohb),
} as const satisfies Readonly<Record<string, StrategyDefinition>>;

/** What each makes of several objectives. */
export const OBJECTIVES_OF: Readonly<Record<keyof typeof STRATEGIES, (typeof OBJECTIVE_USES)[number]>> = {
  ...{ random: 'any', exhaustive: 'any', 'aging-evolution': 'front', evolution: 'front', nsga2: 'front' },
  ...{ neat: 'first', 'layer-neat': 'first', 'cma-es': 'first' },
  ...{ 'local-search': 'first', 'pareto-local-search': 'front', mcts: 'first', pnas: 'first', controller: 'first' },
  ...{ 'gaussian-process': 'weights', tpe: 'weights', ehvi: 'front', bananas: 'weights' },
  ...{ 'successive-halving': 'front', hyperband: 'front', asha: 'front', bohb: 'front' },
  ...{ unique: 'inner', constrained: 'inner', forgiving: 'inner', scalarized: 'one' },
};

/** The strategy of that name, or of a choice such as `tpe({ gamma: 0.15 })`. Throws UserError for an unknown name or a wrong option. */
export function createStrategy(
  strategy: string | StrategyChoice,
  options?: Readonly<Record<string, unknown>>,
  tools?: ModelTools,
): Strategy {
  if (typeof strategy === 'string') return definitionOf(strategy).create(options, tools);
  return definitionOf(strategy.strategy).create({ ...strategy.options, ...options }, tools);
}

/** The fidelities of a study's trials, from the cheapest to the full one, as its strategy wants them. Throws UserError. */
export function fidelitiesOf(
  definition: StrategyDefinition,
  options: Readonly<Record<string, unknown>>,
  full: Fidelity,
): Problem['fidelities'] {
  const rungs = definition.rungs?.(options);
  return rungs === undefined ? [full] : risingFidelities(rungs, full);
}

/** Names that studies of older versions have stored. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map([['scalarised', 'scalarized']]);

/** The definition of that name. Throws UserError for a name that none of `known` has. */
export function definitionOf(
  name: string,
  known: Readonly<Record<string, StrategyDefinition>> = STRATEGIES,
): StrategyDefinition {
  const current = OLD_NAMES.get(name) ?? name;
  const definition = Object.hasOwn(known, current) ? known[current] : undefined;
  if (!definition) throw unknownName('unknown strategy', name, Object.keys(known));
  return definition;
}

function define<Options extends StrategyOptions>(
  name: string,
  description: string,
  schema: z.ZodType<Options>,
  factory: (options: Options, tools: ModelTools) => Strategy,
): StrategyDefinition<Options> {
  return {
    name,
    description,
    defaults: schema.parse({}),
    rules: () => optionRules(schema),
    create(options = {}, tools = {}) {
      return factory(checkOptions(schema, options, `strategy "${name}"`), tools);
    },
  };
}

/** Like `define`, for a strategy that models single decisions. */
function defineOnTrees<Options extends StrategyOptions>(
  ...described: Parameters<typeof define<Options>>
): StrategyDefinition<Options> {
  return onTrees(define(...described));
}

/** Like `define`, for a strategy that works on genes; it refuses other spaces itself. */
function defineOnGenomes<Options extends StrategyOptions>(
  ...described: Parameters<typeof define<Options>>
): StrategyDefinition<Options> & { readonly needsGenome: true } {
  return { ...define(...described), needsGenome: true };
}

/** The same definition, whose strategies refuse a space without a tree. */
function onTrees<Options extends object>(definition: StrategyDefinition<Options>): StrategyDefinition<Options> {
  return {
    ...definition,
    needsTree: true,
    create(options, tools) {
      const strategy = definition.create(options, tools);
      const init = (problem: Problem) => {
        if (problem.space.tree === undefined || problem.space.tree.members !== undefined)
          throw withoutTree(strategy.name, problem.space.name);
        return strategy.init(problem);
      };
      return { ...strategy, init };
    },
  };
}

/** `strategy "tpe": space "xor" has no decisions; strategies that need none: random, aging-evolution, ...` */
function withoutTree(strategy: string, space: string): UserError {
  const others = Object.values<StrategyDefinition>(STRATEGIES).filter(
    ({ needsTree, needsGenome }) => needsTree === undefined && needsGenome === undefined,
  );
  const names = others.map(({ name }) => name).join(', ');
  return invalid(`strategy "${strategy}"`, `space "${space}" has no decisions`, `strategies that need none: ${names}`);
}
