import type { OptionRule } from '../common/option-rules.ts';
import type { ModelTools } from '../model/tools.ts';
import type { Rungs } from './rising/fidelities.ts';
import type { Strategy } from './strategy.ts';

/** What an option of a strategy may be given. */
export type StrategyOptions = Readonly<Record<string, number | string | boolean>>;

/** A strategy by its name, with its options: plain data, which a study stores (`tpe({ gamma: 0.15 })`). */
export interface StrategyChoice {
  readonly strategy: string;
  readonly options: StrategyOptions;
}

/**
 * What a strategy makes of several objectives. front: it takes them natively; weights: random weights for each trial or training
 * (ParEGO); first: it looks at the first alone; any: at none; inner: as the strategy inside it; one: it makes them one.
 */
export const OBJECTIVE_USES = ['front', 'weights', 'first', 'any', 'inner', 'one'] as const;

/** A strategy as the command line offers it, with the type of its options. */
export interface StrategyDefinition<Options extends object = StrategyOptions> {
  readonly name: string;
  readonly description: string;
  /** Its options with their defaults, in the order of `--help`. */
  readonly defaults: Readonly<Record<string, number | string | boolean>>;
  /** What each option may be, in the same order; no such method: only the defaults are known. */
  rules?(): readonly OptionRule[];
  /**
   * Throws UserError for an unknown option, or a value that breaks the option's rule. A strategy that needs a tool and has
   * none throws UserError when it is asked.
   */
  create(options?: Readonly<Record<string, unknown>>, tools?: ModelTools): Strategy;
  /** The type of its options, for `tpe({ gamma: 0.15 })`; it has no value. */
  readonly options?: Options;
  /** It models the decisions of a space, and refuses one without a tree; absent: any `SearchSpace` will do. */
  readonly needsTree?: true;
  /** It works on the genes of genomes, and refuses a space without them (`SearchSpace.genome`). */
  readonly needsGenome?: true;
  /** How the epochs of its trials rise; undefined, or no such method: all trials have the full fidelity. */
  rungs?(options?: Readonly<Record<string, unknown>>): Rungs | undefined;
}
