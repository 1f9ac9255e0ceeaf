import { isDeepStrictEqual } from 'node:util';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { parseJson } from '../common/json.ts';
import { rng } from '../common/random.ts';
import type { Architecture, Module } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { MeasuredMember, Measuring } from '../study/measuring.ts';
import type { StudySettings } from '../study/spec.ts';

/** Code that only a program can give: a study stores the names alone, and the program gives the code again to continue the study. */
export interface OwnCode {
  /** A space that is no tree. */
  readonly space?: SearchSpace;
  readonly measures?: Readonly<Record<string, OwnMeasure>>;
}

/** A measure of the user's own: a number computed for each candidate before its trial, once per architecture. */
export interface OwnMeasure<A extends Architecture = Architecture, N extends Module | undefined = Module | undefined> {
  readonly direction: Direction;
  /** As displayed: `ms`. */
  readonly unit?: string;
  /** If it throws or returns a value that is not finite, the trial fails. Candidates are measured one after another, in the study's process. */
  of(member: MeasuredMember<A, N>): number | Promise<number>;
}

export type Direction = 'maximize' | 'minimize';

/** What a study stores of measures of the user's own. */
export function measuresToSettings(measures: Readonly<Record<string, OwnMeasure>>) {
  const stored = ({ direction, unit = '' }: OwnMeasure) => ({ direction, unit });
  return Object.fromEntries(Object.entries(measures).map(([name, measure]) => [name, stored(measure)]));
}

/**
 * The measures that a study takes of its candidates, with the limits on them. Throws UserError unless the program gives those that the study
 * has.
 */
export function measuringFrom(
  place: string,
  { measures = {}, limit = {} }: StudySettings,
  { measures: given = {} }: OwnCode,
): Measuring | undefined {
  const names = Object.keys(measures);
  const absent = names.find((name) => !Object.hasOwn(given, name));
  if (absent !== undefined)
    throw invalid(
      place,
      `its measure ${absent} is code of the program that created it`,
      'continue it in that program: openStudy(dir, { measures })',
    );
  const other = Object.keys(given).find((name) => !isDeepStrictEqual(measuresToSettings(given)[name], measures[name]));
  if (other !== undefined) throw invalid(place, `measure ${other} was another, or none`, 'a study keeps its measures');
  if (names.length === 0) return undefined;
  return {
    measures: Object.entries(measures).flatMap(([metric, stored]) => {
      const own = given[metric];
      return own === undefined
        ? []
        : [{ metric: { metric, ...stored, isMeasure: true }, when: 'member' as const, of: own.of }];
    }),
    limits: Object.entries(limit).flatMap(([cost, max]) => (names.includes(cost) ? [{ cost, max: Number(max) }] : [])),
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
