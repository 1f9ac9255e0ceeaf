import { resolve } from 'node:path';
import { invalid } from '../common/errors.ts';
import type { Architecture, Module, SpaceDefinition } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import { SPACES } from '../space/spaces/index.ts';
import type { StrategyChoice } from '../strategy/index.ts';
import { checkSettings, FUNCTION, isOwnFile, type StudySettings } from '../study/spec.ts';
import { type Direction, measuresToSettings, type OwnMeasure } from './own-code.ts';
import { isSearchSpace, ownFilesOf } from './own-files.ts';
import { isSpaceDefinition, loadSpace } from './space-file.ts';

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
  extends Partial<Omit<StudySettings, 'space' | 'strategy' | 'objective' | 'scores' | 'measures'>> {
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
   * names, directions and units.
   */
  readonly measures?: Readonly<Record<string, OwnMeasure<MemberOf<S>, NetworkOf<S>>>>;
  /** Only networks within these limits of any measure (docs/measures.md): `{ params: 20_000, modelBytes: '100KB', latency: 5 }`. */
  readonly limits?: Readonly<Record<string, number | string>>;
  /** The study's folder (default: the next free `runs/NAME-N`). */
  readonly dir?: string;
  /** Folders of earlier studies of the same space to begin with. */
  readonly prior?: readonly string[];
  /** Where the folder is a study already: refuse (the default), or continue it if it is of the same settings. */
  readonly ifExists?: 'refuse' | 'continue';
  /** Sentences for people: a forecast, what is unusual about the data. */
  onNote?(text: string): void;
}

/** The space that a program names: a definition, a name, or a file that exports one. Throws UserError. */
export async function definitionOf(space: GivenSpace): Promise<SpaceDefinition | SearchSpace> {
  if (typeof space === 'string') return loadSpace(space);
  if (!isSearchSpace(space) && !isSpaceDefinition(space))
    throw invalid('space', 'is none', 'must be made by defineSpace, or have the methods of a SearchSpace');
  if (Object.values(SPACES).some((one) => one.name === space.name && one !== space))
    throw invalid('space', `"${space.name}"`, 'is the name of a space of Netsmith: yours must have another');
  return space;
}

/**
 * The checked settings of a study, with absolute paths; `space` is the name of its space. Throws UserError, with `caller` and the setting.
 */
export function settingsOf(spec: StudySpec, space: string, caller = 'createStudy'): StudySettings {
  const { objective, limits, measures, strategy, dir, prior, ifExists, onNote, ...given } = spec;
  const scores = objective !== undefined && typeof objective === 'object' && !Array.isArray(objective);
  const named = typeof objective === 'string' ? [objective] : objective;
  const settings = {
    ...given,
    ...(typeof strategy === 'string' && { strategy }),
    ...(typeof strategy === 'object' && optionsOf(strategy, given.strategyOptions)),
    space,
    ...(limits !== undefined && { limit: limits }),
    ...(measures !== undefined && { measures: measuresToSettings(measures) }),
    ...(scores
      ? {
          estimator: FUNCTION,
          scores: objective,
        }
      : named !== undefined && { objective: named }),
  };
  const known = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const checked = checkSettings(known, (name) => `${caller}: ${name}`);
  return {
    ...checked,
    ...(checked.dataDir !== undefined && { dataDir: resolve(checked.dataDir) }),
    ...(checked.testData !== undefined && { testData: resolve(checked.testData) }),
    ...(isOwnFile(checked.space) && { space: resolve(checked.space) }),
    ...ownFilesOf(checked),
  };
}

function optionsOf(choice: StrategyChoice, others: StudySettings['strategyOptions'] | undefined) {
  if (others !== undefined)
    throw invalid('strategyOptions', JSON.stringify(others), `the strategy ${choice.strategy} has its options already`);
  return { strategy: choice.strategy, strategyOptions: choice.options };
}
