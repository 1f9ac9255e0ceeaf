import type { Samples } from '../data/dataset.ts';
import { type TrainingBatches, trainingBatches } from './batches.ts';
import { openTraining, shorterLengths, type TrainRequest, VALID_BATCH } from './loop.ts';
import { someSamples } from './samples.ts';
import type { Trainable } from './trainable.ts';

/** What training a network will take on this machine. */
export interface Forecast {
  /** Memory of its programs, their state and their batches; see `programBytes` for its accuracy. */
  readonly memoryBytes: number;
  readonly compileSeconds: number;
  /** Training steps and the rest, as they were while this was measured. */
  readonly epochSeconds: number;
  /** The part of an epoch that does not grow with its samples: validation, and what a one-shot method does besides. */
  readonly restSeconds: number;
  /** Of training, and of measuring, one sample; 0 where there are no validation samples. */
  readonly sampleSeconds: number;
  readonly measureSeconds: number;
}

/** Steps that are enough for a median without the first, which also fills the runtime's memory; short ones vary more, and go on for a time. */
const STEPS = 4;
const MOST_STEPS = 50;
const ENOUGH_MS = 100;
/** For measuring all validation samples. */
const LITTLE_SECONDS = 10;

/**
 * Looks at a training before it begins: compiles it, trains an epoch of a few steps with a batch of validation samples, measures
 * more of them, then disposes of everything (except programs that the request keeps). Throws as `openTraining`
 * and `Training.epoch` do: MemoryShortage before anything has been compiled.
 */
export async function preflight(request: TrainRequest): Promise<Forecast> {
  const { info, settings, data, task } = request;
  const { lengthOf: _, ...train } = request.train;
  const whole = await forecastOf({ ...request, train }, openTraining);
  const batches = trainingBatches(request.train, info, settings, data, task);
  return withLengths(whole, batches, shorterLengths(request, batches));
}

/** What programs for shorter samples change, if a step's time and memory grow with their length: those of attention grow faster. */
function withLengths(whole: Forecast, batches: TrainingBatches, shorter: readonly number[]): Forecast {
  const longest = batches.lengths.at(-1);
  if (shorter.length === 0 || longest === undefined) return whole;
  const share = batches.meanLength / longest;
  const { memoryBytes, compileSeconds, epochSeconds, restSeconds, sampleSeconds } = whole;
  return {
    ...whole,
    memoryBytes: shorter.reduce((sum, length) => sum + (memoryBytes * length) / longest, memoryBytes),
    compileSeconds: compileSeconds * (1 + shorter.length),
    epochSeconds: restSeconds + share * (epochSeconds - restSeconds),
    sampleSeconds: share * sampleSeconds,
  };
}

/** What a request of any training must have to be looked at before it begins. */
type Watched = Pick<TrainRequest, 'valid' | 'now' | 'onStep' | 'settings'>;

/** A training that says what it takes. */
type Opened = Pick<Trainable, 'epoch' | 'measure' | 'dispose'> & {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly memoryBytes: number;
};

/** The same for any training that `open` opens, such as that of a supernet. */
export async function forecastOf<Request extends Watched>(
  request: Request,
  open: (request: Request) => Promise<Opened>,
): Promise<Forecast> {
  const now = request.now ?? (() => performance.now());
  const { valid } = request;
  const few = Math.min(valid?.count ?? 0, Math.max(request.settings.batchSize, VALID_BATCH));
  const ends: number[] = [];
  const began = now();
  const training = await open({
    ...request,
    ...(valid && few > 0 && { valid: someSamples(valid, few, true) }),
    onStep() {
      ends.push(now());
      const isLong = now() - (ends[0] ?? 0) >= ENOUGH_MS;
      return ends.length < STEPS || (ends.length < MOST_STEPS && !isLong);
    },
  });
  try {
    const opened = now();
    await training.epoch();
    const last = ends.at(-1) ?? now();
    const besides = (now() - last) / 1000;
    const steps = ends.map((end, i) => (end - (ends[i - 1] ?? opened)) / 1000);
    const step = median(steps.length > 1 ? steps.slice(1) : steps);
    const { ofFew, ofAll } =
      valid && few > 0 ? await secondsToMeasure(valid, few, training, now) : { ofFew: 0, ofAll: 0 };
    const restSeconds = Math.max(0, besides - ofFew) + ofAll;
    return {
      memoryBytes: training.memoryBytes,
      compileSeconds: (opened - began) / 1000,
      epochSeconds: training.stepsPerEpoch * step + restSeconds,
      restSeconds,
      sampleSeconds: step / training.batchSize,
      measureSeconds: ofAll / Math.max(1, valid?.count ?? 0),
    };
  } finally {
    await training.dispose();
  }
}

/**
 * All of them are measured if that takes little time. Otherwise the time is a line through those of few and of more samples: some
 * measurements have a part that does not grow with the samples, such as batch norm's statistics of a path.
 */
async function secondsToMeasure(samples: Samples, few: number, { measure }: Opened, now: () => number) {
  const secondsOf = async (count: number) => {
    const began = now();
    await measure(someSamples(samples, count, true));
    return (now() - began) / 1000;
  };
  const ofFew = await secondsOf(few);
  if (ofFew * (samples.count / few) <= LITTLE_SECONDS) return { ofFew, ofAll: await secondsOf(samples.count) };
  const more = Math.min(samples.count, 4 * few);
  const each = more > few ? Math.max(0, (await secondsOf(more)) - ofFew) / (more - few) : 0;
  return { ofFew, ofAll: ofFew + each * (samples.count - few) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
