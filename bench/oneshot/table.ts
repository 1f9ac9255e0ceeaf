/** NAS-Bench-201 as the bench reads it. */
import { rng } from '../../src/common/random.ts';
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import { type Architecture, type Space, sample } from '../../src/space/index.ts';
import { architectureKey } from '../../src/space/tree/architecture.ts';

const DATASETS = ['cifar-10', 'cifar-100', 'imagenet16-120'] as const;

export interface BenchTable {
  readonly space: Space;
  /** What `accuracy` is: `test after 200 epochs`, or of validation. */
  readonly column: string;
  /** On CIFAR-10, a fraction. */
  accuracy(architecture: Architecture): number;
  /** After 12 epochs, on the validation part of CIFAR-10, a fraction: what a short training says. */
  early(architecture: Architecture): number;
  /** On the other data sets. */
  others(architecture: Architecture): Readonly<Record<string, number>>;
  params(architecture: Architecture): number;
}

/** `validate`: the test columns are not read. */
export async function openTable(validate: boolean): Promise<BenchTable> {
  const table = await openNasBench201();
  const { space } = table;
  const test = validate ? undefined : await openNasBench201Test(space);
  const valueOn = (dataset: string, architecture: Architecture) =>
    (test === undefined ? table.lookup(architecture, dataset)?.metrics.accuracy : test(architecture, dataset)) ??
    Number.NaN;
  return {
    space,
    column: validate ? 'validation after 12 epochs' : 'test after 200 epochs',
    accuracy: (architecture) => valueOn('cifar-10', architecture),
    early: (architecture) => table.lookup(architecture, 'cifar-10')?.metrics.accuracy ?? Number.NaN,
    others: (architecture) =>
      Object.fromEntries(DATASETS.slice(1).map((dataset) => [dataset, valueOn(dataset, architecture)])),
    params: (architecture) => table.lookup(architecture, 'cifar-10')?.costs.params ?? Number.NaN,
  };
}

/** Always the same different cells, drawn uniformly. */
export function randomCells(space: Space, count: number): readonly Architecture[] {
  const random = rng('one-shot cells');
  const found = new Map<string, Architecture>();
  while (found.size < count) {
    const architecture = sample(space, random);
    found.set(architectureKey(architecture), architecture);
  }
  return [...found.values()];
}
