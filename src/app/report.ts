import { basename, isAbsolute, join, relative, resolve as resolvePath, sep } from 'node:path';
import { valuesWithoutFolders, withoutFolders } from '../common/paths.ts';
import { networkCosts } from '../network/costs.ts';
import { oneShotOf, WEIGHT_METHODS } from '../oneshot/names.ts';
import type { ReportData, ReportTrial, Winner } from '../report/data.ts';
import { modelMetadata } from '../report/export/onnx.ts';
import { isNeatSpace } from '../space/genome/neat.ts';
import { type Architecture, decisions } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Strategy } from '../strategy/strategy.ts';
import { tryingFirst } from '../strategy/wrappers/trying-first.ts';
import { accountOf, computingSeconds } from '../study/account.ts';
import { budgetEnd } from '../study/budget.ts';
import { triedOf } from '../study/exhaustion.ts';
import { nameOfMetric, shownCosts, testedObjective } from '../study/objectives.ts';
import { coverageOf } from '../study/ranking.ts';
import { FUNCTION, isOwnFile, type StudySettings, trainsTrials } from '../study/spec.ts';
import { checkFile, readPlain, writeWhole } from '../study/store/files.node.ts';
import type { Trial } from '../study/store/store.ts';
import { spaceTask } from '../task/index.ts';
import { bestTrials, takenBy } from './best.ts';
import { commandOf, flagText, shellWord } from './command-line.ts';
import { readPolicy } from './control/record.ts';
import { testedBaselines } from './evaluation/baselines.ts';
import { type EvaluationRecord, readEvaluation, readWeights } from './evaluation/evaluation.ts';
import { readPredictions } from './evaluation/predictions.ts';
import { OWN_FILES, type OwnFileName, pathsOf, TRAINING_FILES } from './own-files.ts';
import { earlierStudies } from './prior.ts';
import { budgetOf } from './setup.ts';
import { strategyNamed } from './strategies.ts';
import { agreementsIn, planToJson, type ReadStudy, readStudy } from './study.ts';
import { supernetView } from './supernet-view.ts';
import { onSimulatedClock } from './table-search.ts';
import { versions } from './versions.ts';

/** Costs by the names that people know. */
const COST_LABELS: Readonly<Record<string, string>> = { params: 'Parameters', flops: 'FLOPs' };

/** Writes the report of a study, also of one under way, and returns the file. `space`: that of a study whose space is code. */
export async function writeReport(dir: string, out = join(dir, 'report.html'), space?: SearchSpace): Promise<string> {
  checkFile(out, '--out');
  const study = await readStudy(dir, space);
  // What draws figures takes a third of the start of a command, and only reports need it.
  const { renderReport } = await import('../report/html.ts');
  writeWhole(out, await renderReport(await reportData(dir, study)));
  return out;
}

/** Everything that the report says of a study, gathered from its store and from what `evaluate` left. */
export async function reportData(dir: string, study: ReadStudy): Promise<ReportData> {
  const { record, settings, data, block, space, openSpace, problem, trials } = study;
  const isTable = settings.benchmark !== undefined;
  const size = space.size?.()?.toLocaleString('en-GB');
  const evaluation = readEvaluation(dir);
  const front = bestTrials(study);
  // With several objectives, the evaluated trial is the user's choice.
  const best = front.find(({ trial }) => trial === evaluation?.trial) ?? front[0];
  const coverage = coverageOf(trials, problem.objectives, problem.reference);
  const shown = settingsShown(settings);
  // A study that went on since, or `--trial`: what was tested need not be what is best.
  const ofWinner = evaluation?.trial === best?.trial ? evaluation : undefined;
  const account = accountOf(
    trials.filter(({ purpose }) => purpose === 'search'),
    study.clock,
  );
  const exported = best && readWeights(dir, best.architecture);
  const winner = best && {
    trial: best.trial,
    architecture: space.format(best.architecture),
    ...networkOf(study, best.architecture),
    by: takenBy(study, front, best),
    metrics: best.metrics,
    runs: best.results.length,
  };
  const samples = ofWinner && readPredictions(dir, ofWinner.trial, ofWinner.epochs);
  const classical = ofWinner === undefined ? [] : testedBaselines(dir);
  const modelBytes = winner && modelBytesOf(dir, winner.architecture);
  return {
    name: withoutFolders(record.name),
    dir: shellWord(withoutHome(dir)),
    files: { resume: flagsOf(shown, OWN_FILES), evaluate: flagsOf(shown, TRAINING_FILES) },
    createdAt: record.createdAt,
    finished: await isFinished(study),
    space: {
      name: space.name,
      options: space.tree?.options ?? {},
      ...(openSpace === true && { isCode: true }),
      ...(size !== undefined && { size }),
    },
    strategy: isOwnFile(settings.strategy) ? basename(settings.strategy) : settings.strategy,
    estimator: isTable ? 'table' : sourceOf(settings.estimator),
    seed: settings.seed,
    objectives: problem.objectives,
    costs: shownCosts(problem, settings, trials).map((name) => ({
      name,
      label: COST_LABELS[name] ?? nameOfMetric(settings, name),
      direction: settings.measures?.[name]?.direction ?? 'minimize',
    })),
    tested: testedObjective(problem.objectives, data),
    data: { ...data, notes: valuesWithoutFolders(data.notes) },
    trials: (isTable ? onSimulatedClock(trials, record.createdAt) : trials)
      .map((trial) => reportTrial(study, trial))
      .map((trial) => (trial.reason === undefined ? trial : { ...trial, reason: withoutFolders(trial.reason) })),
    seconds: computingSeconds(trials),
    searchSeconds: study.clock.searchSeconds,
    front: front.map(({ trial }) => trial),
    ...(coverage && { coverage }),
    ...(modelBytes !== undefined && { modelBytes }),
    ...(study.earlier.length > 0 && { earlier: valuesWithoutFolders(earlierStudies(study)) }),
    agreements: agreementsIn(study),
    ...(account.workerSeconds > 0 && trainsTrials(settings) && { account }),
    ...supernetOf(study),
    ...(winner !== undefined && { winner }),
    ...(ofWinner !== undefined && {
      test: {
        name: `trial ${ofWinner.trial}`,
        seeds: ofWinner.seeds,
        metrics: ofWinner.metrics,
        trainedOn: ofWinner.trainedOn,
        ...(exported?.test !== undefined && exported.epochs === ofWinner.epochs && { ofFile: exported.test }),
        ...(ofWinner.confusion !== undefined && { confusion: ofWinner.confusion }),
        ...(samples !== undefined && { samples }),
      },
    }),
    ...(settings.environment !== undefined && {
      policy: {
        ...(settings.envSteps !== undefined && { stepsPerEpoch: settings.envSteps / settings.epochs }),
        ...((ofWinner && readPolicy(dir, ofWinner.trial)) ?? { curves: [] }),
      },
    }),
    ...(evaluation !== undefined && ofWinner === undefined && { testedInstead: evaluation.trial }),
    baselines: (ofWinner?.baselines ?? []).map(({ name, seeds, metrics, costs }) => ({
      name,
      seeds,
      metrics,
      costs,
    })),
    ...(classical.length > 0 && { classical }),
    settings: valuesWithoutFolders(planToJson({ settings: shown, data, ...(block !== undefined && { block }) })),
    commands: commandsOf(dir, { ...study, settings: shown }, best?.trial, evaluation),
    versions: versions(),
  };
}

/**
 * Whether the search has finished: nothing runs, and `resume` with the same budget would start nothing. A trial that
 * waits is resumed unless the time is up or the target is reached.
 */
export async function isFinished({
  settings,
  openSpace,
  problem,
  trials,
  clock,
  strategyState,
  supernet,
}: ReadStudy): Promise<boolean> {
  const searched = trials.filter(({ purpose }) => purpose === 'search');
  const spent = budgetEnd(budgetOf(settings), searched, clock.searchSeconds, problem.objectives);
  const leftWaiting = spent === 'time' || spent === 'target';
  const rests = trials.every(
    ({ state, purpose }) => state !== 'running' && (state !== 'waiting' || (leftWaiting && purpose === 'search')),
  );
  if (!rests || spent !== undefined) return rests;
  if (oneShotOf(settings) !== undefined && supernet?.state !== 'complete') return supernet?.state === 'failed';
  // A report runs no code of the user's own: neither a strategy from a file nor a space of a program.
  if (isOwnFile(settings.strategy) || openSpace === true) return false;
  // A search within its budget is finished when the strategy proposes nothing more.
  const chosen = strategyNamed(settings.strategy, settings.strategyOptions);
  const strategy: Strategy = settings.handDesigned ? tryingFirst(chosen, []) : chosen;
  const [, proposals] = await strategy.ask(problem, strategyState.state, searched.length, 1);
  const tried = triedOf(problem);
  for (const trial of searched) tried.note(trial);
  return proposals.length === 0 || tried.isUsedUp(proposals);
}

/** The supernet as the report shows it. */
function supernetOf(study: ReadStudy): Pick<ReportData, 'supernet'> {
  const { space, settings } = study;
  const [view, method] = [supernetView(study), oneShotOf(settings)];
  if (view === null || method === undefined) return {};
  const { curve, epochs, of, seconds, reason, collapse } = view;
  const { mixture } = curve.at(-1) ?? {};
  const options = Object.fromEntries(
    (space.tree === undefined ? [] : decisions(space.tree)).flatMap(({ name, domain }) =>
      domain.kind === 'values' && mixture !== undefined && Object.hasOwn(mixture.weights, name)
        ? [[name, domain.values.map(String)] as const]
        : [],
    ),
  );
  return {
    supernet: {
      ...{ method, epochs, of, seconds, options },
      curve: curve.map(({ step, metrics, mixture }) => ({
        ...{ epoch: step, metrics },
        ...(mixture && { weights: mixture.weights }),
      })),
      ...(mixture && { genotype: space.format(mixture.genotype) }),
      ...(collapse !== null && { collapse }),
      ...(reason !== undefined && { reason: withoutFolders(reason) }),
    },
  };
}

/** Where the values of search trials come from, by the estimator that the settings name. */
function sourceOf(estimator: string): ReportData['estimator'] {
  if (WEIGHT_METHODS.some((name) => name === estimator)) return 'shared';
  return (['train', 'proxies', 'predictor', FUNCTION] as const).find((name) => name === estimator) ?? 'own';
}

/** The flags that name these of the user's own files: ` --data ./mine.ts`. */
function flagsOf(settings: StudySettings, names: readonly OwnFileName[]): string {
  const flags = names.map((name) => {
    const file = settings[name];
    return file !== undefined && isOwnFile(file) ? ` ${flagText(name, file)}` : '';
  });
  return flags.join('');
}

/** Whether a study was searched with functions of a program, which no command has. */
function needsProgram({ estimator, loss, measure, measures, data, metric, metrics }: StudySettings): boolean {
  const isFile = [data, metric].some((file) => file !== undefined && isOwnFile(file));
  const inProgram = [measures !== undefined && measure === undefined, metrics !== undefined && !isFile];
  return estimator === FUNCTION || loss === FUNCTION || inProgram.includes(true);
}

/** What `run` takes for `--seeds` by default. */
const FINAL_SEEDS = 3;

/** The command lines that make this report again, in order. */
function commandsOf(
  dir: string,
  { settings, openSpace, prior = [], afterwards }: Pick<ReadStudy, 'settings' | 'openSpace' | 'prior' | 'afterwards'>,
  best: number | undefined,
  evaluation: EvaluationRecord | undefined,
): string[] {
  const shown = shellWord(withoutHome(dir));
  const began = prior.length === 0 ? '' : ` --prior ${prior.map((one) => shellWord(withoutHome(one))).join(' ')}`;
  // The time of a run is that of all its steps.
  if (afterwards?.time !== undefined && !needsProgram(settings)) {
    const { seeds, baselines, choose } = afterwards;
    const more = [
      ...(seeds === FINAL_SEEDS ? [] : [` --seeds ${seeds}`]),
      ...(baselines ? [] : [' --no-baselines']),
      ...(choose === undefined ? [] : [` --choose ${choose}`]),
    ];
    return [`${commandOf('run', settings)}${began}${more.join('')} --out ${shown}`];
  }
  const search = `${commandOf('search', settings)}${began} --out ${shown}`;
  if (settings.benchmark !== undefined)
    return [search, ...(evaluation === undefined ? [] : [`netsmith evaluate ${shown}`])];
  // What a program has searched with functions of its own, no command can search again.
  const searched = needsProgram(settings) ? [] : [search];
  if (openSpace === true) return [];
  const again = flagsOf(settings, TRAINING_FILES);
  if (evaluation === undefined) return [...searched, `netsmith export ${shown}${again}`];
  const { trial, epochs, seeds, baselines } = evaluation;
  const which = [
    ...(trial === best ? [] : [` --trial ${trial}`]),
    ...(epochs === settings.epochs ? [] : [` --epochs ${epochs}`]),
  ].join('');
  const without = baselines.length === 0 ? ' --no-baselines' : '';
  return [
    ...searched,
    `netsmith evaluate ${shown} --seeds ${seeds.length}${which}${without}${again}`,
    `netsmith export ${shown}${which}${again}`,
  ];
}

/**
 * A path for a report that others read: relative to the current folder, or only the last part of a path outside of it, because
 * reports must not reveal private folders.
 */
function withoutHome(path: string): string {
  const from = relative('', resolvePath(path));
  return from !== '' && from.split(sep)[0] !== '..' && !isAbsolute(from) ? from : basename(resolvePath(path));
}

function settingsShown(settings: StudySettings): StudySettings {
  const { space, ...others } = settings;
  const files = OWN_FILES.flatMap((name) => {
    const file = others[name];
    return file !== undefined && isAbsolute(file) ? [[name, withoutHome(file)] as const] : [];
  });
  return {
    ...settings,
    ...pathsOf(settings, withoutHome),
    ...(isAbsolute(space) && { space: withoutHome(space) }),
    ...Object.fromEntries(files),
  };
}

/** The size of `best/model.onnx`, if it has this architecture; undefined also for a file that Netsmith did not write. */
function modelBytesOf(dir: string, architecture: string): number | undefined {
  const file = join(dir, 'best', 'model.onnx');

  try {
    const bytes = readPlain(file, Number.POSITIVE_INFINITY);
    if (bytes === undefined) return undefined;
    return modelMetadata(`model "${file}"`, bytes).architecture === architecture ? bytes.length : undefined;
  } catch {
    return undefined;
  }
}

/** The network of a member and its costs; nothing in a space whose members are no networks, or whose code is not there. */
function networkOf(
  { space, data }: ReadStudy,
  architecture: Architecture,
): Pick<Winner, 'network' | 'genome' | 'costs'> {
  if (isNeatSpace(space)) return { genome: { genome: space.check(architecture), shape: space.shape } };
  const network = space.build?.(architecture);
  return network === undefined ? {} : { network, costs: networkCosts(network, space.tree?.task ?? spaceTask(data)) };
}

/** A trial with its architecture in the space's own notation. */
export function reportTrial({ space }: Pick<ReadStudy, 'space'>, trial: Trial): ReportTrial {
  return { ...trial, architecture: space.format(trial.architecture) };
}
