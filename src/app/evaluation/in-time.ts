import { invalid } from '../../common/errors.ts';
import type { RunTime } from '../../study/plan.ts';
import type { EvaluateOptions } from './evaluate.ts';
import type { EvaluationRecord } from './evaluation.ts';

/** Kept for tests and for the last lines of an evaluation. */
const CLOSING_SECONDS = 3;

/**
 * The time of each training of an evaluation that has a time limit as a whole. `used`: until now. Throws UserError where nothing is left
 * for them.
 */
export function timeOfEach(limit: {
  readonly seconds: number;
  readonly used: number;
  readonly startSeconds: number;
  readonly baselineSeconds: number;
  readonly trainings: number;
  readonly workers: number;
}): number {
  const { seconds, used, startSeconds, baselineSeconds, trainings, workers } = limit;
  const rounds = Math.ceil(trainings / workers);
  const overhead = used + startSeconds + baselineSeconds + CLOSING_SECONDS;
  const each = (seconds - overhead) / rounds;
  if (each >= 1) return each;
  const rule = `must be at least ${Math.ceil(overhead + rounds)}s for ${trainings} trainings; lower --seeds, or use --no-baselines`;
  throw invalid('--time', `${seconds}s`, rule);
}

/** What the final phase of a run with a time limit is made of. */
export interface FinalPhase {
  readonly time: RunTime;
  /** Seconds of the whole command so far. */
  elapsed(): number;
  /** How long it takes until a final training begins: a process starts and reads the data. */
  readonly startSeconds: number;
  /** That the first final training should have: it takes the place of a model that a trial has trained. */
  readonly leastSeconds: number;
  readonly options: EvaluateOptions;
  readonly baselines: number;
  readonly workers: number;
  evaluate(options: EvaluateOptions): Promise<EvaluationRecord>;
  /** After the first final training. */
  export(): Promise<void>;
}

/** By this share of its time a run may end late, rather than with a model that is worse than the one of its search. */
const LATE = 0.04;
/** A training that is like one before may take this much longer. */
const SLACK = 1.2;

/**
 * One final training with all the time that is left, and the export; then, where it left some (because more epochs are of no use), further
 * seeds, and after them the hand-designed baselines. Trainings that are done are kept by `evaluate`.
 */
export async function evaluateInTime(phase: FinalPhase): Promise<EvaluationRecord> {
  const { time, options, baselines, workers, startSeconds, elapsed } = phase;
  const left = () => time.seconds - time.closingSeconds - time.baselineSeconds - elapsed();
  const began = elapsed();
  const planned = left() - startSeconds;
  // A search that ended late leaves too little: then baselines wait, and the run may end a little late, too.
  const least = Math.min(phase.leastSeconds, planned + time.baselineSeconds + LATE * time.seconds);
  const seconds = Math.max(1, planned, least);
  const { mostEpochs } = time;
  const one: EvaluateOptions = { ...options, seeds: 1, baselines: false, time: { seconds, mostEpochs } };
  let record = await phase.evaluate(one);
  const took = SLACK * (elapsed() - began);
  await phase.export();
  const rounds = (trainings: number) => took * Math.ceil(trainings / workers);
  const limit = (trainings: number) => {
    const each = (left() - startSeconds) / Math.ceil(trainings / workers);
    return { seconds: Math.max(1, Math.min(seconds, each)), mostEpochs };
  };
  if (options.seeds > 1 && left() > rounds(options.seeds - 1))
    record = await phase.evaluate({ ...one, seeds: options.seeds, time: limit(options.seeds - 1) });
  const { length: seeds } = record.seeds;
  if (options.baselines && baselines > 0 && left() > rounds(seeds * baselines))
    record = await phase.evaluate({ ...one, seeds, baselines: true, time: limit(seeds * baselines) });
  return record;
}
