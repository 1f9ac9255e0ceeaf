import { TrainingFailure } from './failure.ts';
import { openTraining, type Training, type TrainRequest } from './loop.ts';

/** What a few steps at a learning rate have shown. */
export interface TriedRate {
  readonly rate: number;
  /** What the loss does; stalls: neither falls nor rises by more than noise. */
  readonly loss: 'falls' | 'stalls' | 'rises';
}

export interface RateProbe {
  /** The rate to train with: that of the settings, unless a smaller one is clearly better. */
  readonly rate: number;
  /** In the order in which they were tried; the first is that of the settings. */
  readonly tried: readonly TriedRate[];
}

/** Enough to see divergence and to average out the noise of batches. */
export const PROBE_STEPS = 30;
/** Fewer steps say nothing. */
export const FEWEST_PROBE_STEPS = 12;

/** Rates to try in all. A loss that stalls may do so at any rate, so these are fewer. */
const MOST_TRIES = { rises: 7, stalls: 3 } as const;

/**
 * Tries the learning rate of the settings for a few steps. Where the loss does not fall, smaller ones follow, and the best takes its place if
 * its loss is clearly lower. A rate whose loss falls is not compared with others: no rule that chooses among them by a few steps was reliably
 * better than the recipe's rate (docs/recipes.md). Weights start from scratch for each rate; samples and their order are the same. `programs` of
 * the request saves compiling again. Throws as `openTraining`.
 */
export async function probeRate(request: TrainRequest, steps = PROBE_STEPS): Promise<RateProbe> {
  const tried = [await tryRate(request, request.settings.learningRate, steps)];
  let [best] = tried as [Attempt];
  const { loss } = best;
  const most = loss === 'falls' ? 1 : MOST_TRIES[loss];
  let last = best;
  while (tried.length < most) {
    last = await tryRate(request, lowerThan(last), steps);
    tried.push(last);
    if (isBetter(last, best)) best = last;
    else if (best.loss === 'falls') break;
  }
  return { rate: best.rate, tried: tried.map(({ rate, loss }) => ({ rate, loss })) };
}

/** About a third, as one digit: 0.1, 0.03, 0.009. A tenth where a loss is not finite: that is far too high, and was seen within a few steps. */
function lowerThan({ rate, end }: Attempt): number {
  return Number((rate * (Number.isFinite(end) ? 0.3 : 0.1)).toPrecision(1));
}

interface Attempt extends TriedRate {
  /** Mean loss of the last third of the steps, and its standard error; Infinity where a loss was not finite. */
  readonly end: number;
  readonly error: number;
}

/** Standard errors that are more than noise. */
const CLEARLY = 2;

/** A loss that falls less than clearly is still better than one that does not fall, if it ends lower. */
function isBetter(one: Attempt, other: Attempt): boolean {
  if (one.loss === 'rises') return false;
  if (other.loss === 'rises' || (one.loss === 'falls' && other.loss === 'stalls')) return one.end < other.end;
  return one.end < other.end - CLEARLY * Math.hypot(one.error, other.error);
}

/** The rate rises over this share of the steps; the losses of the last steps, the same share, are averaged. */
const THIRD = 1 / 3;
/** Steps whose losses are averaged at the start: the rate is still low. */
const START = 3;

async function tryRate(request: TrainRequest, rate: number, steps: number): Promise<Attempt> {
  const { valid: _, time: __, checkpoint: ___, ...rest } = request;
  const { settings, train } = request;
  const losses: number[] = [];
  const training = await openTraining({
    ...rest,
    settings: {
      ...settings,
      ...{ epochs: 1, epochSamples: steps * Math.min(settings.batchSize, train.count) },
      ...{ learningRate: rate, schedule: 'constant', warmupEpochs: THIRD },
    },
    onStep: (_epoch, _step, loss) => losses.push(loss),
  });
  const isThrough = await trainsThrough(training);
  if (!isThrough) return { rate, loss: 'rises', end: Number.POSITIVE_INFINITY, error: 0 };
  const last = losses.slice(-Math.max(2, Math.round(steps * THIRD)));
  const [start, end] = [mean(losses.slice(0, START)), mean(last)];
  const deviation = Math.sqrt(last.reduce((sum, loss) => sum + (loss - end) ** 2, 0) / (last.length - 1));
  const error = deviation / Math.sqrt(last.length);
  const noise = CLEARLY * Math.hypot(error, deviation / Math.sqrt(START));
  return { rate, loss: end < start - noise ? 'falls' : end > start + noise ? 'rises' : 'stalls', end, error };
}

/** Whether all losses are finite. Disposes of the training. */
async function trainsThrough(training: Training): Promise<boolean> {
  try {
    await training.epoch();
    return true;
  } catch (error) {
    if (error instanceof TrainingFailure) return false;
    throw error;
  } finally {
    await training.dispose();
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
