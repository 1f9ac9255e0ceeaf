import { z } from 'zod';
import { invalid, UserError } from '../common/errors.ts';
import { agingEvolution } from './aging-evolution.ts';
import { exhaustiveSearch } from './exhaustive.ts';
import { randomSearch } from './random.ts';
import type { Strategy } from './strategy.ts';

export type * from './strategy.ts';

/** A strategy as the command line offers it. */
export interface StrategyDefinition {
  readonly name: string;
  readonly description: string;
  /** Its options with their defaults, in the order of `--help`. */
  readonly defaults: Readonly<Record<string, number | string | boolean>>;
  /** Throws UserError for an unknown option, or a value that breaks the option's rule. */
  create(options?: Readonly<Record<string, unknown>>): Strategy;
}

const evolutionOptions = z
  .strictObject({
    population: z.int().min(1).default(50),
    sample: z.int().min(1).default(10),
  })
  .refine(({ population, sample }) => sample <= population, 'sample must be at most population');

export const STRATEGIES = {
  random: define('random', 'Uniform samples of the space, with replacement.', z.strictObject({}), randomSearch),
  exhaustive: define(
    'exhaustive',
    'Every architecture of a countable space, in order.',
    z.strictObject({}),
    exhaustiveSearch,
  ),
  'aging-evolution': define(
    'aging-evolution',
    'Mutations of the best of a small sample; the oldest of the population dies (Real et al. 2019).',
    evolutionOptions,
    agingEvolution,
  ),
} as const satisfies Readonly<Record<string, StrategyDefinition>>;

/** The strategy of that name. Throws UserError for an unknown name or a wrong option. */
export function createStrategy(name: string, options?: Readonly<Record<string, unknown>>): Strategy {
  const known: Readonly<Record<string, StrategyDefinition>> = STRATEGIES;
  const definition = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!definition)
    throw invalid(`strategy "${name}"`, 'is not known', `the strategies are ${Object.keys(known).join(', ')}`);
  return definition.create(options);
}

function define<Options extends Readonly<Record<string, number | string | boolean>>>(
  name: string,
  description: string,
  schema: z.ZodType<Options>,
  factory: (options: Options) => Strategy,
): StrategyDefinition {
  return {
    name,
    description,
    defaults: schema.parse({}),
    create(options = {}) {
      const parsed = schema.safeParse(options);
      if (parsed.success) return factory(parsed.data);
      throw refusal(name, options, parsed.error);
    },
  };
}

/** `strategy "aging-evolution": option population is 0; Too small: expected number to be >=1` */
function refusal(name: string, options: Readonly<Record<string, unknown>>, error: z.ZodError): UserError {
  const issue = error.issues[0];
  if (!issue) return new UserError(`strategy "${name}": ${error.message}`);
  if (issue.code === 'unrecognized_keys')
    return invalid(`strategy "${name}"`, `option ${issue.keys[0]} is not known`, 'see netsmith search --help');
  const option = issue.path[0];
  const found =
    option === undefined
      ? JSON.stringify(options)
      : `option ${String(option)} is ${JSON.stringify(options[String(option)])}`;
  return invalid(`strategy "${name}"`, found, issue.message);
}
