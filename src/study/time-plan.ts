import { UserError } from '../common/errors.ts';

/** Epochs in all that are likely to fit into a limit, where `done` of them took `seconds`; `most` before the first. */
export function likelyEpochs(limit: number, most: number, done: number, seconds: number): number {
  if (done === 0) return most;
  return Math.max(done, Math.min(most, Math.round((done * limit) / Math.max(seconds, 1e-3))));
}

/** What a time plan is made from; all seconds but those of the command are measured on this machine and these data. */
export interface TimePlanRequest {
  /** Of the whole command. */
  readonly seconds: number;
  /** Of the command until now. */
  readonly used: number;
  /** To start a process that has the data. */
  readonly startSeconds: number;
  /** How many times slower than usual this machine starts a process: it is busy, and exports and reports as slowly. 1 by default. */
  readonly slowness?: number;
  /** To compile a network: the hand-designed one that leads. */
  readonly compileSeconds: number;
  /** To train that network on one sample, and to measure it on one. */
  readonly sampleSeconds: number;
  readonly measureSeconds: number;
  /** Samples of each part. */
  readonly counts: { readonly train: number; readonly valid: number; readonly test: number };
  /** Passes over the training samples that more time would not be used for. */
  readonly mostPasses: number;
  /** Trials at the same time. */
  readonly workers: number;
  readonly batchSize: number;
  /** A table: boosted trees are strong there, and get more time. */
  readonly isTable: boolean;
  /** A one-shot method searches: it trains a supernet, and then a first model of what that derives. */
  readonly hasSupernet?: boolean;
}

/**
 * What the time of a `run` goes to. full: trials train as long as the final network will. short: the search has a share of the time, and
 * its trials have the same few passes over the data. none: the time is only enough for one network, a hand-designed one. supernet: half of the
 * time is for a supernet and a first model of what it derives.
 */
export interface TimePlan {
  readonly search: 'full' | 'short' | 'none' | 'supernet';
  /** From the beginning of the command to the end of the search. */
  readonly searchUntil: number;
  /** Of search alone. */
  readonly searchSeconds: number;
  /** Candidates that about fit. */
  readonly candidates: number;
  /** The limit of each trial. */
  readonly trialSeconds: number;
  /** Epochs that a trial has at most. */
  readonly trialEpochs: number;
  /** Best candidates that are trained again with another seed before one is chosen. */
  readonly confirm: number;
  /** That the final training about has. */
  readonly finalSeconds: number;
  /** Kept for baselines without a network: linear, nearest neighbor, trees. */
  readonly baselineSeconds: number;
  /** Kept for the export and the report. */
  readonly closingSeconds: number;
  /** Training samples in an epoch: what is reported, and can be resumed, at once. */
  readonly epochSamples: number;
  /** Epochs that the final training has at most. */
  readonly mostEpochs: number;
  /** Validation samples that trials are measured on. */
  readonly validSamples: number;
}

/** Trials that a search should have room for. */
const CANDIDATES = 10;
/** With room for fewer short trials, or full ones on a table, all of the time goes to one hand-designed network. */
const FEWEST_CANDIDATES = 6;
/**
 * A trial of fewer steps, or of fewer passes over small data, or of less than a pass, says too little of a network: after a short training
 * a small network is ahead of a larger one that would win in the end.
 */
const FEWEST = { steps: 1000, passes: 10 };
/** What a search of short trials gets. */
const SEARCH_SHARE = 0.3;
/** What a supernet gets, together with the first model of what it derives; and that model's part of it. */
const SUPERNET_SHARE = 0.5;
const DERIVED_SHARE = 0.15;
/** What the one trial gets where there is no search: enough for a first model. */
const FIRST_SHARE = 0.04;
/** Epochs of a short trial. */
const SHORT_EPOCHS = 4;
/** How much longer than the leading network a candidate may take for them; a slower one is cut short. */
const SLOWER = 1.25;
const CONFIRM = 3;
/** With trials of full length, time is kept for this many final trainings. */
const FINAL_SEEDS = 3;
/** How much longer a larger network may train than the one that was measured. */
const LARGER = 2;
const VALID_SAMPLES = 5000;
/** Where trainings end early (`patience`), they have at least about this many epochs: it is decided after one. */
const EPOCHS_OF_TABLE = 20;

/** Steps after which a larger network is ahead of a smaller one that is trained for the same time. */
const ENOUGH_STEPS = 6000;

/** Whether a training of these seconds is long enough for a network: that many steps, or all the passes that are of use. */
export function isEnough(
  seconds: number,
  {
    sampleSeconds,
    batchSize,
    mostPasses,
    train,
  }: { readonly [name in 'sampleSeconds' | 'batchSize' | 'mostPasses' | 'train']: number },
): boolean {
  return seconds >= Math.min(ENOUGH_STEPS * batchSize, mostPasses * train) * sampleSeconds;
}

/** Throws UserError, with the seconds that are needed, where not even one training fits. */
export function planTime(request: TimePlanRequest): TimePlan {
  const { seconds, used, startSeconds, compileSeconds, sampleSeconds, measureSeconds, counts, mostPasses } = request;
  const { workers, batchSize, slowness = 1 } = request;
  const closingSeconds = 2 * slowness + compileSeconds + 0.005 * seconds;
  const baselineSeconds = request.isTable ? Math.min(60, 0.15 * seconds) : Math.min(30, 0.03 * seconds);
  const testSeconds = counts.test * measureSeconds;
  const overhead = used + 2 * startSeconds + closingSeconds + baselineSeconds + testSeconds;
  const available = seconds - overhead;
  const least = 2 * (compileSeconds + Math.max(0.5, 2 * batchSize * sampleSeconds));
  if (available < least)
    throw new UserError(
      `--time: ${seconds} s; must be at least ${Math.ceil(overhead + least)} s for these data on this machine: ${[
        `${(used + 2 * startSeconds).toFixed(1)} s to read the data and to start`,
        `${least.toFixed(1)} s for the shortest trainings`,
        `${(closingSeconds + baselineSeconds + testSeconds).toFixed(1)} s for tests, export and report`,
      ].join(', ')}`,
    );

  const pass = counts.train * sampleSeconds;
  const full = compileSeconds + mostPasses * pass;
  const finals = Math.min(0.3 * available, FINAL_SEEDS * LARGER * full) + (CONFIRM / workers) * full;
  const isFull = workers * (available - finals) >= (request.isTable ? FEWEST_CANDIDATES : CANDIDATES) * full;
  const samples = Math.min(FEWEST.steps * batchSize, FEWEST.passes * counts.train);
  const shortest = compileSeconds + Math.max(pass, samples * sampleSeconds);
  // What the final training cannot use is for the search.
  const ofShort = Math.max(SEARCH_SHARE * available, available - LARGER * full);
  const fitting = Math.min(CANDIDATES, Math.floor((workers * ofShort) / shortest));
  // Many networks overfit a table, which a short trial does not show.
  const search = request.hasSupernet
    ? 'supernet'
    : isFull
      ? 'full'
      : fitting >= FEWEST_CANDIDATES && !request.isTable
        ? 'short'
        : 'none';
  const searchSeconds = {
    full: available - finals,
    short: ofShort,
    none: Math.max(FIRST_SHARE * available, least / 2),
    supernet: SUPERNET_SHARE * available,
  }[search];
  const candidates = { full: Math.floor((workers * searchSeconds) / full), short: fitting, none: 1, supernet: 1 }[
    search
  ];
  const trialSeconds = {
    full: LARGER * full,
    short: (SLOWER * workers * searchSeconds) / fitting,
    none: searchSeconds,
    supernet: Math.max(DERIVED_SHARE * searchSeconds, least / 2),
  }[search];
  // An epoch of a short trial is a quarter of it, of a full one a pass, but none is so short that reporting it costs more.
  const samplesPerSecond = 1 / sampleSeconds;
  const ofTrial =
    ((trialSeconds / (search === 'short' ? SLOWER : 1) - compileSeconds) / SHORT_EPOCHS) * samplesPerSecond;
  const ofTraining = (mostPasses * counts.train) / (request.isTable ? EPOCHS_OF_TABLE : 1);
  const atLeast = Math.max(batchSize, Math.min(0.2 * samplesPerSecond, ofTraining));
  const wanted =
    search === 'full' ? Math.max(counts.train, atLeast) : Math.min(counts.train, Math.max(ofTrial, batchSize));
  const epochSamples = Math.max(1, Math.round(wanted / batchSize)) * batchSize;
  const mostEpochs = Math.max(1, Math.round((mostPasses * counts.train) / epochSamples));
  const affordable = (0.2 * epochSamples * sampleSeconds) / measureSeconds;
  return {
    search,
    searchUntil: used + startSeconds + searchSeconds,
    searchSeconds,
    candidates,
    trialSeconds,
    trialEpochs: search === 'short' ? SHORT_EPOCHS : mostEpochs,
    confirm: search === 'full' && counts.valid > 0 ? CONFIRM : 0,
    finalSeconds: search === 'full' ? full : available - searchSeconds,
    baselineSeconds,
    closingSeconds: closingSeconds + testSeconds,
    epochSamples,
    mostEpochs,
    validSamples: Math.round(Math.min(counts.valid, VALID_SAMPLES, Math.max(500, affordable))),
  };
}
