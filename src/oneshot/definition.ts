import type { z } from 'zod';
import { type OptionRule, optionRules } from '../common/option-rules.ts';
import { options as checkOptions, type OptionValues } from '../common/options.ts';
import type { NetworkOnData } from '../train/forward.ts';
import type { Supernet, SupernetRequest } from './supernet.ts';

/** A method of one-shot search, as the command line offers it: how a supernet is trained, and what it is good for then. */
export interface OneShotDefinition {
  readonly name: string;
  readonly description: string;
  /**
   * architecture: each epoch's record has the architecture of the moment (`EpochRecord.mixture`), and the last one is trained from scratch.
   * weights: any strategy searches, and measures its candidates with the supernet's weights.
   */
  readonly finds: 'architecture' | 'weights';
  /** Its options with their defaults, in the order of `--help`. */
  readonly defaults: OptionValues;
  /** What each option may be, in the same order. */
  rules(): readonly OptionRule[];
  /** Throws UserError for an unknown option, or a value that breaks the option's rule. */
  check(options: Readonly<Record<string, unknown>>): OptionValues;
  /** Throws as `check` and `openTraining` do, and UserError for a space that the method cannot search. */
  open(request: SupernetRequest, options: Readonly<Record<string, unknown>>): Promise<Supernet>;
  /**
   * Of a method that finds weights: how a candidate is made of a checkpoint's tensors. By default as a path of the supernet, whose weights it
   * takes by their names. Throws as `check`.
   */
  candidates?(options: Readonly<Record<string, unknown>>): NonNullable<NetworkOnData['choices']>;
  /**
   * Of a method that finds an architecture: why the weights of its supernet do not fit the architecture's own network; undefined: they do.
   * Throws as `check`.
   */
  otherShapes?(options: Readonly<Record<string, unknown>>): string | undefined;
  /** The largest supernet that the method trains, for a forecast of memory and time: that of `open`, unless it trains several. */
  openLargest(request: SupernetRequest, options: Readonly<Record<string, unknown>>): Promise<Supernet>;
}

/** A definition whose options have this schema: plain values, each with a default. */
export function defineOneShot<Options extends OptionValues>(
  { name, description, finds }: Pick<OneShotDefinition, 'name' | 'description' | 'finds'>,
  schema: z.ZodType<Options>,
  open: (request: SupernetRequest, options: Options) => Promise<Supernet>,
  {
    openLargest = open,
    candidates,
    otherShapes,
  }: {
    readonly openLargest?: typeof open;
    readonly candidates?: (options: Options) => NonNullable<NetworkOnData['choices']>;
    readonly otherShapes?: (options: Options) => string | undefined;
  } = {},
): OneShotDefinition {
  const check = (given: Readonly<Record<string, unknown>>) => checkOptions(schema, given, `one-shot method "${name}"`);
  return {
    name,
    description,
    finds,
    defaults: schema.parse({}),
    rules: () => optionRules(schema),
    check,
    ...(candidates && { candidates: (given: Readonly<Record<string, unknown>>) => candidates(check(given)) }),
    ...(otherShapes && { otherShapes: (given: Readonly<Record<string, unknown>>) => otherShapes(check(given)) }),
    open: async (request, given) => open(request, check(given)),
    openLargest: async (request, given) => openLargest(request, check(given)),
  };
}
