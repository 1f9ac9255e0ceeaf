import { DataError, messageOf, UserError } from '../../common/errors.ts';
import { FREEREA } from '../../common/metrics.ts';
import { rng } from '../../common/random.ts';
import type { Space } from '../../space/space.ts';
import { sample } from '../../space/tree/vary.ts';
import { TrainingFailure } from '../../train/failure.ts';
import { type Estimator, TrialFailure } from '../estimator.ts';
import { freereaScore } from './ensemble.ts';
import { openProxies, PROXIES, type Proxies, type ProxyName, type ProxyOptions, type ProxyScores } from './measure.ts';
import { shareOfSteps } from './speed.ts';

export interface ProxyEstimatorOptions extends ProxyOptions {
  /** Also FreeREA's score of three proxies, metric `freerea`, normalized by this many random architectures; 0 (default): without it. */
  readonly freereaSample?: number;
  /** Seconds that a training will have: `freerea` is weighed by the steps that fit, at the `speed` of each candidate. */
  readonly trainSeconds?: number;
}

/** An estimator that has programs to dispose of. */
export interface ProxyEstimator extends Estimator {
  dispose(): Promise<void>;
}

/**
 * Estimates a candidate by zero-cost proxies: no training, one look. A metric for each proxy (`PROXIES`), more being better for all of
 * them. One report, at the fidelity's epochs, without a checkpoint; data share, resolution and width of the fidelity are not used. The weights
 * and samples are those that the options' seed names, the same in every trial. Candidates are measured one after another; one space's
 * programs are kept until candidates of another come.
 */
export function proxyEstimator({ freereaSample = 0, trainSeconds, ...options }: ProxyEstimatorOptions): ProxyEstimator {
  const clock = options.now ?? (() => performance.now());
  const asked: readonly ProxyName[] = options.proxies ?? PROXIES;
  const timed: readonly ProxyName[] = trainSeconds === undefined ? [] : ['speed'];
  const needed = freereaSample > 0 ? [...new Set([...asked, ...FREEREA, ...timed])] : asked;
  let opened: { readonly space: Space; readonly proxies: Proxies; readonly combine: Combine } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function proxiesOf(space: Space) {
    if (opened?.space !== space) {
      await opened?.proxies.dispose();
      const proxies = openProxies(space, { ...options, proxies: needed });
      opened = { space, proxies, combine: combiner(proxies, space, { ...options, freereaSample, trainSeconds }) };
    }
    return opened;
  }

  return {
    async estimate({ space, architecture }, { fidelity, signal, report }) {
      const turn = last.then(async () => {
        signal.throwIfAborted();
        const start = clock();
        try {
          const { proxies, combine } = await proxiesOf(space);
          const scores = await proxies.measure(architecture);
          return { scores: { ...scores, ...(await combine(scores)) }, seconds: (clock() - start) / 1000 };
        } catch (error) {
          throw cannotBeBuilt(error) ? new TrialFailure(messageOf(error), { cause: error }) : error;
        }
      });
      last = turn.catch(() => {});
      const { scores, seconds } = await turn;
      const point = { step: fidelity.epochs, metrics: scores, seconds };
      await report(point, undefined); // It ends whatever the answer.
      signal.throwIfAborted();
      return { state: 'complete', metrics: scores, curve: [point], seconds };
    },
    async dispose() {
      await last;
      await opened?.proxies.dispose();
      opened = undefined;
    },
  };
}

/** It is the candidate's fault. */
const cannotBeBuilt = (error: unknown) =>
  error instanceof TrainingFailure || (error instanceof UserError && !(error instanceof DataError));

interface CombinerOptions {
  readonly freereaSample: number;
  readonly trainSeconds: number | undefined;
  readonly seed?: number;
}

type Combine = (scores: ProxyScores) => Promise<{ readonly freerea?: number }>;

/**
 * FreeREA's score, normalized by architectures that are measured when the score is first requested, and weighed by the steps that fit where
 * trainings have `trainSeconds`.
 */
function combiner(
  proxies: Proxies,
  space: Space,
  { freereaSample: count, trainSeconds: seconds, seed = 0 }: CombinerOptions,
): Combine {
  if (count === 0) return async () => ({});
  let score: ((scores: ProxyScores) => number) | undefined;
  return async (scores) => {
    if (score === undefined) {
      const found: ProxyScores[] = [];
      for (let i = 0; i < count; i++) {
        try {
          found.push(await proxies.measure(sample(space, rng('proxies', seed, 'sample', i)), FREEREA));
        } catch (error) {
          // Some members of a space cannot be built.
          if (!cannotBeBuilt(error)) throw error;
        }
      }
      score = freereaScore(found);
    }
    const share = seconds === undefined ? 1 : shareOfSteps(seconds * (scores.speed ?? Number.NaN));
    return { freerea: share * score(scores) };
  };
}
