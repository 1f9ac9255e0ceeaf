/** The latency of each candidate on a device as a study's settings name it: whether it is taken, on which target, within which limit. */
import { invalid } from '../common/errors.ts';
import { DEVICE_METRICS } from '../common/metrics.ts';
import type { TargetName } from '../device/index.ts';
import { parseDuration, parseMilliseconds } from './quantities.ts';
import { flagOf, type StudySettings } from './spec.ts';

export const LATENCY = 'latency';

/** Any of these asks for latencies. */
const ASKING = ['maxLatency', 'deviceTarget', 'deviceCommand', 'latencyTable'] as const;
/** These only say how they are taken. */
const DETAILS = ['deviceThreads', 'deviceBatch', 'deviceTimeout'] as const;

type Named = Pick<StudySettings, 'benchmark' | 'objective' | 'measures' | (typeof ASKING)[number]>;

/** Whether the study takes the latency of each candidate; not where it comes from the table of a benchmark, or from a measure of the user's own. */
export function takesLatency(settings: Partial<Named>): boolean {
  const { benchmark, objective = [], measures = {} } = settings;
  if (benchmark !== undefined || Object.hasOwn(measures, LATENCY)) return false;
  return objective.includes(LATENCY) || ASKING.some((name) => settings[name] !== undefined);
}

/** The measures that take time, by name: those of the user's own, and the latency where it is taken. */
export function measuresOf(settings: Partial<Named>): NonNullable<StudySettings['measures']> {
  return { ...settings.measures, ...(takesLatency(settings) && { [LATENCY]: DEVICE_METRICS.latency }) };
}

/** How a study takes latencies. */
export interface LatencySettings {
  readonly target: TargetName;
  readonly batch: number;
  readonly threads: number;
  readonly command?: string;
  /** Seconds. */
  readonly patience: number;
  /** A file that `netsmith profile` has written: it is looked up, and nothing is measured. */
  readonly table?: string;
  /** ms */
  readonly max?: number;
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
  const max = maxLatency === undefined ? undefined : parseMilliseconds(maxLatency);
  return {
    ...{ target, batch, threads, patience: parseDuration(deviceTimeout) ?? 0 },
    ...(command !== undefined && { command }),
    ...(table !== undefined && { table }),
    ...(max !== undefined && { max }),
  };
}
