import { invalid } from '../common/errors.ts';
import { largest } from '../common/extremes.ts';
import { rng } from '../common/random.ts';
import type { DataRequest } from './dataset.ts';

/** Share of the samples that becomes the test part where a dataset has none of its own. */
export const TEST_SHARE = 0.2;
/** Share of what is not test that becomes validation, unless asked otherwise. */
export const DEFAULT_VALID_SHARE = 0.25;

/** What is to be divided. */
export interface Divisible {
  /** For error messages: `image-folder "photos"`. */
  readonly place: string;
  readonly count: number;
  /** The class of each sample and the names of all classes; absent for a regression. */
  readonly classes?: { readonly of: ArrayLike<number>; readonly names: readonly string[] };
  /** The dataset brings its own test or validation part, which is not among these samples. */
  readonly ownTest: boolean;
  readonly ownValid?: boolean;
}

/** Sample numbers of each part, rising; a part that the dataset brings itself is empty. */
export interface Parts {
  readonly train: Int32Array;
  readonly valid: Int32Array;
  readonly test: Int32Array;
  /** Notes on how it was divided, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Divides samples into parts: 20 % test unless the dataset has a test part of its own, then `validShare` of the rest as
 * validation (0: none), then the first `trainSamples` of what remains. Classification is stratified: each class is dealt in
 * proportion (largest remainders), and every class has at least one sample in every part. Which samples, depends on the
 * seed alone; a smaller `trainSamples` leaves validation and test as they are.
 * Throws UserError for a share outside [0, 1), a class too small for the parts, or `trainSamples` below one a class.
 */
export function divide(what: Divisible, request: Pick<DataRequest, 'seed' | 'validShare' | 'trainSamples'>): Parts {
  const { seed, validShare = DEFAULT_VALID_SHARE, trainSamples } = request;
  const { place, ownTest, ownValid = false } = what;
  if (!(validShare >= 0 && validShare < 1)) {
    throw invalid(
      place,
      `validShare is ${validShare}`,
      'the fraction of validation samples must be at least 0 and below 1',
    );
  }
  const ownOrNoValid = ownValid || validShare === 0;
  const groups = shuffledGroups(what, seed);
  const needed = 1 + (ownTest ? 0 : 1) + (ownOrNoValid ? 0 : 1);
  groups.forEach((group, k) => {
    if (group.length >= needed) return;
    const whose = what.classes ? `class "${what.classes.names[k]}" has` : 'there are';
    const parts = ['training', ...(ownOrNoValid ? [] : ['validation']), ...(ownTest ? [] : ['test'])];
    throw invalid(place, `${whose} ${samples(group.length)}`, `at least ${needed} are needed, for ${parts.join(', ')}`);
  });

  const test = ownTest ? [] : deal(groups, Math.round(TEST_SHARE * what.count), needed - 1);
  const valid = ownOrNoValid ? [] : deal(groups, Math.round(validShare * total(groups)), 1);
  const available = total(groups);
  const train = trainSamples === undefined ? groups.flat() : dealTraining(place, groups, trainSamples);
  const manner = what.classes ? 'stratified by class, ' : '';
  const notes = [
    ...(ownTest ? [] : [`No test set found: holding out ${samples(test.length)} (20 %), ${manner}seed ${seed}.`]),
    ...(ownOrNoValid
      ? []
      : [
          `${samples(valid.length)} (${+(100 * validShare).toFixed(2)} % of the ${ownTest ? 'training samples' : 'rest'}) are used for validation, ${manner}seed ${seed}.`,
        ]),
  ];
  if (trainSamples !== undefined) {
    notes.push(
      trainSamples > available
        ? `All ${samples(available)} are used for training, fewer than the ${thousands(trainSamples)} requested.`
        : `${thousands(train.length)} of ${samples(available)} are used for training, ${manner}seed ${seed}.`,
    );
  }
  return { train: rising(train), valid: rising(valid), test: rising(test), notes };
}

/** Sample numbers by class (all in one group for a regression), each group in its own seeded order. */
function shuffledGroups(what: Divisible, seed: number): number[][] {
  const groups: number[][] = (what.classes?.names ?? ['']).map(() => []);
  for (let i = 0; i < what.count; i++) groups[what.classes ? (what.classes.of[i] ?? Number.NaN) : 0]?.push(i);
  return groups.map((group, k) => rng(seed, 'split', k).shuffle(group));
}

function dealTraining(place: string, groups: number[][], trainSamples: number): number[] {
  if (!Number.isInteger(trainSamples) || trainSamples < groups.length) {
    const rule =
      groups.length > 1
        ? `a whole number, at least one for each of the ${groups.length} classes`
        : 'a whole number, at least 1';
    throw invalid(place, `trainSamples is ${trainSamples}`, `it must be ${rule}`);
  }
  return trainSamples >= total(groups) ? groups.flat() : deal(groups, trainSamples, 0);
}

/** Takes `wanted` samples off the fronts of the groups in proportion to their sizes, leaving at least `keep` in each. */
function deal(groups: number[][], wanted: number, keep: number): number[] {
  const sizes = groups.map((group) => group.length);
  return apportion(sizes, wanted, keep).flatMap((n, k) => groups[k]?.splice(0, n) ?? []);
}

/**
 * Whole shares of `wanted` in proportion to `sizes` by largest remainders (Hamilton's method), each at least 1 and at most
 * its size less `keep`. The shares add up to `wanted` where those bounds allow it.
 */
function apportion(sizes: readonly number[], wanted: number, keep: number): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => (wanted * size) / all);
  const shares = exact.map((share, k) => Math.max(1, Math.min(Math.floor(share), (sizes[k] ?? Number.NaN) - keep)));
  let left = wanted - shares.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact
    .map((share, k) => ({ k, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.k - b.k);
  for (let moved = true; left > 0 && moved; ) {
    moved = false;
    for (const { k } of byRemainder) {
      if (left === 0 || (shares[k] ?? Number.NaN) >= (sizes[k] ?? Number.NaN) - keep) continue;
      shares[k] = (shares[k] ?? Number.NaN) + 1;
      left--;
      moved = true;
    }
  }
  // Small classes were raised to 1: the largest shares give way.
  for (; left < 0; left++) {
    const most = shares.indexOf(largest(shares));
    if (shares[most] === 1) break;
    shares[most] = (shares[most] ?? Number.NaN) - 1;
  }
  return shares;
}

function total(groups: readonly (readonly number[])[]): number {
  return groups.reduce((sum, group) => sum + group.length, 0);
}

function rising(indices: readonly number[]): Int32Array {
  return Int32Array.from(indices).sort();
}

/** A count as text: 50,000. */
export function thousands(n: number): string {
  return n.toLocaleString('en-GB');
}

function samples(n: number): string {
  return `${thousands(n)} sample${n === 1 ? '' : 's'}`;
}
