/** What computing takes besides time: energy, and by a stated price and intensity money and CO2. */
import type { TargetName } from './index.ts';

/** Of one busy core, without a measurement: a server's processor of 150 to 250 W has 16 to 32 cores, and a laptop's takes about as much for each. */
export const WATTS = 10;
/** In whatever currency; about what a household pays in euros or dollars. */
export const PRICE_PER_KWH = 0.25;
/** Grams of CO2: about the mean of the world's electricity in 2024. */
export const CO2_PER_KWH = 450;

const JOULES_PER_KWH = 3.6e6;

/** The energy of `busy` things (cores, or 1 for a whole device) that take `watts` each, for some seconds. */
export function joulesOf({
  watts,
  busy = 1,
  seconds,
}: {
  readonly watts: number;
  readonly busy?: number;
  readonly seconds: number;
}): number {
  return watts * busy * seconds;
}

/** How many things a target keeps busy: the threads of the CPU, or one graphics card or device. */
export function busyThings(target: TargetName, threads: number): number {
  return target === 'node' || target === 'browser' ? threads : 1;
}

export interface Tariff {
  readonly pricePerKwh: number;
  /** Grams. */
  readonly co2PerKwh: number;
}

export interface Charges {
  /** In the currency of the price. */
  readonly money: number;
  readonly co2Grams: number;
}

/** What energy costs. */
export function chargesOf(joules: number, { pricePerKwh, co2PerKwh }: Tariff): Charges {
  const kwh = joules / JOULES_PER_KWH;
  return { money: kwh * pricePerKwh, co2Grams: kwh * co2PerKwh };
}
