import { bootstrapInterval, kendall } from '../common/correlation.ts';
import type { Fidelity } from '../common/fidelity.ts';
import type { Objective } from '../common/metrics.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { measured } from './ranking.ts';
import type { Trial } from './store/store.ts';

/** How alike two looks at the same architectures rank them. */
export interface Agreement {
  /** The cheaper look, and the better one: `params`, `after 2 of 8 epochs` and `after 8 epochs`; `one training` (or `shared weights`) and `confirmations`. */
  readonly estimate: string;
  readonly truth: string;
  /** Architectures that had both. */
  readonly pairs: number;
  /** Kendall's tau-b, -1 to 1. */
  readonly tau: number;
  /** The middle 95 % of it over bootstrap samples. */
  readonly interval: readonly [low: number, high: number];
}

/** Known without any training: the zero-cost proxies that every study has. */
const COSTS = ['params', 'flops'] as const;
/** Fewer pairs say nothing. */
const LEAST_PAIRS = 4;
/** More than these, evenly chosen, would only take longer. */
const MOST_PAIRS = 150;

/**
 * The rank correlation of what a study's estimates say with the best information that it has of the same architectures, by the first
 * objective. For full trainings, parameters and FLOPs (more being better), and what was measured at each lower fidelity of epochs
 * (with one fidelity: half-way through); of confirmed architectures, their searched values against the means of their confirmations. Architectures that were stopped
 * early, or not confirmed, are missing: among those that continued, differences are smaller, and so is the correlation.
 */
export function agreementsOf(
  trials: readonly Trial[],
  [objective]: readonly [Objective, ...Objective[]],
  fidelities: readonly Fidelity[],
): readonly Agreement[] {
  const { metric } = objective;
  const searched = trials.filter(({ purpose }) => purpose === 'search');
  const byNumber = new Map(searched.map((trial) => [trial.trial, trial]));
  const top = fidelities.length - 1;
  const full = searched.filter(({ state, fidelity }) => state === 'complete' && fidelity === top);
  const epochs = fidelities[top]?.epochs ?? 0;
  const lower = fidelities
    .slice(0, top)
    .flatMap((fidelity) => (isShorter(fidelity, fidelities[top]) ? fidelity.epochs : []));
  const steps = top === 0 && epochs > 1 ? [Math.floor(epochs / 2)] : lower;

  const sign = objective.direction === 'maximize' ? 1 : -1;
  const costs = COSTS.filter((cost) => cost !== metric).map((cost) => {
    const pairs = full.flatMap((trial) => pair(trial.costs[cost], sign * (measured(trial)[metric] ?? Number.NaN)));
    return agreement(cost, `after ${showEpochs(epochs)}`, pairs);
  });
  const early = steps.map((step) => {
    const pairs = full.flatMap((trial) => pair(valueAt(trial, step), measured(trial)[metric]));
    return agreement(`after ${step} of ${showEpochs(epochs)}`, `after ${showEpochs(epochs)}`, pairs);
  });
  const again = agreementOfConfirmed(
    trials.filter(({ purpose, fidelity }) => purpose === 'confirm' || fidelity === top),
    objective,
    'one training',
  );
  return [...costs, ...early, again].filter((one) => one !== undefined);

  /** At that epoch, also where the trial continues others. */
  function valueAt(trial: Trial, step: number): number | undefined {
    const point = trial.curve.find((one) => one.step === step);
    if (point) return point.metrics[metric];
    const source = trial.start.kind === 'continue' ? byNumber.get(trial.start.trial) : undefined;
    return source && valueAt(source, step);
  }
}

/**
 * How what a search said of confirmed architectures ranks them, by the means of their confirmations; undefined for fewer than four. `estimate`
 * names what the search said: `one training`, `shared weights`.
 */
export function agreementOfConfirmed(
  trials: readonly Trial[],
  { metric }: Objective,
  estimate: string,
): Agreement | undefined {
  const complete = trials.filter(({ state }) => state === 'complete');
  const byArchitecture = (purpose: Trial['purpose']) =>
    Map.groupBy(
      complete.filter((trial) => trial.purpose === purpose),
      ({ architecture }) => architectureKey(architecture),
    );
  const known = byArchitecture('search');
  const meanOf = (results: readonly Trial[] = []) => mean(results.map((trial) => measured(trial)[metric]));
  const pairs = [...byArchitecture('confirm')].flatMap(([key, repeats]) =>
    pair(meanOf(known.get(key)), meanOf(repeats)),
  );
  return agreement(estimate, 'confirmations', pairs);
}

const showEpochs = (epochs: number) => (epochs === 1 ? '1 epoch' : `${epochs} epochs`);

/** Differs in its epochs alone. */
function isShorter(fidelity: Fidelity, full: Fidelity | undefined): boolean {
  return JSON.stringify({ ...fidelity, epochs: full?.epochs }) === JSON.stringify({ ...full, epochs: full?.epochs });
}

type Pair = readonly [estimate: number, truth: number];

function pair(estimate: number | undefined, truth: number | undefined): Pair[] {
  return Number.isFinite(estimate) && Number.isFinite(truth) ? [[Number(estimate), Number(truth)]] : [];
}

function mean(values: readonly (number | undefined)[]): number {
  return values.reduce<number>(
    (sum, value) => sum + (value ?? Number.NaN) / values.length,
    values.length ? 0 : Number.NaN,
  );
}

function agreement(estimate: string, truth: string, all: readonly Pair[]): Agreement | undefined {
  const every = Math.max(1, all.length / MOST_PAIRS);
  const some = all.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every));
  const [a, b] = [some.map(([one]) => one), some.map(([, other]) => other)];
  const tau = kendall(a, b);
  if (some.length < LEAST_PAIRS || !Number.isFinite(tau)) return undefined;
  return { estimate, truth, pairs: some.length, tau, interval: bootstrapInterval(kendall, a, b) };
}
