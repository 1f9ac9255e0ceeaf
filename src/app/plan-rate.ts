import type { TrainRequest } from '../train/loop.ts';
import type { Forecast } from '../train/preflight.ts';
import { FEWEST_PROBE_STEPS, PROBE_STEPS, probeRate, type RateProbe } from '../train/rate-probe.ts';

/** What each learning rate that is tried may take of the time of a run. */
const SHARE = 0.02;

/** Tries the learning rate of this training. Returns undefined where a few steps would take too large a share of `seconds`. */
export async function tryRates(
  request: TrainRequest,
  { sampleSeconds }: Forecast,
  seconds: number,
): Promise<RateProbe | undefined> {
  const batchSize = Math.min(request.settings.batchSize, request.train.count);
  const fitting = Math.floor((SHARE * seconds) / (batchSize * sampleSeconds));
  return fitting < FEWEST_PROBE_STEPS ? undefined : await probeRate(request, Math.min(PROBE_STEPS, fitting));
}

/** `learning rate 0.03, because the loss of resnet-8 rises at 0.1`; undefined where there is nothing to say. `name`: of the network. */
export function rateText({ rate, tried }: RateProbe, name: string): string | undefined {
  const [first, last] = [tried[0], tried.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  if (rate !== first.rate) {
    const does = first.loss === 'rises' ? 'rises' : 'does not fall';
    return `learning rate ${rate}, because the loss of ${name} ${does} at ${first.rate}`;
  }
  if (first.loss !== 'rises') return undefined;
  return `learning rate ${rate}, although the loss of ${name} rises at all rates tried, down to ${last.rate}`;
}
