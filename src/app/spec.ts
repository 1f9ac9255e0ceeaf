import { resolve } from 'node:path';
import { invalid } from '../common/errors.ts';
import { shownValue } from '../common/text.ts';
import type { Direction, OwnMeasure } from '../measure/own.ts';
import type { GenomeSpaceDefinition } from '../space/genome/definition.ts';
import type { Architecture, Module, SpaceDefinition } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { isObject } from '../space/tree/fields.ts';
import type { StrategyChoice } from '../strategy/index.ts';
import { checkSettings, FUNCTION, isOwnFile, type StudySettings } from '../study/spec.ts';
import type { Loss, LossDefinition, OwnMetric } from '../task/own.ts';
import { namesOf, type OwnCode } from './own-code.ts';
import { isSearchSpace } from './own-exports.ts';
import { ownFilesOf, pathsOf } from './own-files.ts';
import { isSpaceDefinition, loadAnySpace } from './space-file.ts';

/** A space as a program gives it. */
export type GivenSpace = string | SpaceDefinition | SearchSpace;

/** The members of a space that is given, as its `check` returns them. */
export type MemberOf<S> = S extends SearchSpace ? ReturnType<S['check']> : Architecture;

/** Their networks; undefined where the space has no `build`. */
export type NetworkOf<S> = S extends { build(architecture: Architecture): Module }
  ? Module
  : S extends SearchSpace
    ? Module | undefined
    : Module;

/**
 * What a study is: the settings of the command line by their names (`dataDir` for `--data-dir`), with what a program can give besides.
 * What is not given has the default of `netsmith search --help`.
 */
export interface StudySpec<S extends GivenSpace = GivenSpace>
  extends Partial<
    Omit<StudySettings, 'space' | 'strategy' | 'objective' | 'scores' | 'measures' | 'loss' | 'metrics'>
  > {
  /**
   * The name of a space of Netsmith, one of your own (`defineSpace`), or the path of a file that exports one; or any set of architectures
   * (`SearchSpace`), which a function of your own scores. The study stores only the name of the latter.
   */
  readonly space?: S;
  /** A name, the path of a file of your own, or a strategy with its options: `tpe({ gamma: 0.15 })`. */
  readonly strategy?: string | StrategyChoice;
  /**
   * What to look for: one or more metrics; or `{ score: 'maximize' }`, what a function of your own returns, which then judges the
   * candidates (`optimize(function)`).
   */
  readonly objective?: string | readonly string[] | Readonly<Record<string, Direction>>;
  /**
   * Measures of your own, which `objective`, `limits` and `until` may name: a latency, the length of a program. The study stores only their
   * names, directions and units. `measure` is the path of a file that exports some (`defineMeasure`).
   */
  readonly measures?: Readonly<Record<string, OwnMeasure<MemberOf<S>, NetworkOf<S>>>>;
  /**
   * A loss of your own in place of the task's, a function over the graph builder; or the path of a file that exports one (`defineLoss`).
   * With a function, trials are trained in this process, one after another; with a file in as many processes as there are workers.
   */
  readonly loss?: Loss | LossDefinition | string;
  /**
   * Metrics of your own beside the task's, which `objective` and `until` may name. Trials are trained in this process, one after another;
   * `metric` is the path of a file that exports some (`defineMetric`), for worker processes.
   */
  readonly metrics?: Readonly<Record<string, OwnMetric>>;
  /** Only networks within these limits of any measure (docs/measures.md): `{ params: 20_000, modelBytes: '100KB', latency: 5 }`. */
  readonly limits?: Readonly<Record<string, number | string>>;
  /** The study's folder (default: the next free `runs/NAME-N`). */
  readonly dir?: string;
  /** Folders of earlier studies of the same space to begin with. */
  readonly prior?: readonly string[];
  /** If the folder already contains a study: refuse (the default), or continue it if its settings are the same. */
  readonly ifExists?: 'refuse' | 'continue';
  /** Called with messages to show: a forecast, or notes about unusual data. */
  onNote?(text: string): void;
}

/** The space that a program names: a definition, a name, or a file that exports one. Throws UserError. */
export async function definitionOf(space: GivenSpace): Promise<SpaceDefinition | GenomeSpaceDefinition | SearchSpace> {
  if (typeof space === 'string') return loadAnySpace(space);
  if (!isSearchSpace(space) && !isSpaceDefinition(space))
    throw invalid(
      'space',
      shownValue(space),
      'must be a name, a .ts or .js file, a space made by defineSpace, or have the methods of a SearchSpace',
    );
  if (Object.values(SPACES).some((one) => one.name === space.name && one !== space))
    throw invalid('space', `"${space.name}"`, 'is the name of a space of Netsmith: yours must have another');
  return space;
}

/**
 * The checked settings of a study, with absolute paths; `space` is the name of its space. Throws UserError, with `caller` and the setting.
 */
export async function settingsOf(spec: StudySpec, space: string, caller = 'createStudy'): Promise<StudySettings> {
  const { objective, limits, measures, metrics, loss, strategy, dir, prior, ifExists, onNote, ...given } = spec;
  checkRest(spec, caller);
  const scores = objective !== null && typeof objective === 'object' && !Array.isArray(objective);
  const named = typeof objective === 'string' ? [objective] : objective;
  const settings = {
    ...given,
    ...(typeof strategy === 'string' && { strategy }),
    ...(typeof strategy === 'object' && optionsOf(strategy, given.strategyOptions)),
    space,
    ...(limits !== undefined && { limit: limits }),
    ...(loss !== undefined && { loss: typeof loss === 'string' ? loss : FUNCTION }),
    ...(await namesOf(given, codeOf(spec))),
    ...(scores
      ? {
          estimator: FUNCTION,
          scores: objective,
        }
      : named !== undefined && { objective: named }),
  };
  const nameOf = (name: string) =>
    name === 'scores' && scores ? 'objective' : name === 'limit' && limits !== undefined ? 'limits' : name;
  const known = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const checked = checkSettings(known, (name) => `${caller}: ${nameOf(name)}`);
  return {
    ...checked,
    ...pathsOf(checked, resolve),
    ...(isOwnFile(checked.space) && { space: resolve(checked.space) }),
    ...ownFilesOf(checked),
  };
}

/** The code that a program gives, a space aside. */
export function codeOf({
  measures,
  metrics,
  loss,
}: Pick<StudySpec, 'measures' | 'metrics' | 'loss'>): Pick<OwnCode, 'measures' | 'metrics' | 'loss'> {
  return {
    ...(measures && { measures }),
    ...(metrics && { metrics }),
    ...(typeof loss === 'function' && { loss }),
    ...(typeof loss === 'object' && { loss: loss.of }),
  };
}

function optionsOf(choice: StrategyChoice, others: StudySettings['strategyOptions'] | undefined) {
  if (others !== undefined)
    throw invalid('strategyOptions', JSON.stringify(others), `the strategy ${choice.strategy} has its options already`);
  return { strategy: choice.strategy, strategyOptions: choice.options };
}

/** What a program gives besides settings; programs in JavaScript are checked by nobody else. */
const REST: Readonly<Record<string, readonly [fits: (value: unknown) => boolean, rule: string]>> = {
  strategy: [
    (value) => typeof value === 'string' || (isObject(value) && 'strategy' in value && 'options' in value),
    'must be a name, a .ts or .js file, or a strategy with its options: tpe({ gamma: 0.15 })',
  ],
  measures: [
    (value) => isObject(value) && Object.values(value).every((one) => isObject(one) && typeof one.of === 'function'),
    'must be measures by name, each with a direction and a function `of`',
  ],
  metrics: [
    (value) =>
      isObject(value) && Object.values(value).every((one) => isObject(one) && typeof one.scorer === 'function'),
    'must be metrics by name, each with a direction and a function `scorer`',
  ],
  loss: [
    (value) =>
      typeof value === 'function' || typeof value === 'string' || (isObject(value) && typeof value.of === 'function'),
    'must be a function over the graph builder, or a .ts or .js file that exports a loss',
  ],
  dir: [(value) => typeof value === 'string' && value !== '', 'must be the path of a folder'],
  prior: [
    (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
    'must be a list of the folders of studies',
  ],
  ifExists: [(value) => value === 'refuse' || value === 'continue', 'must be refuse or continue'],
  onNote: [(value) => typeof value === 'function', 'must be a function'],
};

/** Throws UserError, with `caller`, unless `spec` is an object of settings whose other fields, which no schema checks, have right values. */
export function checkRest(spec: unknown, caller: string): void {
  if (!isObject(spec)) throw invalid(caller, shownValue(spec), 'must be an object of settings');
  for (const [name, [fits, rule]] of Object.entries(REST)) {
    const value = spec[name];
    if (value !== undefined && !fits(value)) throw invalid(`${caller}: ${name}`, shownValue(value), rule);
  }
}
