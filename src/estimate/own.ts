import type { Objective } from '../common/metrics.ts';
import { defaultsOf, type OptionSpecs, type OptionsBy, type OptionValues, optionsBy } from '../common/options.ts';
import type { SearchData } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import type { Space } from '../space/space.ts';
import type { TrainSettings } from '../train/settings.ts';
import type { Estimator } from './estimator.ts';

/** What an estimator is opened with, in the process that it works in. */
export interface EstimatorContext {
  readonly space: Space;
  /** Training and validation samples; nothing of the test samples can be reached. */
  readonly data: SearchData;
  readonly training: TrainSettings;
  /** What its metrics must hold, costs aside. */
  readonly objectives: readonly Objective[];
  readonly seed: number;
  /** Bytes that this process may take. */
  readonly memoryBytes: number;
  /** The study's engine, opened at the first call. */
  engine(): Promise<Engine>;
}

/** An estimator as the command line takes it from a file. */
export interface EstimatorDefinition {
  readonly name: string;
  readonly description: string;
  /** Its options with their defaults. */
  readonly defaults: OptionValues;
  /** Throws UserError for an option that it does not have. */
  checkOptions(options: Readonly<Record<string, unknown>>): void;
  open(context: EstimatorContext, options?: Readonly<Record<string, unknown>>): Promise<Estimator>;
}

/** What `defineEstimator` is given. */
export interface OwnEstimator<D extends OptionSpecs> {
  readonly name: string;
  /** One sentence. */
  readonly description?: string;
  /** Its options with their defaults, and rules where they have some; `--estimator-options` sets them. */
  readonly defaults?: D;
  open(context: EstimatorContext, options: OptionsBy<D>): Estimator | Promise<Estimator>;
}

/**
 * An estimator of your own, as a file exports it: `netsmith search --estimator ./mine.ts`. `checkEstimator` says whether it keeps
 * the rules of an estimator.
 */
export function defineEstimator<const D extends OptionSpecs = Record<never, never>>({
  name,
  description = '',
  defaults,
  open,
}: OwnEstimator<D>): EstimatorDefinition {
  const specs = Object.freeze({ ...defaults }) as D;
  const checked = (options: Readonly<Record<string, unknown>>) => optionsBy(specs, options, `estimator "${name}"`);
  return Object.freeze({
    name,
    description,
    defaults: defaultsOf(specs),
    checkOptions: (options: Readonly<Record<string, unknown>>) => void checked(options),
    open: async (context: EstimatorContext, options: Readonly<Record<string, unknown>> = {}) =>
      open(context, checked(options)),
  });
}
