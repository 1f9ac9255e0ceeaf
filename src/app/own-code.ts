import { invalid, messageOf, UserError } from '../common/errors.ts';
import { parseJson } from '../common/json.ts';
import { rng } from '../common/random.ts';
import type { SearchSpace } from '../space/search-space.ts';

/** Code that only a program can give: a study stores the names alone, and the program gives the code again to continue the study. */
export interface OwnCode {
  /** A space that is no tree. */
  readonly space?: SearchSpace;
}

/**
 * A stand-in for a space that is code, where a study is only read: it writes members as JSON. Whatever needs the code throws a UserError
 * that says who has it.
 */
export function absentSpace(name: string, place: string): SearchSpace {
  const refuse = (): never => {
    throw new UserError(`${place}: space "${name}" is code of the program that created the study, which alone can do this`);
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
  const stored = attempt('sample', () => parseJson(JSON.stringify(member) ?? 'undefined', `${place}: a member as JSON`));
  const read = attempt('check of a sample', () => space.check(stored));
  const [before, after] = [member, read].map((one) => attempt('format', () => space.format(one)));
  if (typeof before !== 'string' || before !== after)
    throw invalid(place, 'a sample is another after it was stored and read', 'a member must be plain JSON');
}
