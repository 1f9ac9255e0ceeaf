/** What a profile comes to: how well its table predicts networks, how much it was disturbed, and both in words. */
import { kendall } from '../../common/correlation.ts';
import { showMilliseconds } from '../../device/measure.ts';
import type { Space } from '../../space/space.ts';
import { type LatencyTable, measuredIn, predictorOf } from './table.ts';

/** How well a table predicts networks that it was not calibrated by. */
export interface ProfileCheck {
  readonly networks: number;
  /** Kendall's tau of predicted and measured latencies, and of FLOPs and measured latencies. */
  readonly tau: number;
  readonly flopsTau: number;
  readonly medianError: number;
  /** Nine of ten networks have at most this error. */
  readonly error90: number;
  readonly fastest: number;
  readonly slowest: number;
  /** The share of their blocks that were measured, not predicted. */
  readonly known: number;
}

export interface Profile {
  readonly table: LatencyTable;
  /** Blocks of the space, as far as they were found, and whether these are all that random networks have. */
  readonly found: number;
  readonly complete: boolean;
  /** The median width of the intervals of blocks and networks, as a share of their latencies: how much else the device computed meanwhile. */
  readonly noise: number;
  readonly check?: ProfileCheck;
}

/** Predicts the networks that the table is checked by. */
export function checkTable(table: LatencyTable, space: Space): ProfileCheck {
  const predictor = predictorOf(table, measuredIn(table, space, 'calibration'));
  const networks = measuredIn(table, space, 'check');
  const predicted = networks.map(({ network, task }) => predictor.predict(network, task));
  const measured = networks.map((one) => one.measured);
  const flops = table.networks.flatMap((one) => (one.purpose === 'check' ? [one.flops] : []));
  const errors = predicted.map(({ ms }, i) => Math.abs(ms / (measured[i] ?? Number.NaN) - 1)).toSorted((a, b) => a - b);
  const times = predicted.map(({ ms }) => ms);
  const sum = (name: 'known' | 'blocks') => predicted.reduce((total, one) => total + one[name], 0);
  return {
    networks: networks.length,
    tau: kendall(times, measured),
    flopsTau: kendall(flops, measured),
    medianError: at(errors, 0.5),
    error90: at(errors, 0.9),
    fastest: Math.min(...measured),
    slowest: Math.max(...measured),
    known: sum('known') / Math.max(1, sum('blocks')),
  };
}

/** The median width of the intervals, as a share of the latencies. */
export function noiseOf({ blocks, networks }: LatencyTable): number {
  const all = [
    ...Object.values(blocks).map(({ ms, interval: [low, high] }) => (high - low) / ms),
    ...networks.map(({ ms, interval: [low, high] }) => (high - low) / ms),
  ];
  return at(
    all.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Above this, a table says little. */
const NOISY = 0.1;

const at = (sorted: readonly number[], share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The result in words. */
export function profileText(out: string, { table, found, complete, noise, check }: Profile): string {
  const count = Object.keys(table.blocks).length;
  const which = complete
    ? `all ${found} blocks of random networks`
    : `${count} blocks; those of other networks are predicted from them`;
  const isNoisy = noise > NOISY;
  const busy = `Noise    half of the intervals are wider than ${percent(noise)}: something else computed meanwhile; measure again without it`;
  const lines = [`Table    ${out}: ${which}`, `Device   ${table.device}`, ...(isNoisy ? [busy] : [])];
  if (check === undefined) return lines.join('\n');
  const { networks, tau, flopsTau, medianError, error90, fastest, slowest } = check;
  return [
    ...lines,
    `Check    ${networks} other networks of ${showMilliseconds(fastest)} to ${showMilliseconds(slowest)} ms:`,
    `         Kendall's tau ${tau.toFixed(3)} (FLOPs: ${flopsTau.toFixed(3)}), median error ${percent(medianError)}, nine of ten within ${percent(error90)}`,
  ].join('\n');
}
