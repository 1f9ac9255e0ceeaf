import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { isWhole } from '../../common/numbers.ts';
import { shownValue } from '../../common/text.ts';
import type { StrategyChoice } from '../../strategy/index.ts';
import { defaultSpace } from '../../study/spec.ts';
import { benchmarkPresets } from '../benchmarks.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import type { Notes } from '../notes.ts';
import { runToEnd } from '../search.ts';
import { definitionOf, type StudySpec, settingsOf } from '../spec.ts';
import { namedEstimators, namedStrategies } from './competitors.ts';
import { type Compared, type ComparisonResult, resultOf } from './result.ts';
import { entriesOf, runSearches, type Searcher } from './searches.ts';
import { compareStudies } from './studies.ts';
import { compareOnTable, notOnTable, ON_TABLES } from './table.ts';

/** Code that a program gives: each search of a comparison takes it from a file. */
type CodeName = 'measures' | 'metrics' | 'loss';

/**
 * What is compared: finished studies (`studies`), or new searches, one for each strategy or estimator. The settings that these searches
 * share are those of `createStudy`. With `benchmark` the searches are simulated on its table.
 */
export interface CompareSpec extends Omit<StudySpec, 'strategy' | 'strategyOptions' | 'dir' | 'ifExists' | CodeName> {
  /** The path of a file that exports a loss (`defineLoss`). Measures and metrics come from files, too: `measure`, `metric`. */
  readonly loss?: string;
  /** Folders of finished studies, or of folders with such. */
  readonly studies?: readonly string[];
  /** Random search is always among them. As on the command line (`'tpe:gamma=0.15'`), a file of your own, or `tpe({ gamma: 0.15 })`. */
  readonly strategies?: readonly (string | StrategyChoice)[];
  /** `train`, `'proxies:batchSize=32'`, or a file of your own. */
  readonly estimators?: readonly string[];
  /** Searches for each, with consecutive seeds from `seed`. Default: 3. */
  readonly seeds?: number;
  /** Final trainings of each winner, which are tested. Default: 0. */
  readonly evaluate?: number;
  /**
   * The folder for the report, the tables and the studies. Searches that are there are continued. Default: the next free
   * `runs/compare-N` where searches are run; else nothing is written.
   */
  readonly out?: string;
  readonly signal?: AbortSignal;
}

/**
 * Compares strategies, estimators or studies with random search over several seeds, as `netsmith compare` does. Throws UserError for what
 * cannot be compared, and the signal's reason where it aborts: the same call continues then.
 */
export async function compare(spec: CompareSpec): Promise<ComparisonResult> {
  const { studies, strategies, estimators, seeds = 3, evaluate: trainings = 0, out, signal, ...shared } = spec;
  const { onNote } = shared;
  const notes: Notes = { note: (text) => onNote?.(text) };
  checkCounts({ seeds, evaluate: trainings });
  if (studies !== undefined) {
    const [other] = Object.keys(spec).filter((name) => name !== 'studies' && name !== 'out' && name !== 'onNote');
    if (other !== undefined) throw invalid(`compare: ${other}`, 'given with studies', 'which have their own settings');
    return resultOf(await compareStudies(studies.map((dir) => ({ dir }))), COMMAND, out);
  }
  if (strategies === undefined && estimators === undefined)
    throw invalid('compare', 'nothing to compare', 'give studies, strategies or estimators');
  if (shared.benchmark !== undefined) {
    const settings = await settingsOnTable(shared, shared.benchmark);
    const named = namedStrategies(strategies ?? []);
    return resultOf(await compareOnTable(settings, named, seedsFrom(settings.seed, seeds), notes), COMMAND, out);
  }
  const space = await definitionOf(shared.space ?? defaultSpace({ ...shared }));
  const settings = await settingsOf(shared, typeof shared.space === 'string' ? shared.space : space.name, 'compare');
  const order = {
    entries: entriesOf(
      [{ name: '', settings }],
      strategies && namedStrategies(strategies),
      estimators && namedEstimators(estimators),
    ),
    seeds: seedsFrom(settings.seed, seeds),
    space,
    prior: shared.prior ?? [],
    evaluate: trainings,
    out: out ?? nextFree(),
  };
  const dirs = await runSearches(order, plainSearcher(signal), notes);
  if (dirs === undefined) throw signal?.reason;
  const compared: Compared = await compareStudies(dirs);
  return resultOf(compared, COMMAND, order.out);
}

/** What the report says of how it was made. */
const COMMAND = 'compare(...) of netsmith/node';

/** Throws UserError for a setting that has no effect on a table. */
async function settingsOnTable(given: Omit<StudySpec, CodeName>, benchmark: string) {
  const known: readonly string[] = [...ON_TABLES, 'limits', 'onNote'];
  const wrong = Object.keys(given).find((name) => !known.includes(name));
  if (wrong !== undefined) throw invalid(`compare: ${wrong}`, 'given with benchmark', notOnTable(wrong));
  const { data, trials, time } = given;
  const {
    space = '',
    objective: _,
    ...presets
  } = benchmarkPresets({
    benchmark,
    ...(data !== undefined && { data }),
    ...(trials !== undefined && { trials }),
    ...(time !== undefined && { time }),
  });
  return { ...(await settingsOf({ ...presets, ...given }, space, 'compare')), benchmark };
}

/** Throws UserError for numbers of seeds and of final trainings that there cannot be. */
export function checkCounts({ seeds, evaluate }: { readonly seeds: unknown; readonly evaluate: unknown }): void {
  if (!isWhole(seeds, 1, 1000)) throw invalid('--seeds', shownValue(seeds), 'must be a whole number from 1 to 1,000');
  if (!isWhole(evaluate, 0, 1000))
    throw invalid('--evaluate', shownValue(evaluate), 'must be a whole number from 0 to 1,000');
}

export function seedsFrom(seed: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => seed + i);
}

/** `runs/compare-1`, or with the first number that is free. */
export function nextFree(): string {
  for (let n = 1; ; n++) {
    const dir = join('runs', `compare-${n}`);
    if (!existsSync(dir)) return dir;
  }
}

function plainSearcher(signal: AbortSignal = new AbortController().signal): Searcher {
  return {
    async search(dir, store, setup) {
      try {
        return (await runToEnd(dir, store, setup, { signal })).reason !== 'interrupted';
      } finally {
        await store.close();
      }
    },
    evaluate: (dir, setup, best, options) => evaluate(dir, setup, best, options, {}, signal),
  };
}
