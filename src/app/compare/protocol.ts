import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../../common/errors.ts';
import { SETTING_NAMES, type SettingName, type StudySettings } from '../../study/spec.ts';
import { budgetOf } from '../setup.ts';
import type { StudyPlan } from '../study.ts';

/** What is compared: how a search goes about it. */
const COMPARED: readonly SettingName[] = [
  ...(['strategy', 'strategyOptions', 'stopping', 'stoppingOptions', 'estimator', 'estimatorOptions'] as const),
  'startFrom',
  'initFrom',
];

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
 * trials early, the estimator (with what it estimates), the seed, where the data lie, and (unless the budget is in time) the machine.
 */
export function checkProtocol(all: readonly Comparable[]): void {
  const [first, ...others] = all;
  if (first === undefined) return;
  for (const { place, settings } of all)
    if (settings.benchmark !== undefined)
      throw invalid(
        place,
        `searched the table ${settings.benchmark}`,
        'use netsmith compare --benchmark to compare searches of a table',
      );
  const names = protocolNames(all.map(({ settings }) => settings));
  const rule = 'all competitors must have the same training protocol and budget';
  for (const other of others) {
    const name = names.find((one) => !isDeepStrictEqual(other.settings[one], first.settings[one]));
    if (name !== undefined) {
      const [here, there] = [other, first].map(({ settings }) => JSON.stringify(settings[name]) ?? 'not set');
      throw invalid(other.place, `${name} is ${here}, but ${there} in ${first.place}`, rule);
    }
    const [here, there] = [other, first].map(({ settings }) => budgetOf(settings).trials);
    if (here !== there)
      throw invalid(other.place, `the default budget is ${here} trials, but ${there} in ${first.place}`, rule);
  }
}

/** The settings that all must share. */
export function protocolNames(all: readonly StudySettings[]): readonly SettingName[] {
  const free: readonly string[] = [
    ...COMPARED,
    ...(['seed', 'dataDir', 'validData', 'testData'] as const),
    ...(all.every(({ time }) => time === undefined) ? MACHINE : []),
    // A proxy and a training measure different things.
    ...(new Set(all.map(({ estimator }) => estimator)).size > 1 ? ['objective'] : []),
  ];
  return SETTING_NAMES.filter((name) => !free.includes(name));
}

/** What studies are grouped by, as one text: how they searched, and what they began with. */
export function groupKey({ settings, prior = [] }: Pick<StudyPlan, 'settings' | 'prior'>): string {
  return JSON.stringify([...COMPARED.map((name) => settings[name] ?? null), prior]);
}

/** Whether all judge their candidates by training them, so that what they say of their choices can be compared. */
export function allTrain(all: readonly StudySettings[]): boolean {
  return all.every(({ estimator }) => estimator === 'train');
}

/** Whether it is plain random search, what others are held against; with the estimator `by` where that is given. */
export function isRandom({ strategy, stopping, estimator }: StudySettings, by = estimator): boolean {
  return strategy === 'random' && stopping === 'none' && estimator === by;
}
