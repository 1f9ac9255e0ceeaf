import type { Json } from '../common/json.ts';
import { defaultsOf, type OptionSpecs, type OptionsBy, optionsBy } from '../common/options.ts';
import type { ModelTools } from '../model/tools.ts';
import type { StrategyDefinition } from './index.ts';
import type { Strategy } from './strategy.ts';

/** What `defineStrategy` is given. */
export interface OwnStrategy<D extends OptionSpecs, S extends Json = Json> {
  readonly name: string;
  /** One sentence. */
  readonly description?: string;
  /** Its options with their defaults, and rules where they have some; `--strategy-options` sets them. */
  readonly defaults?: D;
  create(options: OptionsBy<D>, tools: ModelTools): Strategy<S>;
}

/**
 * A strategy of your own, as a file exports it: `netsmith search --strategy ./mine.ts`. `checkStrategy` says whether it keeps
 * the rules of a strategy. Its `create` throws UserError for an unknown option, or one of another type than its default.
 */
export function defineStrategy<const D extends OptionSpecs = Record<never, never>, S extends Json = Json>({
  name,
  description = '',
  defaults,
  create,
}: OwnStrategy<D, S>): StrategyDefinition {
  const specs = Object.freeze({ ...defaults }) as D;
  return Object.freeze({
    name,
    description,
    defaults: defaultsOf(specs),
    create: (options: Readonly<Record<string, unknown>> = {}, tools: ModelTools = {}) =>
      create(optionsBy(specs, options, `strategy "${name}"`), tools),
  });
}
