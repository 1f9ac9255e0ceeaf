import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../../common/errors.ts';
import type { StudySettings } from '../../study/spec.ts';
import type { Store } from '../../study/store/store.ts';
import { bestTrials } from '../best.ts';
import { type Chosen, chosen } from '../choice.ts';
import { tryPredictor } from '../estimators.ts';
import type { EvaluateOptions } from '../evaluation/evaluate.ts';
import { readEvaluation } from '../evaluation/evaluation.ts';
import type { Notes } from '../notes.ts';
import { ownFilesOf, trainingFiles } from '../own-files.ts';
import { readPrior } from '../prior.ts';
import { isFinished } from '../report.ts';
import { CHANGEABLE, checkSameSettings, reopen } from '../resume.ts';
import { newStudy } from '../search.ts';
import { type AnySpace, type Setup, setUp } from '../setup.ts';
import { loadAnySpace } from '../space-file.ts';
import { type ReadStudy, readStudy, setUpAgain } from '../study.ts';
import { checkNamedOnce, type NamedEstimator, type NamedStrategy, RANDOM } from './competitors.ts';
import { allTrain, checkProtocol, isRandom } from './protocol.ts';
import type { NamedStudy } from './studies.ts';

/** One of those that are compared. */
export interface Entry {
  readonly name: string;
  /** Its seed is the run's. */
  readonly settings: StudySettings;
}

/** Each configuration with each strategy and each estimator, where there are some; random search among them. */
export function entriesOf(
  configurations: readonly Entry[],
  strategies: readonly (NamedStrategy | undefined)[] = [undefined],
  estimators: readonly (NamedEstimator | undefined)[] = [undefined],
): readonly Entry[] {
  const entries = configurations.flatMap(({ name, settings }) =>
    strategies.flatMap((by) =>
      estimators.map((judge) => ({
        name: [name, by?.name, judge?.name].filter(Boolean).join(' '),
        settings: {
          ...settings,
          ...(by && { strategy: by.strategy, strategyOptions: by.options }),
          ...(judge && { estimator: judge.estimator, estimatorOptions: judge.options }),
        },
      })),
    ),
  );
  const [first] = entries;
  if (first === undefined || entries.some(({ settings }) => isRandom(settings))) return entries;
  const random: Entry = {
    name: entries.some(({ name }) => name === RANDOM.name) ? 'random in full' : RANDOM.name,
    settings: {
      ...first.settings,
      ...{ strategy: RANDOM.strategy, strategyOptions: {}, stopping: 'none', stoppingOptions: {} },
      // It has no supernet to start from.
      ...(first.settings.startFrom && { startFrom: 'fresh' }),
    },
  };
  return [random, ...entries];
}

export interface SearchesOrder {
  readonly entries: readonly Entry[];
  readonly seeds: readonly number[];
  /** The space that a program gives; by default the one that the settings name. */
  readonly space?: AnySpace;
  /** Folders of earlier studies that every search begins with. */
  readonly prior: readonly string[];
  /** Trainings of each winner for the test; 0: none. */
  readonly evaluate: number;
  /** Each search is a study in its own folder in here. */
  readonly out: string;
}

/** How the searches are run: the command line shows their progress, and ends them on Ctrl-C. */
export interface Searcher {
  /** Runs an open study to its end and closes it. False: it was interrupted, and the comparison ends with it. */
  search(dir: string, store: Store, setup: Setup): Promise<boolean>;
  evaluate(dir: string, setup: Setup, best: Chosen, options: EvaluateOptions): Promise<unknown>;
}

/**
 * Runs the searches one after another, the seeds in the outer loop. An existing study is resumed, or left alone
 * if it has ended. Returns undefined where one was interrupted. Checks everything before the first search: throws UserError for settings
 * that do not fit, for protocols that differ, and for a folder that holds another study.
 */
export async function runSearches(
  order: SearchesOrder,
  searcher: Searcher,
  notes: Notes,
): Promise<readonly NamedStudy[] | undefined> {
  const { entries, seeds, prior, out } = order;
  checkNamedOnce('compare', entries);
  checkProtocol(entries.map(({ name, settings }) => ({ place: `"${name}"`, settings })));
  if (order.evaluate === 0 && !allTrain(entries.map(({ settings }) => settings)))
    throw invalid('--evaluate', '0', 'must be at least 1: searches without training are compared by their evaluations');
  const spaceOf = async ({ space }: StudySettings) => order.space ?? (await loadAnySpace(space));
  for (const { settings } of entries) {
    const setup = await setUp(settings, await spaceOf(settings), false, ownFilesOf(settings));
    const earlier = await readPrior(prior, setup, { note: () => {} });
    if (setup.estimator.kind === 'predictor') await tryPredictor(setup, setup.estimator, earlier);
  }
  const runs = seeds.flatMap((seed) =>
    entries.map(({ name, settings }) => ({
      name,
      dir: join(out, `${name.replace(/[^\w.=-]+/g, '-')}-seed-${seed}`),
      settings: { ...settings, seed },
    })),
  );
  const there = new Map<string, ReadStudy>();
  for (const { dir, settings } of runs) {
    if (!existsSync(join(dir, 'study.db'))) continue;
    const study = await readStudy(dir);
    checkSame(dir, study, settings, prior);
    there.set(dir, study);
  }
  for (const [i, { name, dir, settings }] of runs.entries()) {
    const found = there.get(dir);
    if (found === undefined || !(await isFinished(found))) {
      notes.note(`\n[${i + 1} of ${runs.length}] ${name}, seed ${settings.seed}`);
      const own = ownFilesOf(settings);
      const { store, setup } =
        found === undefined
          ? await newStudy(settings, await spaceOf(settings), { out: dir, prior, own }, notes)
          : await reopen(dir, { ...own }, notes);
      if (!(await searcher.search(dir, store, setup))) return undefined;
    }
    if (order.evaluate > 0) await evaluateWinner(dir, settings, order.evaluate, searcher);
  }
  return runs.map(({ name, dir }) => ({ name, dir }));
}

/** Throws UserError where a study in the comparison's folder is not the one that it should hold. */
function checkSame(dir: string, study: ReadStudy, wanted: StudySettings, prior: readonly string[]): void {
  const { settings: found, prior: begun = [] } = study;
  const rule = 'a comparison can only be resumed with the same settings';
  const folders = prior.map((folder) => resolve(folder));
  if (!isDeepStrictEqual(begun, folders))
    throw invalid(`study "${dir}"`, `prior is ${JSON.stringify(begun)}, not ${JSON.stringify(folders)}`, rule);
  // Competitors have the same budget.
  const changeable = CHANGEABLE.filter((name) => name !== 'trials' && name !== 'time');
  checkSameSettings(dir, found, wanted, changeable, rule);
}

/** Tests the winner of a study, unless that has been done. */
async function evaluateWinner(dir: string, settings: StudySettings, seeds: number, searcher: Searcher): Promise<void> {
  const study = await readStudy(dir);
  const [best] = bestTrials(study);
  const record = readEvaluation(dir);
  if (best === undefined || (record?.trial === best.trial && record.seeds.length === seeds)) return;
  const own = trainingFiles(ownFilesOf(settings));
  const setup = await setUpAgain(study, dir, study.settings, { own });
  await searcher.evaluate(dir, setup, chosen(study, dir), { seeds, baselines: false });
}
