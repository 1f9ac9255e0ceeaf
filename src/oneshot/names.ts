/** The names of the one-shot methods, without what they load: settings and help need no more. */

/** Search strategies: the supernet gives an architecture, which is then trained from scratch. */
export const ARCHITECTURE_METHODS = [
  'darts',
  'darts-second-order',
  'beta-darts',
  'darts-pt',
  'snas',
  'gdas',
  'enas',
  'pc-darts',
  'p-darts',
] as const;

/** Estimators: any strategy searches, and its candidates are measured with the supernet's weights. */
export const WEIGHT_METHODS = ['single-path', 'path-dropout', 'smash'] as const;

export type ArchitectureMethod = (typeof ARCHITECTURE_METHODS)[number];
export type WeightMethod = (typeof WEIGHT_METHODS)[number];

export const isArchitectureMethod = (name: string): name is ArchitectureMethod =>
  ARCHITECTURE_METHODS.some((method) => method === name);

type Options = Readonly<Record<string, number | string | boolean>>;

/** The options of a study's one-shot method. */
export function oneShotOptionsOf({
  strategy,
  strategyOptions,
  estimatorOptions,
}: {
  readonly strategy: string;
  readonly strategyOptions: Options;
  readonly estimatorOptions: Options;
}): Options {
  return isArchitectureMethod(strategy) ? strategyOptions : estimatorOptions;
}

/** The one-shot method of a study; undefined: it trains no supernet. */
export function oneShotOf({
  strategy,
  estimator,
}: {
  readonly strategy: string;
  readonly estimator: string;
}): ArchitectureMethod | WeightMethod | undefined {
  return ARCHITECTURE_METHODS.find((name) => name === strategy) ?? WEIGHT_METHODS.find((name) => name === estimator);
}
