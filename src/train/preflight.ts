import type { Samples } from '../data/dataset.ts';
import { openTraining, type TrainRequest, VALID_BATCH } from './loop.ts';
import type { Trainable } from './trainable.ts';

/** What training a network will take on this machine. */
export interface Forecast {
  /** Memory of its programs, their state and their batches; see `programBytes` for its accuracy. */
  readonly memoryBytes: number;
  readonly compileSeconds: number;
  /** Training steps and validation, as they were while this was measured. */
  readonly epochSeconds: number;
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
 * Looks at a training before it begins: compiles it, does its first few steps and measures a batch of the validation
 * samples, then disposes of everything (except programs that the request keeps). Throws as `openTraining`
 * and `Training.epoch` do: MemoryShortage before anything has been compiled.
 */
export function preflight(request: TrainRequest): Promise<Forecast> {
  return forecastOf(request, openTraining);
}

/** What a request of any training must have to be looked at before it begins. */
type Watched = Pick<TrainRequest, 'valid' | 'signal' | 'now' | 'onStep'>;

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
  const enough = new AbortController();
  const ends: number[] = [];
  const began = now();
  const training = await open({
    ...request,
    signal: AbortSignal.any([enough.signal, ...(request.signal === undefined ? [] : [request.signal])]),
    onStep() {
      ends.push(now());
      const isLong = now() - (ends[0] ?? 0) >= ENOUGH_MS;
      if (ends.length >= MOST_STEPS || (ends.length >= STEPS && isLong)) enough.abort(enough);
    },
  });
  try {
    const compileSeconds = (now() - began) / 1000;
    const valid = request.valid === undefined ? 0 : await secondsToMeasure(request.valid, training, now);
    ends.push(now());
    await training.epoch().catch((error: unknown) => {
      if (error !== enough) throw error;
    });
    const steps = ends.slice(1).map((end, i) => (end - (ends[i] ?? Number.NaN)) / 1000);
    const step = median(steps.length > 1 ? steps.slice(1) : steps);
    return {
      memoryBytes: training.memoryBytes,
      compileSeconds,
      epochSeconds: training.stepsPerEpoch * step + valid,
      sampleSeconds: step / training.batchSize,
      measureSeconds: valid / Math.max(1, request.valid?.count ?? 0),
    };
  } finally {
    await training.dispose();
  }
}

/**
 * All of them are measured if that takes little time. Otherwise the time is a line through those of few and of more samples: some
 * measurements have a part that does not grow with the samples, such as batch norm's statistics of a path.
 */
async function secondsToMeasure(samples: Samples, { measure, batchSize }: Opened, now: () => number): Promise<number> {
  const few = Math.min(samples.count, Math.max(batchSize, VALID_BATCH));
  if (few === 0) return 0;
  const secondsOf = async (count: number) => {
    const began = now();
    await measure({ count, read: (indices, into) => samples.read(indices, into) });
    return (now() - began) / 1000;
  };
  await secondsOf(few);
  const seconds = await secondsOf(few);
  if (seconds * (samples.count / few) <= LITTLE_SECONDS) return secondsOf(samples.count);
  const more = Math.min(samples.count, 4 * few);
  const each = more > few ? Math.max(0, (await secondsOf(more)) - seconds) / (more - few) : 0;
  return seconds + each * (samples.count - few);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
