/** All search strategies by name: those of `strategy/`, and the one-shot methods that find an architecture. */
import { invalid } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import { ONE_SHOT } from '../oneshot/index.ts';
import { ARCHITECTURE_METHODS, type ArchitectureMethod, isArchitectureMethod } from '../oneshot/names.ts';
import type { OBJECTIVE_USES } from '../strategy/definition.ts';
import { derivedSearch } from '../strategy/derived.ts';
import {
  definitionOf,
  fidelitiesOf as fidelitiesBy,
  OBJECTIVES_OF,
  STRATEGIES,
  type StrategyDefinition,
} from '../strategy/index.ts';
import type { Problem, Strategy } from '../strategy/strategy.ts';
import { modelTools } from './engine.ts';

export const ALL_STRATEGIES: Readonly<Record<string, StrategyDefinition>> = {
  ...STRATEGIES,
  ...Object.fromEntries(ARCHITECTURE_METHODS.map((name) => [name, strategyOf(name)])),
};

const USES: Readonly<Record<(typeof OBJECTIVE_USES)[number], string>> = {
  front: 'Pareto front',
  weights: 'random weights',
  first: 'the first',
  any: 'any',
  inner: 'as inner',
  one: 'as one',
};

/** What the strategy of that name makes of several objectives, in words. */
export function objectivesOf(name: string): string {
  return USES[Object.hasOwn(OBJECTIVES_OF, name) ? OBJECTIVES_OF[name as keyof typeof OBJECTIVES_OF] : 'first'];
}

function strategyOf(name: ArchitectureMethod): StrategyDefinition {
  const { description, defaults, rules, check } = ONE_SHOT[name];
  return {
    ...{ name, description, defaults, rules, needsTree: true },
    create(options = {}) {
      check(options);
      return derivedSearch(name);
    },
  };
}

/** The strategy of that name. Throws UserError for an unknown name or a wrong option. */
export function strategyNamed(name: string, options: Readonly<Record<string, unknown>> = {}): Strategy {
  return definitionOf(name, ALL_STRATEGIES).create(options, modelTools());
}

/** Throws UserError for a strategy that trains a supernet, where a table answers. */
export function checkOnTable(flag: string, name: string): void {
  if (isArchitectureMethod(name))
    throw invalid(flag, `"${name}"`, 'trains a supernet on data; a tabular benchmark has only results');
}

/** The fidelities of a study's trials, from the cheapest to the full one, as its strategy wants them. Throws UserError. */
export function fidelitiesOf(
  name: string,
  options: Readonly<Record<string, unknown>>,
  full: Fidelity,
): Problem['fidelities'] {
  return fidelitiesBy(definitionOf(name, ALL_STRATEGIES), options, full);
}
