import { SPACES } from '../../space/index.ts';
import { tableOfColumns } from './columns.ts';
import { ordinalIn } from './ordinal.ts';
import type { Pack } from './pack.ts';
import type { Table } from './table.ts';

/** What a search may see of NAS-Bench-201; the name of each data set's column of validation accuracy. */
export const SEARCH_COLUMNS = {
  'cifar-10': 'c10_val_12',
  'cifar-100': 'c100_val_12',
  'imagenet16-120': 'in16_val_12',
} as const;

export type NasBench201Dataset = keyof typeof SEARCH_COLUMNS;

/**
 * NAS-Bench-201 (Dong & Yang 2020) in its revised form (NATS-Bench, Dong et al. 2021, topology): each of the 15,625 cells
 * trained for 12 epochs on CIFAR-10, CIFAR-100 and ImageNet16-120; accuracy on validation samples, mean over the seeds that
 * the authors ran. Seconds of training are those of CIFAR-10; the others have none. params and flops are those of the network for
 * CIFAR-10.
 */
export function nasBench201Of(pack: Pack): Table {
  const space = SPACES['nas-bench-201'].create({ kind: 'classification', input: [3, 32, 32], outputs: 10 });
  const accuracy = (dataset: NasBench201Dataset) => ({ metrics: { accuracy: pack.column(SEARCH_COLUMNS[dataset]) } });
  return tableOfColumns({
    name: 'nas-bench-201',
    space,
    fidelity: { epochs: 12, data: 1, resolution: 1, width: 1 },
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    size: pack.rows,
    rowOf: ordinalIn(space),
    datasets: {
      'cifar-10': { ...accuracy('cifar-10'), seconds: pack.column('c10_train_s_12') },
      'cifar-100': accuracy('cifar-100'),
      'imagenet16-120': accuracy('imagenet16-120'),
    },
    costs: { params: pack.column('params_c10'), flops: pack.column('flops_c10') },
  });
}
