import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../../common/errors.ts';
import { SETTING_NAMES, type SettingName, type StudySettings } from '../config.ts';

/** What is compared: how a search goes about it. */
const COMPARED: readonly SettingName[] = ['strategy', 'strategyOptions', 'stopping', 'stoppingOptions'];

/** On what it runs; results do not depend on it but for rounding. A budget in time does. */
const MACHINE: readonly SettingName[] = ['workers', 'threads', 'device', 'memory', 'layout'];

/** What tells the runs of a comparison apart. */
export interface Comparable {
  /** For errors: `study "runs/a"`. */
  readonly place: string;
  readonly settings: StudySettings;
}

/**
 * Throws UserError unless all have the same training protocol and the same budget: everything but the strategy, the rule that stops
 * trials early, the seed, where the data lie, and (unless the budget is in time) the machine.
 */
export function checkProtocol(all: readonly Comparable[]): void {
  const [first, ...others] = all;
  if (first === undefined) return;
  const names = protocolNames(first.settings);
  for (const other of others) {
    const name = names.find((one) => !isDeepStrictEqual(other.settings[one], first.settings[one]));
    if (name === undefined) continue;
    const [here, there] = [other, first].map(({ settings }) => JSON.stringify(settings[name]) ?? 'not set');
    throw invalid(
      other.place,
      `${name} is ${here}, and ${there} in ${first.place}`,
      'what is compared must have the same training protocol and budget',
    );
  }
}

/** The settings that all must share. */
export function protocolNames({ time }: StudySettings): readonly SettingName[] {
  const free: readonly string[] = [...COMPARED, 'seed', 'dataDir', ...(time === undefined ? MACHINE : [])];
  return SETTING_NAMES.filter((name) => !free.includes(name));
}

/** The settings by which runs are grouped, as one text. */
export function groupKey(settings: StudySettings): string {
  return JSON.stringify(COMPARED.map((name) => settings[name] ?? null));
}
