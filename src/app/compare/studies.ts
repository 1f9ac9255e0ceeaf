import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid, type UserError } from '../../common/errors.ts';
import { largest } from '../../common/extremes.ts';
import type { Objective } from '../../common/metrics.ts';
import { compareBy } from '../../common/metrics.ts';
import type { ComparedRun, Comparison, Step } from '../../report/compare/data.ts';
import { busyTime } from '../../report/figures/series.ts';
import { mean } from '../../report/numbers.ts';
import { decisions } from '../../space/index.ts';
import { computingSeconds } from '../../study/account.ts';
import { testedObjective } from '../../study/objectives.ts';
import { measured } from '../../study/ranking.ts';
import type { StudySettings } from '../../study/spec.ts';
import type { Trial } from '../../study/store/store.ts';
import { requireBest } from '../best.ts';
import { readEvaluation } from '../evaluation/evaluation.ts';
import { isFinished, reportTrial } from '../report.ts';
import { budgetOf } from '../setup.ts';
import { identityOf, type ReadStudy, readStudy } from '../study.ts';
import { versions } from '../versions.ts';
import { withOptions } from './competitors.ts';
import { allTrain, checkProtocol, groupKey, isRandom, protocolNames } from './protocol.ts';
import type { Compared } from './result.ts';

/** A finished study; without a name it is called after its strategy. */
export interface NamedStudy {
  readonly dir: string;
  readonly name?: string;
}

interface Opened extends NamedStudy {
  readonly study: ReadStudy;
}

/**
 * The results of finished studies, grouped by configuration. If a folder is no study, the studies in it are read. Throws
 * UserError for an unfinished study, protocols or data that differ, a seed that a configuration has twice, and where none
 * of them is random search.
 */
export async function compareStudies(named: readonly NamedStudy[]): Promise<Compared> {
  const read: Opened[] = [];
  for (const one of named.flatMap(expanded)) read.push({ ...one, study: await readStudy(one.dir) });
  const [first, ...others] = read;
  if (first === undefined) throw invalid('compare', 'no studies', 'must be given at least two');
  const opened = [first, ...others] as const;
  for (const one of opened) await checkOne(one);
  checkProtocol(opened.map(({ dir, study: { settings } }) => ({ place: `study "${dir}"`, settings })));
  checkData(opened);

  const groups = [...Map.groupBy(opened, ({ name, study }) => name ?? groupKey(study)).values()];
  const names = namesOf(groups);
  const { settings, space, data } = first.study;
  const all = opened.map(({ study }) => study.settings);
  const objective = yardstick(opened);
  const counted = settings.environment === undefined ? 'evaluations' : 'environment steps';
  const axis = settings.time === undefined ? counted : 'seconds';
  const competitors = groups.map((group, i) => {
    checkSeeds(group);
    return { name: names[i] ?? '', runs: group.map((one) => runOf(one, objective, axis, allTrain(all))) };
  });
  const trained = groups.findIndex(([one]) => one !== undefined && isRandom(one.study.settings, 'train'));
  const random =
    trained >= 0 ? trained : groups.findIndex(([one]) => one !== undefined && isRandom(one.study.settings));
  const reference = competitors[random];
  if (reference === undefined) {
    throw invalid(
      'compare',
      `no random search among ${names.join(', ')}`,
      'a comparison needs a random search with the same budget',
    );
  }
  return {
    title: `${data.name}, ${space.name}`,
    objective,
    axis,
    budget: budgetText(settings),
    protocol: Object.fromEntries(
      protocolNames(all)
        .filter((name) => settings[name] !== undefined)
        .map((name) => [name, textOf(settings[name])]),
    ),
    reference: reference.name,
    competitors: [reference, ...competitors.filter((one) => one !== reference)],
    decisions: (space.tree === undefined ? [] : decisions(space.tree)).map(({ name }) => name),
    tested: 'test: the mean over the training runs of `evaluate`.',
    versions: versions(),
  };
}

/**
 * What all are compared by: the metric that they searched by or, where some have trained nothing, that of their evaluations. Throws
 * UserError where one has no evaluation then, or another metric.
 */
function yardstick(opened: readonly [Opened, ...Opened[]]): Objective {
  const [first, ...others] = opened;
  if (allTrain(opened.map(({ study }) => study.settings))) return first.study.problem.objectives[0];
  const testedBy = ({ study: { problem, data } }: Opened) => testedObjective(problem.objectives, data);
  const objective = testedBy(first);
  for (const other of others)
    if (testedBy(other).metric !== objective.metric)
      throw invalid(
        `study "${other.dir}"`,
        `is evaluated by ${testedBy(other).metric}, but study "${first.dir}" by ${objective.metric}`,
        'searches with different estimators need a common metric of the trained networks',
      );
  const untested = opened.find(({ dir, study }) => readEvaluation(dir)?.trial !== requireBest(study, dir).trial);
  if (untested !== undefined)
    throw invalid(
      `study "${untested.dir}"`,
      'its best trial has not been evaluated',
      `searches without training are compared by their evaluations (run netsmith evaluate ${untested.dir})`,
    );
  return objective;
}

function expanded(one: NamedStudy): readonly NamedStudy[] {
  const { dir } = one;
  if (existsSync(join(dir, 'study.db')) || !existsSync(dir)) return [one];
  const inside = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, 'study.db')))
    .map((entry) => ({ dir: join(dir, entry.name) }));
  return inside.length === 0 ? [one] : inside.toSorted((a, b) => a.dir.localeCompare(b.dir, 'en', { numeric: true }));
}

async function checkOne({ dir, study }: Opened): Promise<void> {
  const place = `study "${dir}"`;
  const [, ...others] = study.problem.objectives;
  if (others.length > 0)
    throw invalid(place, `${others.length + 1} objectives`, 'only studies with one objective can be compared');
  if (!(await isFinished(study)))
    throw invalid(place, 'has not finished', `only finished studies can be compared (run netsmith resume ${dir})`);
  requireBest(study, dir);
}

/** The same data and the same space, whatever the names say. Which samples are validation follows from the seed. */
function checkData([first, ...others]: readonly Opened[]): void {
  if (first === undefined) return;
  const differs = (other: Opened, what: string): UserError =>
    invalid(`study "${other.dir}"`, `its ${what} is not the same as in study "${first.dir}"`, 'both must be the same');
  const about = ({ study: { data } }: Opened) => {
    const { name, kind, input, outputs, labels, counts } = data;
    return { name, kind, input, outputs, labels, counts };
  };
  const epochs = new Set<number>();
  for (const one of [first, ...others]) {
    if (!isDeepStrictEqual(about(one), about(first))) throw differs(one, 'data');
    if (!isDeepStrictEqual(identityOf(one.study.space), identityOf(first.study.space))) throw differs(one, 'space');
    const evaluated = readEvaluation(one.dir)?.epochs;
    if (evaluated !== undefined) epochs.add(evaluated);
    if (epochs.size > 1) throw differs(one, 'number of epochs in `evaluate`');
  }
}

function checkSeeds(group: readonly Opened[]): void {
  for (const [i, { dir, study }] of group.entries()) {
    const { seed } = study.settings;
    const earlier = group.slice(0, i).find((other) => other.study.settings.seed === seed);
    if (earlier === undefined) continue;
    throw invalid(
      `study "${dir}"`,
      `seed ${seed}, as study "${earlier.dir}"`,
      'each seed may be used only once per strategy',
    );
  }
}

/** The strategy, with the options that were given for it, the rule that stops trials where there is one, what estimates if not training, and what it began with. */
function namesOf(groups: readonly (readonly Opened[])[]): readonly string[] {
  return groups.map(([one]) => {
    if (one?.name !== undefined) return one.name;
    if (one === undefined) return '';
    const { settings, prior = [] } = one.study;
    const { strategy, strategyOptions, stopping, estimator, estimatorOptions } = settings;
    return [
      withOptions(strategy, strategyOptions),
      ...(stopping === 'none' ? [] : [`${stopping} stopping`]),
      ...(estimator === 'train' ? [] : [withOptions(estimator, estimatorOptions)]),
      ...(prior.length === 0 ? [] : [`after ${prior.map((dir) => basename(dir)).join(' and ')}`]),
    ].join(', ');
  });
}

function runOf({ dir, study }: Opened, objective: Objective, axis: Comparison['axis'], isValid: boolean): ComparedRun {
  const { metric } = objective;
  const { trials, settings, space } = study;
  const best = requireBest(study, dir);
  const evaluation = readEvaluation(dir);
  const tested = evaluation?.trial === best.trial ? evaluation.metrics.flatMap((one) => one[metric] ?? []) : [];
  const ended = trials
    .filter(({ purpose, endedAt }) => purpose === 'search' && endedAt !== undefined)
    .toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0) || a.trial - b.trial);
  const busy = busyTime(trials.map((trial) => reportTrial(study, trial)));
  let taken = 0;
  const stepsUntil = ended.map((trial) => {
    taken += stepsOf(trial, settings);
    return taken;
  });
  const placeOf = (trial: Trial | undefined, i: number) => {
    if (axis === 'seconds') return busy(trial?.endedAt ?? 0);
    return axis === 'evaluations' ? i + 1 : (stepsUntil[i] ?? 0);
  };
  const full = largest(best.results.map(({ fidelity }) => fidelity));
  const trajectory: Step[] = [];
  for (const [i, trial] of ended.entries()) {
    const value = measured(trial)[metric];
    if (trial.state !== 'complete' || trial.fidelity !== full || value === undefined) continue;
    const last = trajectory.at(-1);
    if (last !== undefined && compareBy(objective, { [metric]: value }, { [metric]: last.value }) >= 0) continue;
    trajectory.push({ at: placeOf(trial, i), value });
  }
  return {
    seed: settings.seed,
    study: dir,
    trajectory: isValid ? trajectory : [],
    end: placeOf(ended.at(-1), ended.length - 1),
    architecture: best.architecture,
    text: space.format(best.architecture),
    ...(isValid && { valid: best.metrics[metric] ?? Number.NaN }),
    ...(tested.length > 0 && { test: mean(tested) }),
    evaluations: ended.length,
    seconds: computingSeconds(trials),
  };
}

/** Environment steps that a trial has learned from; of a genome, those that it was measured on. */
function stepsOf({ curve, metrics }: Trial, { envSteps, epochs, episodes = 1 }: StudySettings): number {
  if (envSteps === undefined) return (metrics.steps ?? 0) * episodes;
  return ((curve.at(-1)?.step ?? 0) * envSteps) / epochs;
}

function budgetText(settings: StudySettings): string {
  const { trials, seconds } = budgetOf(settings);
  return [
    ...(trials === undefined ? [] : [`${trials} trials`]),
    ...(seconds === undefined ? [] : [`${seconds} s`]),
    ...(settings.until === undefined ? [] : [`until ${settings.until.join(' and ')}`]),
  ].join(' or ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
