/** Rules that choose a learning rate by a few steps, to be compared with the recipe's. */
import { TrainingFailure } from '../../src/train/failure.ts';
import { openTraining, type TrainRequest } from '../../src/train/loop.ts';

const RANGE_STEPS = 100;
/** From a thousandth of the recipe's rate to a hundred times as much. */
const [FROM, DECADES] = [1e-3, 5];
const SMOOTHING = 0.9;
/** The loss has diverged when it is this many times the least. */
const DIVERGED = 4;

/**
 * The learning-rate range test (Smith 2017): the rate rises exponentially from step to step. Returns the rates at which the smoothed loss is
 * least, and falls fastest.
 */
export async function rangeTest(request: TrainRequest) {
  const { settings, train } = request;
  const first = FROM * settings.learningRate;
  const factor = 10 ** (DECADES / (RANGE_STEPS - 1));
  const losses = await lossesOf(request, RANGE_STEPS, {
    ...{ epochs: RANGE_STEPS, epochSamples: Math.min(settings.batchSize, train.count), warmupEpochs: 0 },
    ...{ learningRate: first, schedule: 'step', stepEpochs: 1, stepFactor: factor },
  });
  const smooth: number[] = [];
  let average = 0;
  for (const [i, loss] of losses.entries()) {
    average = SMOOTHING * average + (1 - SMOOTHING) * loss;
    smooth.push(average / (1 - SMOOTHING ** (i + 1)));
    if ((smooth[i] ?? 0) > DIVERGED * Math.min(...smooth)) break;
  }
  const rateOf = (step: number) => first * factor ** step;
  const slopes = smooth.map((loss, i) => (i < 10 ? Number.POSITIVE_INFINITY : loss - (smooth[i - 1] ?? loss)));
  return {
    minimum: rateOf(smooth.indexOf(Math.min(...smooth))),
    steepest: rateOf(slopes.indexOf(Math.min(...slopes))),
    steps: losses.length,
  };
}

const SHORT_STEPS = 30;

/** Trains a few steps at each multiple of the recipe's rate; returns the rate with the least loss over the last third. */
export async function shortRuns(request: TrainRequest, factors: readonly number[]) {
  const { settings, train } = request;
  const ends: { readonly rate: number; readonly loss: number }[] = [];
  for (const factor of factors) {
    const rate = factor === 1 ? settings.learningRate : factor * settings.learningRate;
    const losses = await lossesOf(request, SHORT_STEPS, {
      ...{ epochs: 1, epochSamples: SHORT_STEPS * Math.min(settings.batchSize, train.count), warmupEpochs: 1 / 3 },
      ...{ learningRate: rate, schedule: 'constant' },
    });
    const last = losses.slice(-SHORT_STEPS / 3);
    const isWhole = losses.length === SHORT_STEPS;
    ends.push({ rate, loss: isWhole ? last.reduce((a, b) => a + b, 0) / last.length : Number.POSITIVE_INFINITY });
  }
  const best = ends.reduce((a, b) => (b.loss < a.loss ? b : a));
  return { rate: best.rate, steps: factors.length * SHORT_STEPS };
}

/** Up to the first that is not finite. */
async function lossesOf(
  { valid: _, ...request }: TrainRequest,
  steps: number,
  change: Partial<TrainRequest['settings']>,
): Promise<number[]> {
  const losses: number[] = [];
  const training = await openTraining({
    ...request,
    settings: { ...request.settings, ...change },
    onStep: (_epoch, _step, loss) => losses.push(loss),
  });
  try {
    while (losses.length < steps) await training.epoch();
  } catch (error) {
    if (!(error instanceof TrainingFailure)) throw error;
  } finally {
    await training.dispose();
  }
  return losses;
}
