import { ordinalIn } from '../../estimate/tabular/ordinal.ts';
import type { Pack } from '../../estimate/tabular/pack.ts';
import type { Architecture, Space } from '../../space/space.ts';

/** Test accuracy after 200 epochs. */
const TEST_COLUMNS = {
  'cifar-10': 'c10_test_200',
  'cifar-100': 'c100_test_200',
  'imagenet16-120': 'in16_test_200',
} as const;

/** What a report may know of an architecture and a search may not; undefined if it was not measured. */
export type TestAccuracy = (architecture: Architecture, dataset: string) => number | undefined;

/** Test accuracy after 200 epochs on the data sets of the table `nas-bench-201`, shares, means over the authors' seeds. */
export function nasBench201TestOf(pack: Pack, space: Space): TestAccuracy {
  const ordinal = ordinalIn(space);
  const columns = new Map(Object.entries(TEST_COLUMNS).map(([dataset, column]) => [dataset, pack.column(column)]));
  return (architecture, dataset) => {
    const row = ordinal(architecture);
    return row === undefined ? undefined : columns.get(dataset)?.[row];
  };
}
