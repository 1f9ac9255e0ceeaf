import { invalid } from '../common/errors.ts';
import { deepFreeze } from '../common/json.ts';
import { compareBy, type Metrics, type Objective } from '../common/metrics.ts';
import type { Row, Table } from '../estimate/tabular/table.ts';
import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { searchSpaceOf } from '../space/tree/tree-search-space.ts';
import type { Limit, Outcome, Problem, Proposal, Strategy } from '../strategy/strategy.ts';

export interface Simulation {
  readonly strategy: Strategy;
  /** See `tabularProblem`. */
  readonly problem: Problem;
  readonly table: Table;
  readonly dataset: string;
  /** Simulated seconds, or evaluations, whichever ends first; at least one of them. */
  readonly budget: { readonly seconds?: number; readonly evaluations?: number };
  /** Number of concurrent trials (default 1). */
  readonly width?: number;
  /** Repeated architectures cost nothing (default: they are charged each time). */
  readonly cached?: boolean;
  /** Called after each finished trial; true ends the simulation. */
  readonly until?: (trial: SimulatedTrial) => boolean;
}

/** A trial that ended, with times of the simulated clock. */
export interface SimulatedTrial {
  readonly trial: number;
  readonly architecture: Architecture;
  readonly state: 'complete' | 'failed';
  /** Metrics and costs from the table; empty for a failed trial. */
  readonly metrics: Metrics;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface SimulationResult {
  /** In the order in which they ended. */
  readonly trials: readonly SimulatedTrial[];
  /** The trials that were better by the first objective than all before them. */
  readonly trajectory: readonly SimulatedTrial[];
  /** The last of the trajectory; undefined when no trial was completed. */
  readonly best: SimulatedTrial | undefined;
  /** Where the simulated clock stood when the last trial ended. */
  readonly seconds: number;
  /** stalled: too many trials in a row cost nothing, so the budget would never end. */
  readonly end: 'budget' | 'exhausted' | 'stalled' | 'until';
}

/** Number of consecutive trials without cost that end a simulation. */
const MOST_FREE = 1000;

/** The problem of searching a table; its costs are looked up. */
export function tabularProblem(
  table: Table,
  dataset: string,
  seed: number,
  {
    objectives = table.objectives,
    limits = [],
  }: { objectives?: Problem['objectives']; limits?: readonly Limit[] } = {},
): Problem {
  return {
    space: searchSpaceOf(table.space),
    objectives,
    limits,
    seed,
    fidelities: [table.fidelity],
    costs(architecture) {
      const row = table.lookup(architecture, dataset);
      if (row === undefined)
        throw invalid(`table "${table.name}"`, 'has no such architecture', 'its costs are unknown');
      return row.costs;
    },
  };
}

/**
 * Simulates a search on a table: ask, look up, tell. The simulated clock advances by the training time of each trial.
 * Simultaneous trials end in the order of their numbers. Trials that would exceed the budget are discarded. An
 * architecture that is not in the table fails immediately and counts as an evaluation. Nothing is stored; the result
 * depends only on the arguments. O(trials) besides the work of the strategy.
 *
 * Throws UserError for a budget that never ends, an unknown dataset, or a budget in seconds for a table without times.
 */
export async function simulate(simulation: Simulation): Promise<SimulationResult> {
  const { strategy, problem, table, dataset, budget, width = 1, cached = false, until } = simulation;
  const { seconds: mostSeconds = Number.POSITIVE_INFINITY, evaluations = Number.POSITIVE_INFINITY } = budget;
  if (!(mostSeconds > 0 && evaluations > 0) || Math.min(mostSeconds, evaluations) === Number.POSITIVE_INFINITY) {
    throw invalid('budget', JSON.stringify(budget), 'a simulation needs seconds or evaluations, above 0');
  }
  const objective = problem.objectives[0];
  const trials: SimulatedTrial[] = [];
  const trajectory: SimulatedTrial[] = [];
  const known = new Set<string>();
  /** By their end, the soonest first. */
  const running: Running[] = [];
  let state = deepFreeze(strategy.init(problem));
  let [now, asked, charged, free] = [0, 0, 0, 0];

  for (;;) {
    while (running.length < width && charged < evaluations && now < mostSeconds && free < MOST_FREE) {
      const count = Math.min(width - running.length, evaluations - charged);
      const [next, proposals] = await strategy.ask(problem, state, asked, count);
      if (proposals.length === 0) break;
      state = deepFreeze(next);
      for (const proposal of proposals) begin(proposal);
    }
    const first = running.shift();
    if (first === undefined) break;
    if (first.endedAt > mostSeconds) return ended('budget');
    now = first.endedAt;
    const trial = asEnded(first);
    trials.push(trial);
    if (trial.state === 'complete' && isBetter(objective, trial, trajectory.at(-1))) trajectory.push(trial);
    if (until?.(trial)) return ended('until');
    state = deepFreeze(await strategy.tell(problem, state, [outcomeOf(first, trial)]));
  }
  if (free >= MOST_FREE) return ended('stalled');
  return ended(charged >= evaluations || now >= mostSeconds ? 'budget' : 'exhausted');

  function begin(proposal: Proposal): void {
    const { architecture } = proposal;
    const row = table.lookup(architecture, dataset);
    if (row !== undefined && row.seconds === undefined && mostSeconds !== Number.POSITIVE_INFINITY) {
      const rule = 'its budget must be a number of evaluations';
      throw invalid(`table "${table.name}"`, `has no seconds for data set "${dataset}"`, rule);
    }
    let isFree = false;
    if (cached) {
      const key = architectureKey(architecture);
      isFree = known.has(key);
      known.add(key);
    }
    const seconds = isFree ? 0 : (row?.seconds ?? 0);
    if (!isFree) charged++;
    free = seconds > 0 || (!isFree && evaluations !== Number.POSITIVE_INFINITY) ? 0 : free + 1;
    const trial = { trial: asked++, proposal, row, startedAt: now, endedAt: now + seconds };
    const at = running.findLastIndex(({ endedAt }) => endedAt <= trial.endedAt);
    running.splice(at + 1, 0, trial);
  }

  function ended(end: SimulationResult['end']): SimulationResult {
    return { trials, trajectory, best: trajectory.at(-1), seconds: now, end };
  }
}

interface Running {
  readonly trial: number;
  readonly proposal: Proposal;
  readonly row: Row | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
}

function asEnded({ trial, proposal: { architecture }, row, startedAt, endedAt }: Running): SimulatedTrial {
  if (row === undefined) return { trial, architecture, state: 'failed', metrics: {}, startedAt, endedAt };
  return { trial, architecture, state: 'complete', metrics: { ...row.costs, ...row.metrics }, startedAt, endedAt };
}

function outcomeOf(
  { proposal, row }: Running,
  { trial, architecture, state, metrics, ...times }: SimulatedTrial,
): Outcome {
  return {
    ...{ trial, architecture, state, metrics, origin: 'asked' },
    fidelity: proposal.fidelity,
    seconds: times.endedAt - times.startedAt,
    ...(row === undefined && { reason: 'the table has no such architecture' }),
  };
}

function isBetter(objective: Objective, trial: SimulatedTrial, than: SimulatedTrial | undefined): boolean {
  return than === undefined || compareBy(objective, trial.metrics, than.metrics) < 0;
}
