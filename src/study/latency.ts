/** The latency of each candidate on a device as a study's settings name it: whether it is taken, on which target, within which limit. */
import { invalid } from '../common/errors.ts';
import { DEVICE_METRICS } from '../common/metrics.ts';
import type { TargetName } from '../device/index.ts';
import { parseDuration, parseMilliseconds } from './quantities.ts';
import { flagOf, type StudySettings } from './spec.ts';

export const LATENCY = 'latency';
/** Of one sample, by the latency and stated watts. */
export const ENERGY = 'energy';

/** Any of these asks for latencies. */
const ASKING = ['maxLatency', 'maxEnergy', 'deviceTarget', 'deviceCommand', 'latencyTable'] as const;
/** These only say how they are taken. */
const DETAILS = ['deviceThreads', 'deviceBatch', 'deviceTimeout', 'deviceWatts'] as const;

type Named = Pick<StudySettings, 'benchmark' | 'objective' | 'measures' | 'deviceWatts' | (typeof ASKING)[number]>;

/** Whether the study takes the latency of each candidate; not where it comes from the table of a benchmark, or from a measure of the user's own. */
export function takesLatency(settings: Partial<Named>): boolean {
  const { benchmark, objective = [], measures = {} } = settings;
  if (benchmark !== undefined || Object.hasOwn(measures, LATENCY)) return false;
  return (
    objective.includes(LATENCY) || objective.includes(ENERGY) || ASKING.some((name) => settings[name] !== undefined)
  );
}

/** Whether it takes the energy, too. */
function takesEnergy(settings: Partial<Named>): boolean {
  const { objective = [], measures = {}, maxEnergy, deviceWatts } = settings;
  const isAsked = objective.includes(ENERGY) || maxEnergy !== undefined || deviceWatts !== undefined;
  return isAsked && !Object.hasOwn(measures, ENERGY) && takesLatency(settings);
}

/** The measures that take time, by name: those of the user's own, and the latency and the energy where they are taken. */
export function measuresOf(settings: Partial<Named>): NonNullable<StudySettings['measures']> {
  return {
    ...settings.measures,
    ...(takesLatency(settings) && { [LATENCY]: DEVICE_METRICS.latency }),
    ...(takesEnergy(settings) && { [ENERGY]: DEVICE_METRICS.energy }),
  };
}

/** How a study takes latencies. */
export interface LatencySettings {
  readonly target: TargetName;
  readonly batch: number;
  readonly threads: number;
  readonly command?: string;
  /** The executable of Chromium, where it is not at a usual place. */
  readonly browser?: string;
  /** Seconds. */
  readonly patience: number;
  /** A file that `netsmith profile` has written: it is looked up, and nothing is measured. */
  readonly table?: string;
  /** ms */
  readonly max?: number;
  /** The energy of a sample is a measure of the study, too: watts of each busy core or of another device, where they are stated, and mJ at most. */
  readonly energy?: { readonly watts?: number; readonly max?: number };
}

/** Undefined where none are taken. Throws UserError for settings that contradict each other. */
export function latencySettings(settings: StudySettings): LatencySettings | undefined {
  const given = [...ASKING, ...DETAILS].find((name) => settings[name] !== undefined);
  if (!takesLatency(settings)) {
    if (given === undefined) return undefined;
    // The benchmark refuses what it does not know.
    if (settings.benchmark !== undefined) return undefined;
    const found = `${JSON.stringify(settings[given])}`;
    if (settings.measures !== undefined && Object.hasOwn(settings.measures, LATENCY))
      throw invalid(flagOf(given), found, 'the study has a measure of your own that is called latency');
    throw invalid(flagOf(given), found, 'needs --max-latency, --device-target or --objective latency');
  }
  const { deviceTarget, deviceCommand: command, deviceThreads: threads = 1, deviceBatch: batch = 1 } = settings;
  const { deviceTimeout = '2m', latencyTable: table, maxLatency } = settings;
  const target = deviceTarget ?? (command === undefined ? 'node' : 'command');
  if (target === 'command' && command === undefined)
    throw invalid('--device-target', '"command"', 'needs --device-command "... {model}"');
  if (target !== 'command' && command !== undefined)
    throw invalid('--device-command', `"${command}"`, `the target is ${target}: it needs --device-target command`);
  const { maxEnergy, deviceWatts: watts, measures = {} } = settings;
  if (maxEnergy !== undefined && Object.hasOwn(measures, ENERGY))
    throw invalid('--max-energy', String(maxEnergy), 'the study has a measure of your own that is called energy');
  const max = maxLatency === undefined ? undefined : parseMilliseconds(maxLatency);
  return {
    ...{ target, batch, threads, patience: parseDuration(deviceTimeout) ?? 0 },
    ...(command !== undefined && { command }),
    ...(table !== undefined && { table }),
    ...(max !== undefined && { max }),
    ...(takesEnergy(settings) && {
      energy: { ...(watts !== undefined && { watts }), ...(maxEnergy !== undefined && { max: maxEnergy }) },
    }),
  };
}
