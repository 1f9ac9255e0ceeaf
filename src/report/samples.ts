import type { DatasetInfo, TableEncoding } from '../data/dataset.ts';
import { factsOf } from '../task/index.ts';
import { onlyOf } from '../task/spec.ts';
import type { Outputs } from '../train/inference.ts';

/** Test samples that a report shows: the most confident mistakes of a network, and some correct answers. */
export interface TestSamples {
  /** How many samples they were chosen from. */
  readonly of: number;
  /** For a table: the names of its first columns, whose values the samples show; for texts, one column. */
  readonly columns?: readonly string[];
  readonly shown: readonly TestSample[];
}

export type TestSample = {
  /** A data URI of a PNG or JPEG. */
  readonly image?: string;
  /** For a table or texts: a text for each of `columns`. */
  readonly cells?: readonly string[];
} & (
  | {
      /** Numbers of classes. */
      readonly truth: number;
      readonly predicted: number;
      /** Probability of the predicted class. */
      readonly confidence: number;
    }
  /** For a regression: by target, in the targets' own units. */
  | { readonly truths: readonly number[]; readonly values: readonly number[] }
);

/** Wrong ones and right ones, each at most. */
const EACH = 6;

/** A sample's place in its split, and its prediction. */
export type Chosen = { readonly index: number } & TestSample;

/**
 * Which samples to show. For a classification: the wrong ones with the highest probability of the wrong class, then right ones of
 * classes in turn. For a regression: those with the largest error (in standard deviations of the targets, summed), then evenly spaced ones.
 */
export function chooseSamples(info: DatasetInfo, given: Pick<Outputs, 'outputs' | 'truths'>): Chosen[] {
  const { classes, standardized } = factsOf(info);
  const isPlain = [given.outputs, given.truths].every((tensors) => Object.keys(tensors).length === 1);
  if ((!classes && !standardized) || !isPlain) return [];
  const [outputs, truths] = [onlyOf(given.outputs), onlyOf(given.truths)];
  const { outputs: width } = info;
  const count = outputs.length / width;
  const row = (values: Float32Array | Int32Array, n: number) => [...values.subarray(n * width, (n + 1) * width)];
  if (!classes) {
    const all = Array.from({ length: count }, (_, index) => {
      const [truth, values] = [row(truths, index), row(outputs, index)];
      const error = truth.reduce(
        (sum, t, i) => sum + Math.abs(t - (values[i] ?? 0)) / (info.target?.deviation[i] || 1),
        0,
      );
      return { index, truths: truth, values, error };
    });
    const worst = all
      .filter(({ error }) => Number.isFinite(error))
      .toSorted((a, b) => b.error - a.error || a.index - b.index)
      .slice(0, EACH);
    const rest = all.filter((one) => Number.isFinite(one.error) && !worst.includes(one));
    return [...worst, ...spaced(rest, EACH)].map(({ index, truths, values }) => ({ index, truths, values }));
  }
  const all = Array.from({ length: count }, (_, index) => {
    const logits = row(outputs, index);
    const largest = Math.max(...logits);
    const predicted = logits.indexOf(largest);
    const confidence = 1 / logits.reduce((sum, one) => sum + Math.exp(one - largest), 0);
    return { index, truth: truths[index] ?? 0, predicted, confidence };
  }).filter(({ confidence }) => Number.isFinite(confidence));
  const wrong = all
    .filter(({ truth, predicted }) => truth !== predicted)
    .toSorted((a, b) => b.confidence - a.confidence || a.index - b.index)
    .slice(0, EACH);
  const right = Map.groupBy(
    all.filter(({ truth, predicted }) => truth === predicted),
    ({ truth }) => truth,
  );
  const firsts = [...right.values()].flatMap(([first]) => first ?? []).toSorted((a, b) => a.truth - b.truth);
  return [...wrong, ...spaced(firsts, EACH)];
}

/** This many of the items, evenly spaced, in their order. */
export function spaced<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as T);
}

/** Columns of a table that a report shows. */
const COLUMNS = 8;

/** The first columns' names and, of a sample's features, their values; undefined where the features are not those of the encoding. */
export function cellsOf(
  { columns }: TableEncoding,
  features: ArrayLike<number>,
): { readonly columns: readonly string[]; readonly cells: readonly string[] } | undefined {
  const names: string[] = [];
  const cells: string[] = [];
  let at = 0;
  for (const column of columns) {
    const width = column.kind === 'category' ? column.categories.length : 1;
    if (names.length < COLUMNS) {
      names.push(column.name);
      const values = Array.from({ length: width }, (_, i) => features[at + i] ?? Number.NaN);
      cells.push(column.kind === 'category' ? categoryOf(column.categories, values) : showValue(values[0]));
    }
    at += width;
  }
  return at === features.length ? { columns: names, cells } : undefined;
}

function categoryOf(categories: readonly string[], values: readonly number[]): string {
  const at = values.indexOf(1);
  return at < 0 ? 'other' : categories[at] || 'missing';
}

function showValue(value = Number.NaN): string {
  return String(Number(value.toPrecision(6)));
}
