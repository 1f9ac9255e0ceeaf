import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { bestTrials } from '../../app/best.ts';
import { chosen } from '../../app/choice.ts';
import { tryPredictor } from '../../app/estimators.ts';
import { readEvaluation } from '../../app/evaluation/evaluation.ts';
import { ownFilesOf } from '../../app/own-files.ts';
import { readPrior } from '../../app/prior.ts';
import { isFinished } from '../../app/report.ts';
import { CHANGEABLE, reopen } from '../../app/resume.ts';
import { setUp } from '../../app/setup.ts';
import { type ReadStudy, readStudy, setUpAgain } from '../../app/study.ts';
import { invalid } from '../../common/errors.ts';
import { SETTING_NAMES, type StudySettings } from '../../study/spec.ts';
import { evaluateInView } from '../evaluate.ts';
import { Interrupted, interruptible } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { newStudyOfCommand, searchToItsEnd } from '../search.ts';
import { loadSpace } from '../space-file.ts';
import { allTrain, checkProtocol } from './protocol.ts';
import type { NamedStudy } from './studies.ts';

/** One of those that are compared. */
export interface Entry {
  readonly name: string;
  /** Its seed is the run's. */
  readonly settings: StudySettings;
}

export interface SearchesOrder {
  readonly entries: readonly Entry[];
  readonly seeds: readonly number[];
  /** Folders of earlier studies that every search begins with. */
  readonly prior: readonly string[];
  /** Trainings of each winner for the test; 0: none. */
  readonly evaluate: number;
  /** Each search is a study in a folder of its own in here. */
  readonly out: string;
}

/**
 * Runs the searches one after another, the seeds in the outer loop. An existing study is resumed, or left alone
 * if it has ended. Returns `Interrupted` after Ctrl-C. Checks everything before the first search: throws UserError for settings that do
 * not fit, for protocols that differ, and for a folder that holds another study.
 */
export async function runSearches(order: SearchesOrder, output: Output): Promise<readonly NamedStudy[] | Interrupted> {
  const { entries, seeds, prior, out } = order;
  const twice = entries.find(({ name }, i) => entries.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw invalid('compare', `"${twice.name}" twice`, 'must name each once');
  checkProtocol(entries.map(({ name, settings }) => ({ place: `"${name}"`, settings })));
  if (order.evaluate === 0 && !allTrain(entries.map(({ settings }) => settings)))
    throw invalid('--evaluate', '0', 'must be at least 1: searches without training are compared by their evaluations');
  const quiet: Output = { ...output, note: () => {} };
  for (const { settings } of entries) {
    const setup = await setUp(settings, await loadSpace(settings.space));
    const earlier = await readPrior(prior, setup, quiet);
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
      output.note(`\n[${i + 1} of ${runs.length}] ${name}, seed ${settings.seed}`);
      const { store, setup } =
        found === undefined
          ? await newStudyOfCommand(settings, { out: dir, prior }, output)
          : await reopen(dir, { ...ownFilesOf(settings) }, output);
      const end = await searchToItsEnd(dir, store, setup, output);
      if (end.reason === 'interrupted') return end.interrupted ?? new Interrupted('SIGINT');
    }
    if (order.evaluate > 0) await evaluateWinner(dir, order.evaluate, output);
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
  const fixed = SETTING_NAMES.filter((name) => !CHANGEABLE.includes(name) || name === 'trials' || name === 'time');
  const other = fixed.find((name) => !isDeepStrictEqual(found[name], wanted[name]));
  if (other === undefined) return;
  const [is, should] = [found[other], wanted[other]].map((value) => JSON.stringify(value) ?? 'not set');
  throw invalid(`study "${dir}"`, `${other} is ${is}, not ${should}`, rule);
}

/** Tests the winner of a study, unless that has been done. */
async function evaluateWinner(dir: string, seeds: number, output: Output): Promise<void> {
  const study = await readStudy(dir);
  const [best] = bestTrials(study);
  const record = readEvaluation(dir);
  if (best === undefined || (record?.trial === best.trial && record.seeds.length === seeds)) return;
  const setup = await setUpAgain(study, dir, study.settings);
  await interruptible(
    () => output.note('Interrupted. Completed training runs are kept.'),
    (signal) => evaluateInView(dir, setup, chosen(study, dir), { seeds, baselines: false }, output, signal),
  );
}
