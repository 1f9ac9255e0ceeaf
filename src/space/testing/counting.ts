import { UserError } from '../../common/errors.ts';
import type { SearchSpace } from '../search-space.ts';

/** A finite space without a tree: the numbers from 0 to `most`. A sample is one of the numbers from `first` on; a mutation is a neighbor. */
export function countingSpace(most: number, first = 0): SearchSpace {
  function check(found: unknown): { readonly n: number } {
    const { n, ...others } = Object(found) as { readonly n?: unknown };
    const isMember = typeof n === 'number' && Number.isInteger(n) && n >= 0 && n <= most;
    if (isMember && Object.keys(others).length === 0) return Object.freeze({ n });
    throw new UserError(`number: is ${JSON.stringify(found)}; must be { n: a whole number from 0 to ${most} }`);
  }
  return {
    name: 'counting',
    check,
    sample: (random) => check({ n: first + random.int(most - first + 1) }),
    mutate(architecture, random) {
      const { n } = check(architecture);
      return check({ n: n === 0 ? 1 : n === most || random.float() < 0.5 ? n - 1 : n + 1 });
    },
    crossover: (a, b, random) => check(random.float() < 0.5 ? a : b),
    format: (architecture) => String(check(architecture).n),
    parse: (text) => check({ n: Number(text) }),
    size: () => BigInt(most + 1),
  };
}
