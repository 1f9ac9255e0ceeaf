import { messageOf } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import type { Rng } from '../common/random.ts';
import { type Estimator, TrialFailure } from '../estimate/estimator.ts';
import { type Architecture, type Module, type Space, searchSpaceOf } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Store } from './store/store.ts';
import { inProcessPool } from './worker/in-process.ts';
import type { WorkerPool } from './worker/pool.ts';

/** What a function that judges candidates is given. `A`, `N`: the members of the space and their networks. */
export interface FunctionTrial<A extends Architecture = Architecture, N extends Module | undefined = Module> {
  /** From 0, in the order they were proposed. */
  readonly number: number;
  readonly architecture: A;
  /** The architecture in the space's own notation. */
  readonly text: string;
  /** The network: a tree of modules without choices. Undefined in a space whose members are no networks (no `build`). */
  readonly network: N;
  /** Random streams of this trial, the same at every attempt. */
  rng(...labels: readonly (string | number)[]): Rng;
  /** Aborted when the study is: a function that takes long may end early by it, and its trial waits. */
  readonly signal: AbortSignal;
  /** A note for the user. */
  note(text: string): void;
}

/** Judges a candidate: a value for each of the study's scores. What it throws is the reason why the trial failed. */
export type ObjectiveFunction<A extends Architecture = Architecture, N extends Module | undefined = Module> = (
  trial: FunctionTrial<A, N>,
) => Metrics | Promise<Metrics>;

/**
 * A function for the members of any space. Declared as a method, so that a function for the members of one space is one; the types of
 * `createStudy` ensure that it gets those of its own.
 */
export type Judge = {
  judge(trial: FunctionTrial<Architecture, Module | undefined>): Metrics | Promise<Metrics>;
}['judge'];

/** An estimator that calls a function. `signal`: the caller's own, aborted together with the run's. */
export function functionEstimator(judge: Judge, signal?: AbortSignal): Estimator<Space | SearchSpace> {
  return {
    async estimate({ space, architecture }, run) {
      const began = performance.now();
      const members = 'root' in space ? searchSpaceOf(space) : space;
      const trial: FunctionTrial<Architecture, Module | undefined> = {
        number: run.trial,
        architecture,
        text: members.format(architecture),
        network: members.build?.(architecture),
        rng: run.rng,
        signal: signal === undefined ? run.signal : AbortSignal.any([signal, run.signal]),
        note: (text) => run.note?.(text),
      };
      const metrics = await judged(judge, trial);
      return { state: 'complete', metrics, curve: [], seconds: (performance.now() - began) / 1000 };
    },
  };
}

/** One worker, in this process, that calls a function. */
export function functionWorkers(
  judge: Judge,
  { space }: { readonly space: Space | SearchSpace },
  store: Store,
  signal?: AbortSignal,
): WorkerPool {
  return inProcessPool({ space, estimator: functionEstimator(judge, signal) }, store.artifacts);
}

async function judged(judge: Judge, trial: FunctionTrial<Architecture, Module | undefined>): Promise<Metrics> {
  try {
    const found: unknown = await judge(trial);
    const isRecord = found !== null && typeof found === 'object' && !Array.isArray(found);
    const metrics = Object.entries(isRecord ? found : {}).filter((entry): entry is [string, number] =>
      Number.isFinite(entry[1]),
    );
    return Object.fromEntries(metrics);
  } catch (error) {
    // An interrupted trial waits; it has not failed.
    if (trial.signal.aborted) return new Promise(() => {});
    throw error instanceof Error ? error : new TrialFailure(messageOf(error));
  }
}
