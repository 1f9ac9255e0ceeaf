/** The strategies that a table of one fidelity and one objective says something of. */
import { STRATEGIES } from '../../src/strategy/index.ts';

/** Exhaustive search is no search; those of several fidelities or objectives, and wrappers, are here the strategy inside them; a table has no genomes. */
const LEFT_OUT: readonly string[] = [
  ...['exhaustive', 'successive-halving', 'hyperband', 'asha', 'bohb', 'pareto-local-search', 'ehvi'],
  ...['unique', 'constrained', 'forgiving', 'scalarized', 'neat', 'cma-es'],
];

export const CONTENDERS: readonly string[] = Object.keys(STRATEGIES).filter((name) => !LEFT_OUT.includes(name));
