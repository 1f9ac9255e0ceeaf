/** Measured values by name: accuracy, loss, f1, ... */
export type Metrics = Readonly<Record<string, number>>;

/** What is to be made large or small. */
export interface Objective {
  readonly metric: string;
  readonly direction: 'maximize' | 'minimize';
  readonly unit: string;
  /** A measure of the user's own: known before a candidate's trial, as costs are. */
  readonly isMeasure?: boolean;
}

type Vocabulary = Readonly<Record<string, Omit<Objective, 'metric' | 'isMeasure'>>>;

/** What a trained network is measured by. Shares are from 0 to 1 everywhere except in displayed text. */
export const TRAINED_METRICS = {
  accuracy: { direction: 'maximize', unit: 'share' },
  precision: { direction: 'maximize', unit: 'share' },
  recall: { direction: 'maximize', unit: 'share' },
  f1: { direction: 'maximize', unit: 'share' },
  loss: { direction: 'minimize', unit: 'nats' },
  mse: { direction: 'minimize', unit: 'target squared' },
  r2: { direction: 'maximize', unit: 'share' },
  /** Of a language model: the exponential of its loss, and bits for each character of the text. */
  perplexity: { direction: 'minimize', unit: 'tokens' },
  bitsPerCharacter: { direction: 'minimize', unit: 'bits' },
  /** Of a policy, means over episodes: the sum of rewards, the fraction that succeeded, steps until the end, what evolution maximizes. */
  return: { direction: 'maximize', unit: 'reward' },
  success: { direction: 'maximize', unit: 'share' },
  steps: { direction: 'minimize', unit: 'steps' },
  fitness: { direction: 'maximize', unit: 'fitness' },
} as const satisfies Vocabulary;

const SCORE = { direction: 'maximize', unit: 'score' } as const;

/** What an untrained network is measured by (docs/proxies.md). */
export const PROXY_METRICS = {
  freerea: SCORE,
  naswot: SCORE,
  synflow: SCORE,
  logSynflow: SCORE,
  zen: SCORE,
  jacobian: SCORE,
  snip: SCORE,
  gradNorm: SCORE,
  grasp: SCORE,
  fisher: SCORE,
  skipReach: SCORE,
  speed: { direction: 'maximize', unit: 'steps per second' },
} as const satisfies Vocabulary;

/** Measured on a device: of a table, where the setting `latencies` names a file. A measure of the user's own may have such a name. */
export const DEVICE_METRICS = {
  latency: { direction: 'minimize', unit: 'ms' },
  energy: { direction: 'minimize', unit: 'mJ' },
} as const satisfies Vocabulary;

/** The proxies that `freerea` is made of: a trial that has it has them, too. */
export const FREEREA = ['naswot', 'logSynflow', 'skipReach'] as const satisfies readonly (keyof typeof PROXY_METRICS)[];

/** Known before any training, from the architecture alone: `measure/` computes them (docs/measures.md). */
export const COST_METRICS = {
  params: { direction: 'minimize', unit: 'parameters' },
  flops: { direction: 'minimize', unit: 'multiply-accumulates' },
  activationBytes: { direction: 'minimize', unit: 'bytes' },
  modelBytes: { direction: 'minimize', unit: 'bytes' },
  depth: { direction: 'minimize', unit: 'layers' },
  descriptionLength: { direction: 'minimize', unit: 'bits' },
  distinctOperations: { direction: 'minimize', unit: 'operations' },
} as const satisfies Vocabulary;

export type CostName = keyof typeof COST_METRICS;

/** Everything that Netsmith measures. */
export const METRICS = {
  ...TRAINED_METRICS,
  ...PROXY_METRICS,
  ...COST_METRICS,
} as const satisfies Vocabulary;

/** Negative when `a` is better than `b`, for sorting; a missing or non-finite value is worse than any number. */
export function compareBy(objective: Objective, a: Metrics, b: Metrics): number {
  const sign = objective.direction === 'maximize' ? -1 : 1;
  const value = (metrics: Metrics) => {
    const v = metrics[objective.metric];
    return v === undefined || !Number.isFinite(v) ? Number.POSITIVE_INFINITY : sign * v;
  };
  const [va, vb] = [value(a), value(b)];
  return va === vb ? 0 : va < vb ? -1 : 1;
}

/** Whether `a` is better than `b` in one objective and worse in none (Pareto). */
export function dominates(objectives: readonly Objective[], a: Metrics, b: Metrics): boolean {
  const signs = objectives.map((objective) => compareBy(objective, a, b));
  return signs.every((sign) => sign <= 0) && signs.some((sign) => sign < 0);
}
