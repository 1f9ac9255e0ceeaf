import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import { optionRules } from '../../common/option-rules.ts';
import { options as checkOptions } from '../../common/options.ts';
import type { ModelTools } from '../../model/tools.ts';
import type { StrategyDefinition } from '../definition.ts';
import { asha } from '../rising/asha.ts';
import { bohb } from '../rising/bohb.ts';
import type { Rungs } from '../rising/fidelities.ts';
import { hyperband } from '../rising/hyperband.ts';
import { successiveHalving } from '../rising/successive-halving.ts';
import type { Strategy } from '../strategy.ts';
import { constrained } from './constrained.ts';
import { forgiving } from './forgiving.ts';
import { scalarized } from './scalarized.ts';
import { unique } from './unique.ts';

type Options = Readonly<Record<string, unknown>>;

/** What the registry lends to the definitions of strategies that hold another one. */
export interface Registry {
  create(name: string, options: Options, tools: ModelTools | undefined): Strategy;
  rungs(name: string, options: Options): Rungs | undefined;
}

/** How several objectives become one. */
export type ScalarizedOptions = {
  readonly inner: string;
  readonly method: 'weights' | 'chebyshev';
  readonly [weight: `weight.${string}`]: number;
};

const inner = z.string().default('random');
const rungs = {
  eta: z.int().min(2).max(1000).default(3),
  minEpochs: z.int().min(1).max(1_000_000).default(1),
  enough: z.int().min(0).max(1_000_000).default(0),
};
const rising = { inner, ...rungs };
// The type that zod infers contradicts itself: every name would be a number, `inner` and `method` too.
const scalarizedOptions: z.ZodType<ScalarizedOptions> = z
  .object({ inner, method: z.enum(['weights', 'chebyshev']).default('chebyshev') })
  .catchall(z.number().gt(0).max(1_000_000))
  .refine((options) => unknownOption(options) === undefined, 'must have no option but inner, method and weight.METRIC');

const bohbOptions = z.strictObject({
  ...rungs,
  brackets: z.int().min(0).max(1000).default(0),
  random: z
    .number()
    .min(0)
    .max(1)
    .default(1 / 3),
  gamma: z.number().gt(0).lt(1).default(0.15),
  candidates: z.int().min(1).max(10_000).default(64),
});

/**
 * The strategies that hold another one, in the registry's form. Options of the inner strategy begin with `inner.`:
 * `{ inner: 'aging-evolution', 'inner.population': 20 }`.
 */
export function wrapperDefinitions(registry: Registry) {
  return {
    'successive-halving': risingStrategy(
      'successive-halving',
      'Trains many candidates for a few epochs and continues with the best 1/eta in each round (Jamieson & Talwalkar 2016).',
      z.strictObject({
        ...rising,
        candidates: z.int().min(0).max(1_000_000).default(0),
        brackets: z.int().min(0).max(1000).default(0),
      }),
      successiveHalving,
    ),
    hyperband: risingStrategy(
      'hyperband',
      'Successive halving in brackets, from many short trainings to a few long ones (Li et al. 2018).',
      z.strictObject({ ...rising, brackets: z.int().min(0).max(1000).default(0) }),
      hyperband,
    ),
    asha: risingStrategy(
      'asha',
      'Asynchronous successive halving: promotes without waiting, for many workers (Li et al. 2020).',
      z.strictObject({ ...rising, candidates: z.int().min(0).max(1_000_000).default(0) }),
      asha,
    ),
    bohb: {
      name: 'bohb',
      description: 'Hyperband with candidates from a kernel density model (Falkner et al. 2018).',
      defaults: bohbOptions.parse({}),
      rules: () => optionRules(bohbOptions),
      create: (options = {}) => bohb(check('bohb', bohbOptions, options)),
      rungs: (options = {}) => check('bohb', bohbOptions, options),
    } as StrategyDefinition<z.infer<typeof bohbOptions>>,
    unique: wrapper('unique', 'Proposes no architecture twice.', z.strictObject({ inner }), (strategy) =>
      unique(strategy),
    ),
    constrained: wrapper(
      'constrained',
      'Adds limits to a strategy without them, by rejection.',
      z.strictObject({ inner }),
      (strategy) => constrained(strategy),
    ),
    forgiving: wrapper(
      'forgiving',
      'Hides failed trials from a strategy, or reports them with the worst value seen.',
      z.strictObject({ inner, failed: z.enum(['hidden', 'worst']).default('worst') }),
      forgiving,
    ),
    scalarized: wrapper<ScalarizedOptions>(
      'scalarized',
      'Combines several objectives into one by weights (weight.accuracy=2) or Chebyshev, for single-objective strategies.',
      scalarizedOptions,
      (strategy, { inner: _, method, ...others }) => {
        const weights = Object.entries(others).map(([key, weight]) => [key.slice('weight.'.length), Number(weight)]);
        return scalarized(strategy, { method, weights: Object.fromEntries(weights) });
      },
    ),
  } as const;

  /** A strategy with trials of rising fidelity: its candidates come from one that has none. */
  function risingStrategy<O extends Rungs & { readonly inner: string }>(
    name: string,
    description: string,
    schema: z.ZodType<O>,
    factory: (inner: Strategy, options: O) => Strategy,
  ): StrategyDefinition<O> {
    return {
      ...wrapper(name, description, schema, factory, (innerName, options) => {
        if (registry.rungs(innerName, options) !== undefined)
          throw invalid(
            `strategy "${name}"`,
            `option inner is "${innerName}"`,
            'the inner strategy must not be a multi-fidelity strategy',
          );
      }),
      rungs(options = {}) {
        const { eta, minEpochs } = parse(name, schema, options).own;
        return { eta, minEpochs };
      },
    };
  }

  function wrapper<O extends { readonly inner: string }>(
    name: string,
    description: string,
    schema: z.ZodType<O>,
    factory: (inner: Strategy, options: O) => Strategy,
    checkInner: (inner: string, options: Options) => void = () => {},
  ): StrategyDefinition<O> {
    return {
      name,
      description,
      defaults: schema.parse({}) as StrategyDefinition['defaults'],
      rules: () => optionRules(schema),
      create(options = {}, tools) {
        const { own, ofInner } = parse(name, schema, options);
        checkInner(own.inner, ofInner);
        return factory(registry.create(own.inner, ofInner, tools), own);
      },
      rungs(options = {}) {
        const { own, ofInner } = parse(name, schema, options);
        return registry.rungs(own.inner, ofInner);
      },
    };
  }

  /** The options of the strategy itself, and those of the one inside it. */
  function parse<O>(
    name: string,
    schema: z.ZodType<O>,
    options: Options,
  ): { readonly own: O; readonly ofInner: Options } {
    const isInner = (key: string) => key.startsWith('inner.');
    const entries = Object.entries(options);
    const own = Object.fromEntries(entries.filter(([key]) => !isInner(key)));
    const ofInner = entries.filter(([key]) => isInner(key)).map(([key, value]) => [key.slice('inner.'.length), value]);
    return { own: check(name, schema, own), ofInner: Object.fromEntries(ofInner) };
  }

  function check<O>(name: string, schema: z.ZodType<O>, options: Options): O {
    return checkOptions(schema, options, `strategy "${name}"`);
  }
}

function unknownOption(options: object): string | undefined {
  return Object.keys(options).find((key) => key !== 'inner' && key !== 'method' && !key.startsWith('weight.'));
}
