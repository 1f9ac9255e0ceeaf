/** What a study asks of the costs of the architecture that its supernet derives: its own limits and objectives, and the latency by a table. */
import { invalid } from '../../common/errors.ts';
import { busyThings, joulesOf, WATTS } from '../../device/energy.ts';
import { isCost } from '../../measure/index.ts';
import { type CostGoals, withPredicted } from '../../oneshot/cost/goals.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { resolve } from '../../space/tree/resolve.ts';
import type { Problem } from '../../strategy/strategy.ts';
import { ENERGY, LATENCY, type LatencySettings, latencySettings } from '../../study/latency.ts';
import type { StudySettings } from '../../study/spec.ts';
import { openTable } from './table.ts';

/**
 * The goals of a one-shot study. Latency, and the energy that follows from it, are looked up in the study's table. Throws UserError for a table that does
 * not fit.
 */
export function costGoals(settings: StudySettings, problem: Problem, space: Space): CostGoals {
  const named = new Set(problem.objectives.map(({ metric }) => metric));
  const goals: CostGoals = {
    limits: problem.limits,
    objectives: [...named].filter(isCost),
    of: problem.costs,
  };
  const given = latencySettings(settings);
  if (given?.table === undefined) return goals;
  const table = openTable(given.table, given, space);
  const latency = (architecture: Architecture) => table.predict(resolve(space, architecture), space.task).ms;
  const { max, energy, target, threads, batch } = given;
  const watts = energy?.watts ?? WATTS;
  const isMeant = (cost: string, limit: number | undefined) => limit !== undefined || named.has(cost);
  const withLatency = isMeant(LATENCY, max)
    ? withPredicted(space, goals, {
        ...{ cost: LATENCY, isObjective: named.has(LATENCY), of: latency },
        ...(max !== undefined && { max }),
      })
    : goals;
  if (energy === undefined || !isMeant(ENERGY, energy.max)) return withLatency;
  return withPredicted(space, withLatency, {
    ...{ cost: ENERGY, isObjective: named.has(ENERGY) },
    of: (architecture) =>
      1000 * joulesOf({ watts, busy: busyThings(target, threads), seconds: latency(architecture) / 1000 / batch }),
    ...(energy.max !== undefined && { max: energy.max }),
  });
}

/** What a study limits and takes as an objective: costs, and latency or energy on a device. */
export function costsNamed(settings: StudySettings, { objectives, limits }: Pick<Problem, 'objectives' | 'limits'>) {
  const given = latencySettings(settings);
  const isNamed = (metric: string) => isCost(metric) || (given !== undefined && [LATENCY, ENERGY].includes(metric));
  return {
    objectives: objectives.flatMap(({ metric }) => (isNamed(metric) ? [metric] : [])),
    limits: [...limits.map(({ cost }) => cost), ...limitsOnDevice(given)],
  };
}

/** Throws UserError for a one-shot strategy within a limit on a device: its supernet cannot be timed option by option without a table. */
export function checkDeviceLimits(settings: StudySettings): void {
  const given = latencySettings(settings);
  const [limited] = limitsOnDevice(given);
  if (given === undefined || given.table !== undefined || limited === undefined) return;
  throw invalid(
    limited === LATENCY ? '--max-latency' : '--limit',
    limited === LATENCY ? String(settings.maxLatency) : limited,
    `--strategy ${settings.strategy} needs the latencies of all options: add --latency-table FILE, which netsmith profile writes`,
  );
}

const limitsOnDevice = (given: LatencySettings | undefined): readonly string[] => [
  ...(given?.max === undefined ? [] : [LATENCY]),
  ...(given?.energy?.max === undefined ? [] : [ENERGY]),
];
