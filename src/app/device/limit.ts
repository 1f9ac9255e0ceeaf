/** The longest latency that a study allows, from its limits of latency and energy. */
import { busyThings, WATTS } from '../../device/energy.ts';
import { showMilliseconds } from '../../device/measure.ts';
import type { LatencySettings } from '../../study/latency.ts';

export interface DeviceLimit {
  readonly ms: number;
  /** `5.00 ms (--max-latency)` */
  readonly words: string;
}

/** The smaller one of `--max-latency` and of what `--max-energy` allows at the watts stated; undefined where there is neither. */
export function deviceLimit({ max, energy, target, threads, batch }: LatencySettings): DeviceLimit | undefined {
  const perMs = ((energy?.watts ?? WATTS) * busyThings(target, threads)) / batch;
  const byEnergy = energy?.max === undefined ? Number.POSITIVE_INFINITY : energy.max / perMs;
  const ms = Math.min(max ?? Number.POSITIVE_INFINITY, byEnergy);
  if (ms === Number.POSITIVE_INFINITY) return undefined;
  const reason = ms === max ? '--max-latency' : `--max-energy ${energy?.max}`;
  return { ms, words: `${showMilliseconds(ms)} ms (${reason})` };
}
