import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { deepFreeze, parseJson } from '../common/json.ts';
import { METRICS } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Direction, MeasuredMember, OwnMeasure } from '../measure/own.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Measuring } from '../study/measuring.ts';
import { isOwnFile, isOwnName, type StudySettings } from '../study/spec.ts';
import { ownTaskOf, taskOf } from '../task/index.ts';
import { checkLoss, type Loss, type OwnMetric, withChanges } from '../task/own.ts';
import { latencyMeasuring, type OfNetworks } from './device/latency-measure.ts';
import { lineIn, ownDataset, ownLoss, ownMeasures, ownMetrics } from './own-exports.ts';
import type { OwnFileName, OwnFiles } from './own-files.ts';

/** Code of the user's own: a study stores the names alone, and a program or a file gives the code again to continue the study. */
export interface OwnCode {
  /** A space that is no tree. */
  readonly space?: SearchSpace;
  readonly measures?: Readonly<Record<string, OwnMeasure>>;
  /** In place of the task's. */
  readonly loss?: Loss;
  /** Beside the task's. */
  readonly metrics?: Readonly<Record<string, OwnMetric>>;
}

type Described = Readonly<Record<string, { readonly direction: Direction; readonly unit?: string }>>;

/** What a study stores of measures or metrics of one's own. */
export function describe(all: Described) {
  const stored = ({ direction, unit = '' }: Described[string]) => ({ direction, unit });
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, stored(one)]));
}

/** Throws UserError unless the code that is given is the one that the study has the names of. */
function checkGiven(place: string, what: 'measure' | 'metric', stored: Described, given: Described): void {
  const absent = Object.keys(stored).find((name) => !Object.hasOwn(given, name));
  if (absent !== undefined)
    throw invalid(
      place,
      `its ${what} ${absent} is code of the program that created it`,
      `continue it in that program: openStudy(dir, { ${what}s }), or name a file that has it: --${what} FILE`,
    );
  const described = describe(given);
  const other = Object.keys(given).find((name) => !isDeepStrictEqual(described[name], stored[name]));
  if (other !== undefined) throw invalid(place, `${what} ${other} was another, or none`, `a study keeps its ${what}s`);
}

/**
 * The measures that a study takes of its candidates, with the limits on them: those that the program gives, those of a file, and the latency
 * on a device. Throws UserError unless they are those that the study has.
 */
export async function measuringFrom(
  place: string,
  settings: StudySettings,
  files: OwnFiles,
  code: OwnCode,
  networks: OfNetworks,
): Promise<Measuring | undefined> {
  const [own, latency] = [await ownMeasuring(place, settings, files, code), latencyMeasuring(settings, networks)];
  if (own === undefined || latency === undefined) return own ?? latency;
  return {
    ...latency,
    measures: [...own.measures, ...latency.measures],
    limits: [...(own.limits ?? []), ...(latency.limits ?? [])],
  };
}

async function ownMeasuring(
  place: string,
  { measures = {}, limit = {} }: StudySettings,
  files: OwnFiles,
  { measures: code }: OwnCode,
): Promise<Measuring | undefined> {
  const given = together('measure', code, files.measure === undefined ? {} : await ownMeasures(files.measure));
  checkGiven(place, 'measure', measures, given);
  const names = Object.keys(measures);
  if (names.length === 0) return undefined;
  return {
    measures: Object.entries(measures).flatMap(([metric, stored]) => {
      const own = given[metric];
      return own === undefined
        ? []
        : [
            {
              metric: { metric, ...stored, isMeasure: true },
              when: 'member' as const,
              of: (member: MeasuredMember) => own.of(member),
            },
          ];
    }),
    limits: Object.entries(limit).flatMap(([cost, max]) => (names.includes(cost) ? [{ cost, max: Number(max) }] : [])),
  };
}

function together<T>(what: string, code: Readonly<Record<string, T>> = {}, file: Readonly<Record<string, T>>) {
  const twice = Object.keys(file).find((name) => Object.hasOwn(code, name));
  if (twice !== undefined) throw invalid(`--${what}`, `"${twice}"`, `is given by the program and by the file`);
  return { ...code, ...file };
}

/**
 * The data with the loss and the metrics of the user's own in their task. Throws UserError unless they are those that the study has, and
 * where the loss cannot be built.
 */
export async function withOwnTask(
  dataset: Dataset,
  { loss: named, metrics = {} }: StudySettings,
  files: OwnFiles,
  code: OwnCode,
): Promise<Dataset> {
  const { info, task: own } = dataset.search;
  const loss = files.loss === undefined ? code.loss : (await ownLoss(files.loss)).of;
  const given = together('metric', code.metrics, files.metric === undefined ? {} : await ownMetrics(files.metric));
  if (named !== undefined && loss === undefined)
    throw invalid(
      'the study',
      'its loss is code of the program that created it',
      'continue it in that program: openStudy(dir, { loss }), or name a file that has it: --loss FILE',
    );
  const known = taskOf(info, own);
  const ofData = new Set(known.metrics.map(({ metric }) => metric));
  const twice = Object.keys(given).find((name) => ofData.has(name));
  if (twice !== undefined) throw invalid('--metric', `"${twice}"`, 'the task of the data has a metric of this name');
  const others = Object.fromEntries(Object.entries(metrics).filter(([name]) => !ofData.has(name)));
  checkGiven('the study', 'metric', others, given);
  if (loss === undefined && Object.keys(given).length === 0) return dataset;
  const tell = { loss: telling('loss', files.loss), metric: telling('metric', files.metric) };
  const task = withChanges(known, {
    ...(loss && { loss: (...args) => tell.loss(() => loss(...args)) }),
    metrics: Object.fromEntries(
      Object.entries(given).map(([name, one]) => [
        name,
        {
          ...one,
          scorer(data) {
            const scorer = tell.metric(() => one.scorer(data));
            return {
              add: (...args) => tell.metric(() => scorer.add(...args)),
              value: () => tell.metric(() => scorer.value()),
            };
          },
        } satisfies OwnMetric,
      ]),
    ),
  });
  if (loss !== undefined) tell.loss(() => checkLoss(task, info));
  const ownTask = structuredClone(ownTaskOf(info, task));
  return { ...dataset, search: { ...dataset.search, task, info: deepFreeze({ ...info, ownTask }) } };
}

/** Calls code of the user's own. What it throws becomes a UserError, with the line in its file. */
function telling(what: 'loss' | 'metric', file: string | undefined): <T>(body: () => T) => T {
  const place = file === undefined ? what : `--${what}: "${basename(file)}"`;
  return (body) => {
    try {
      return body();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const line = file === undefined ? '' : lineIn(file, error);
      throw new UserError(`${place}${line}: ${messageOf(error).trim()}`, { cause: error });
    }
  };
}

/** The files that need not be named again, since the program gives what is in them. */
export function namesInCode({ measures, loss, metrics }: OwnCode): readonly OwnFileName[] {
  return [
    ...(measures === undefined ? [] : (['measure'] as const)),
    ...(loss === undefined ? [] : (['loss'] as const)),
    ...(metrics === undefined ? [] : (['metric'] as const)),
  ];
}

/** Whether trainings need functions of this program, which no other process has. */
export function trainsHere({ loss, metrics = {} }: OwnCode): boolean {
  return loss !== undefined || Object.keys(metrics).length > 0;
}

/** What a study stores of the measures and metrics in these files and in this code, as settings. Throws UserError for a file that has none. */
export async function namesOf(
  { data, measure, metric }: { readonly data?: unknown; readonly measure?: unknown; readonly metric?: unknown },
  code: OwnCode = {},
): Promise<Pick<StudySettings, 'measures' | 'metrics'>> {
  const isFile = (value: unknown): value is string => typeof value === 'string' && isOwnFile(value);
  const measures = together('measure', code.measures, isFile(measure) ? await ownMeasures(resolve(measure)) : {});
  const given = together('metric', code.metrics, isFile(metric) ? await ownMetrics(resolve(metric)) : {});
  const { task } = isFile(data) ? await ownDataset(resolve(data)) : {};
  // Of a task of the user's own, a metric that no setting can name is only reported.
  const ofData = (task?.metrics ?? []).filter((one) => !Object.hasOwn(METRICS, one.metric) && isOwnName(one.metric));
  const metrics = { ...given, ...Object.fromEntries(ofData.map((one) => [one.metric, one])) };
  const both = Object.keys(measures).find((name) => Object.hasOwn(metrics, name));
  if (both !== undefined) throw invalid('--measure', `"${both}"`, 'is the name of a metric of your own, too');
  return {
    ...(Object.keys(measures).length > 0 && { measures: describe(measures) }),
    ...(Object.keys(metrics).length > 0 && { metrics: describe(metrics) }),
  };
}

/**
 * A stand-in for a space that is code, where a study is only read: it writes members as JSON. Whatever needs the code throws a UserError
 * that says who has it.
 */
export function absentSpace(name: string, place: string): SearchSpace {
  const refuse = (): never => {
    throw new UserError(
      `${place}: space "${name}" is code of the program that created the study, which alone can do this`,
    );
  };
  return {
    name,
    format: (architecture) => JSON.stringify(architecture),
    parse: refuse,
    check: refuse,
    sample: refuse,
    mutate: refuse,
    crossover: refuse,
  };
}

/**
 * Throws UserError where the first member that a space draws is not one by its own rules, or is no JSON that a study can store;
 * `checkSearchSpace` tests all rules.
 */
export function checkOpenSpace(space: SearchSpace, seed: number): void {
  const place = `space "${space.name}"`;
  const attempt = <T>(what: string, body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw new UserError(`${place}: ${what} fails: ${messageOf(error)}`, { cause: error });
    }
  };
  const member = attempt('sample', () => space.sample(rng(seed, 'check')));
  const stored = attempt('sample', () =>
    parseJson(JSON.stringify(member) ?? 'undefined', `${place}: a member as JSON`),
  );
  const read = attempt('check of a sample', () => space.check(stored));
  const [before, after] = [member, read].map((one) => attempt('format', () => space.format(one)));
  if (typeof before !== 'string' || before !== after)
    throw invalid(place, 'a sample is another after it was stored and read', 'a member must be plain JSON');
}
