/** What the rows of a comparison come to, method by method. */
import type { Method } from './methods.ts';
import { meanOverlap } from './overlap.ts';
import type { InferenceRow, Row, SearchRow, TrainRow } from './rows.ts';

export interface Spread {
  readonly mean: number;
  /** Over seeds; 0 for one. */
  readonly sd: number;
  readonly count: number;
}

export const METRICS = ['accuracy', 'precision', 'recall', 'f1'] as const;

/** Undefined: no row says it. */
export interface Summary {
  readonly method: Method;
  readonly seeds: number;
  readonly test: Readonly<Record<(typeof METRICS)[number], Spread | undefined>>;
  /** Accuracy on the test split of EuroSAT, of what was found on CIFAR-10. */
  readonly eurosat: Spread | undefined;
  /** The same beside what the method found on EuroSAT, with the seeds that have both. */
  readonly eurosatAgain: { readonly carried: Spread; readonly searched: Spread } | undefined;
  /** Accuracy on the validation samples less that on the test split, of the same weights. */
  readonly gap: Spread | undefined;
  readonly searchSeconds: Spread | undefined;
  /** Processor hours of the search, where it was not stopped, and of the final training. */
  readonly searchCoreHours: Spread | undefined;
  readonly trainCoreHours: Spread | undefined;
  readonly trials: Spread | undefined;
  /** Peak of all processes of the search, where it was not stopped. */
  readonly searchMebibytes: Spread | undefined;
  readonly params: Spread | undefined;
  readonly milliseconds: Spread | undefined;
  readonly mebibytes: Spread | undefined;
  /** Of the found cells, over pairs of seeds. */
  readonly overlap: number | undefined;
  readonly reasons: readonly string[];
}

/** Only methods with rows. The rows are of one form. */
export function summaries(methods: readonly Method[], rows: readonly Row[]): readonly Summary[] {
  return methods.flatMap((method) => {
    const own = rows.filter((row) => row.method === method.name);
    return own.length === 0 ? [] : [summary(method, own)];
  });
}

function summary(method: Method, rows: readonly Row[]): Summary {
  const done = rows.filter((row) => row.reason === undefined);
  const searches = rows.filter((row): row is SearchRow => row.step === 'search' && row.data === 'cifar-10');
  const trained = done.filter((row): row is TrainRow => row.step === 'train');
  const timed = done.filter((row): row is InferenceRow => row.step === 'inference');
  const cifar = trained.filter(({ data }) => data === 'cifar-10');
  const eurosat = trained.filter(({ data }) => data === 'eurosat');
  const searched = eurosat.filter(({ found }) => method.search !== undefined && found === 'eurosat');
  const carried = eurosat.filter((row) => !searched.includes(row));
  const of = <T>(all: readonly T[], value: (one: T) => number | undefined) =>
    spread(all.flatMap((one) => value(one) ?? []));
  const hours = ({ cpuSeconds }: Row) => cpuSeconds / 3600;
  return {
    method,
    seeds: new Set(cifar.map(({ seed }) => seed)).size,
    test: {
      accuracy: of(cifar, ({ test }) => test.accuracy),
      precision: of(cifar, ({ test }) => test.precision),
      recall: of(cifar, ({ test }) => test.recall),
      f1: of(cifar, ({ test }) => test.f1),
    },
    eurosat: of(carried, ({ test }) => test.accuracy),
    eurosatAgain: againOf(carried, searched),
    gap: of(cifar, ({ valid, test }) =>
      valid.accuracy === undefined || test.accuracy === undefined ? undefined : valid.accuracy - test.accuracy,
    ),
    searchSeconds: of(searches, ({ seconds }) => seconds),
    searchCoreHours: of(searches, (row) => (row.resumed ? undefined : hours(row))),
    trainCoreHours: of(cifar, hours),
    trials: of(searches, ({ trials }) => trials),
    searchMebibytes: of(searches, (row) => (row.resumed ? undefined : row.peakMiB)),
    params: of(cifar, ({ params }) => params),
    milliseconds: of(timed, ({ milliseconds }) => milliseconds),
    mebibytes: of(timed, ({ mebibytes }) => mebibytes),
    overlap: method.search === undefined ? undefined : meanOverlap(cifar.map(({ architecture }) => architecture)),
    reasons: [
      ...new Set(rows.flatMap(({ step, seed, reason }) => (reason ? [`${step}, seed ${seed}: ${reason}`] : []))),
    ],
  };
}

function againOf(carried: readonly TrainRow[], searched: readonly TrainRow[]): Summary['eurosatAgain'] {
  const accuracies = (rows: readonly TrainRow[], others: readonly TrainRow[]) =>
    spread(
      rows.flatMap(({ seed, test }) => (others.some((other) => other.seed === seed) ? (test.accuracy ?? []) : [])),
    );
  const [own, there] = [accuracies(carried, searched), accuracies(searched, carried)];
  return own && there && { carried: own, searched: there };
}

export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)), count: values.length };
}
