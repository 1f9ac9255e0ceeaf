import { invalid } from '../../common/errors.ts';
import { compareBy } from '../../common/metrics.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Table } from '../../estimate/tabular/table.ts';
import { costsOf } from '../../measure/index.ts';
import type { ComparedRun, Competitor } from '../../report/compare/data.ts';
import { showMetric } from '../../report/numbers.ts';
import type { TestAccuracy } from '../../report/tabular/nas-bench-201-test.ts';
import {
  type Architecture,
  type Constraints,
  constrained,
  decisions,
  first,
  formatArchitecture,
  type Space,
  searchSpaceOf,
  successor,
} from '../../space/index.ts';
import { createStrategy, type ModelTools } from '../../strategy/index.ts';
import { withinLimits } from '../../strategy/limits.ts';
import type { Limit, Problem } from '../../strategy/strategy.ts';
import { treeOf } from '../../strategy/tree.ts';
import { type Simulation, simulate, tabularProblem } from '../../study/simulate.ts';
import { isOwnFile, type SettingName, type StudySettings } from '../../study/spec.ts';
import { benchmarkNamed, checkTimed, datasetOf, NO_EFFECT, TABLE_SETTINGS } from '../benchmarks.ts';
import { openEngine } from '../engine.ts';
import type { Notes } from '../notes.ts';
import { ownStrategy } from '../own-exports.ts';
import { limitsOf } from '../problem.ts';
import { budgetOf } from '../setup.ts';
import { checkOnTable } from '../strategies.ts';
import { versions } from '../versions.ts';
import type { NamedStrategy } from './competitors.ts';
import type { Compared } from './result.ts';

/** The settings that a comparison on a table may have: models of strategies are trained on the machine. */
export const ON_TABLES: readonly SettingName[] = [...TABLE_SETTINGS, 'device', 'threads', 'layout'];

/** What a single search of a table takes, and a comparison does not. */
const OF_ONE_SEARCH: readonly string[] = ['objective', 'until', 'measure', 'measures'];

/** Why a comparison on a table has no such setting. */
export function notOnTable(name: string): string {
  return OF_ONE_SEARCH.includes(name)
    ? 'a comparison on a tabular benchmark goes by the metric of the table alone; search --benchmark takes it'
    : NO_EFFECT;
}

/** Searches of a table, each strategy with each seed. */
interface TableOrder {
  readonly benchmark: string;
  readonly dataset: string;
  /** Random search among them. */
  readonly strategies: readonly NamedStrategy[];
  readonly seeds: readonly number[];
  readonly budget: Simulation['budget'];
  readonly limits: readonly Limit[];
  readonly constraints: Constraints;
}

/**
 * Plays searches of the table that the settings name, each strategy with each seed. Throws UserError for what the table does not have.
 */
export async function compareOnTable(
  settings: StudySettings & { readonly benchmark: string },
  strategies: readonly NamedStrategy[],
  seeds: readonly number[],
  notes: Notes,
): Promise<Compared> {
  const { seconds, trials } = budgetOf(settings);
  let opened: Promise<Engine> | undefined;
  const engine = () => {
    // For strategies whose model is a network; most have none.
    opened ??= openEngine(settings, 1);
    return opened;
  };
  const order: TableOrder = {
    benchmark: settings.benchmark,
    dataset: settings.data,
    strategies,
    seeds,
    budget: { ...(seconds !== undefined && { seconds }), ...(trials !== undefined && { evaluations: trials }) },
    limits: limitsOf(settings),
    constraints: settings,
  };
  try {
    return await playOnTable(order, { engine }, notes);
  } finally {
    await (await opened)?.dispose();
  }
}

async function playOnTable(order: TableOrder, tools: ModelTools, notes: Notes): Promise<Compared> {
  for (const { strategy } of order.strategies) checkOnTable('--strategies', strategy);
  const benchmark = benchmarkNamed(order.benchmark);
  const dataset = datasetOf(benchmark, order.dataset);
  const table = await benchmark.open();
  const testOf = await benchmark.openTest(table);
  const space = constrained(table.space, order.constraints);
  const [objective] = table.objectives;
  const { budget } = order;
  if (budget.seconds !== undefined) checkTimed(table, dataset, `${budget.seconds}s`);
  const axis = 'seconds' in budget ? 'seconds' : 'evaluations';
  const end = ('seconds' in budget ? budget.seconds : budget.evaluations) ?? 0;

  const problemFor = (seed: number) =>
    withMeasures({
      ...tabularProblem(table, dataset, seed, { limits: order.limits }),
      space: searchSpaceOf(space),
    });
  const play = async ({ name, strategy, options }: NamedStrategy, seed: number): Promise<ComparedRun> => {
    const problem = problemFor(seed);
    const created = isOwnFile(strategy)
      ? await ownStrategy(strategy, options)
      : createStrategy(strategy, options, tools);
    const { trials: ended, trajectory, best } = await simulate({ strategy: created, problem, table, dataset, budget });
    if (best === undefined)
      throw invalid(`"${name}", seed ${seed}`, 'no trial is complete', 'a comparison needs a larger budget');
    const valueIn = ({ metrics }: typeof best) => metrics[objective.metric] ?? Number.NaN;
    const test = testOf(best.architecture, dataset);
    return {
      seed,
      trajectory: trajectory.map((trial) => ({
        at: axis === 'seconds' ? trial.endedAt : ended.indexOf(trial) + 1,
        value: valueIn(trial),
      })),
      end,
      architecture: best.architecture,
      text: formatArchitecture(space, best.architecture),
      valid: valueIn(best),
      ...(test !== undefined && { test }),
      evaluations: ended.length,
      seconds: ended.reduce((sum, trial) => sum + trial.endedAt - trial.startedAt, 0),
    };
  };

  const competitors: Competitor[] = [];
  for (const strategy of order.strategies) {
    const runs: ComparedRun[] = [];
    for (const seed of order.seeds) runs.push(await play(strategy, seed));
    const mean = runs.reduce((sum, { valid = Number.NaN }) => sum + valid, 0) / runs.length;
    notes.note(
      `${strategy.name}: ${runs.length} searches, best ${objective.metric} ${showMetric(objective.metric, mean)} on average`,
    );
    competitors.push({ name: strategy.name, runs });
  }
  return {
    title: `${table.name}, ${dataset}`,
    objective,
    axis,
    budget: [
      ...('seconds' in budget ? [`${budget.seconds} s of training, simulated`] : []),
      ...('evaluations' in budget ? [`${budget.evaluations} evaluations`] : []),
    ].join(', at most '),
    protocol: {
      benchmark: `${table.name}, ${table.size} architectures`,
      'data set': dataset,
      searched: `${objective.metric} on validation samples after ${table.fidelity.epochs} epochs, looked up`,
      limits: order.limits.map(({ cost, max }) => `${cost} at most ${max}`).join(', ') || 'none',
    },
    reference: competitors[0]?.name ?? '',
    competitors,
    // Where there are none, architectures are compared by their fields.
    decisions: Object.keys(table.architectures?.[0] ?? {}).concat(decisions(space).map(({ name }) => name)),
    optimum: optimumOf(table, space, dataset, testOf, order.limits),
    tested: 'test: the metric after the full training in the table; the searches never used it.',
    versions: versions(),
  };
}

function* members(space: Space): Generator<Architecture> {
  for (let one: Architecture | undefined = first(space); one !== undefined; one = successor(space, one)) yield one;
}

/** With the measures that the limits name and the table does not have, of the table's networks. */
function withMeasures(problem: Problem): Problem {
  const names = problem.limits.map(({ cost }) => cost);
  const costs: Problem['costs'] = (architecture) => {
    const known = problem.costs(architecture);
    return names.every((name) => known[name] !== undefined)
      ? known
      : { ...costsOf(treeOf(problem), architecture, names), ...known };
  };
  return { ...problem, costs };
}

/** The best of the table within the limits, by each metric for itself. */
function optimumOf(
  table: Table,
  space: Space,
  dataset: string,
  testOf: TestAccuracy,
  limits: readonly Limit[],
): { readonly valid: number; readonly test?: number } {
  const [objective] = table.objectives;
  const problem = withMeasures(tabularProblem(table, dataset, 0, { limits }));
  const { metric } = objective;
  const better = (a: number | undefined, b: number | undefined) =>
    a === undefined || (b !== undefined && compareBy(objective, { [metric]: b }, { [metric]: a }) < 0) ? b : a;
  let [valid, test] = [undefined as number | undefined, undefined as number | undefined];
  for (const one of table.architectures ?? members(space)) {
    const row = table.lookup(one, dataset);
    if (row === undefined || (limits.length > 0 && !withinLimits(problem, one))) continue;
    valid = better(valid, row.metrics[metric]);
    test = better(test, testOf(one, dataset));
  }
  return { valid: valid ?? Number.NaN, ...(test !== undefined && { test }) };
}
