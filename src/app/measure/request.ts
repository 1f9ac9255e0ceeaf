/** What `netsmith measure` is asked for, checked. */
import { unknownName } from '../../common/closest.ts';
import { invalid } from '../../common/errors.ts';
import { shownValue } from '../../common/text.ts';
import { TARGET_NAMES, type TargetName } from '../../device/index.ts';
import { type LatencySettings, latencySettings } from '../../study/latency.ts';
import { checkSettings, flagOf, type StudySettings } from '../../study/spec.ts';
import { dataOf } from '../data-argument.ts';
import { COST_NAMES, type CostName } from './measure.ts';

/** The options of the command that are no settings of a study. */
export interface MeasureOptions {
  readonly data?: string;
  readonly regression: boolean;
  readonly deviceTarget: readonly TargetName[];
  readonly browser?: string;
  readonly watts?: number;
  readonly pricePerKwh: number;
  readonly co2PerKwh: number;
  readonly lambda?: number;
  readonly cost: CostName;
}

/** Numbers, with whether they may be 0. */
const NUMBERS = { watts: false, pricePerKwh: true, co2PerKwh: true, lambda: true } as const;

export interface Checked {
  readonly settings: StudySettings;
  /** One for each target. */
  readonly devices: readonly LatencySettings[];
}

/** `given`: the settings that are. Throws UserError for an option or a setting that is wrong, or does not fit the targets. */
export function checkMeasure(options: MeasureOptions, given: Readonly<Record<string, unknown>>): Checked {
  for (const [name, mayBeZero] of Object.entries(NUMBERS)) {
    const value: unknown = options[name as keyof typeof NUMBERS];
    if (
      value === undefined ||
      (typeof value === 'number' && Number.isFinite(value) && value >= 0 && (mayBeZero || value > 0))
    )
      continue;
    throw invalid(flagOf(name), shownValue(value), `must be a number ${mayBeZero ? 'of at least' : 'above'} 0`);
  }
  const { data, regression, browser, deviceTarget: targets } = options;
  // Flags that mean more here than in a study.
  const { deviceTarget: _, data: __, ...stored } = given;
  const settings = checkSettings({ ...(data && dataOf(data)), ...stored, ...(regression && { regression }) }, flagOf);
  const isBrowser = (name: TargetName) => name.startsWith('browser');
  if (browser !== undefined && !targets.some(isBrowser))
    throw invalid('--browser', `"${browser}"`, `the target is ${targets.join(', ')}: it needs --device-target browser`);
  const devices = targets.map((deviceTarget) => {
    // Another target has the command.
    const { deviceCommand, ...others } = settings;
    const isElsewhere = deviceTarget !== 'command' && targets.includes('command');
    const device = latencySettings({
      ...others,
      ...(!isElsewhere && deviceCommand && { deviceCommand }),
      deviceTarget,
    });
    if (device === undefined) throw new Error('a target takes latencies');
    return { ...device, ...(isBrowser(deviceTarget) && browser !== undefined && { browser }) };
  });
  return { settings, devices };
}

/** Throws UserError for a cost that is unknown. */
export function costNamed(text: string): CostName {
  const name = COST_NAMES.find((known) => known === text);
  if (name === undefined) throw unknownName('--cost:', text, COST_NAMES);
  return name;
}

/** The targets of a comma-separated list, each once. Throws UserError for one that is unknown. */
export function targetsNamed(text: string): readonly TargetName[] {
  const names = text.split(',').map((part) => {
    const name = TARGET_NAMES.find((known) => known === part.trim());
    if (name === undefined) throw unknownName('--device-target:', part.trim(), TARGET_NAMES);
    return name;
  });
  return [...new Set(names)];
}
