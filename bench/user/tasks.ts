/** The tasks of the contests: their data, times and metrics. */

interface Common {
  readonly name: string;
  /** The time of the whole command, for each contestant. */
  readonly seconds: number;
  readonly metric: 'accuracy' | 'r2';
  /** Divisions into training and test rows: each seed is one of them. Absent: the seed changes only the training. */
  readonly splits?: number;
}

export interface ImageTask extends Common {
  readonly kind: 'images';
  /** A dataset of Netsmith, and where its files are; the bundled digits have none. */
  readonly data: 'fashion-mnist' | 'cifar-10' | 'image-folder' | 'digits';
  readonly folder?: string;
  /** Photographs, which `--aug` of the peers and `--flip --crop-padding 4` of our own ResNets change at random. */
  readonly isPhotograph: boolean;
}

export interface TableTask extends Common {
  readonly kind: 'table';
  /** Below the folder of the data; with `test`, this is the training file alone. */
  readonly file: string;
  readonly test?: string;
  readonly label: string;
  /** Without `test`: the rows from this one on are test rows; absent: a fifth, divided by seed and stratified by class. */
  readonly testFrom?: number;
  /** Columns that no contestant sees. */
  readonly without?: readonly string[];
}

export type Task = ImageTask | TableTask;

const image = { kind: 'images', metric: 'accuracy' } as const;
const table = { kind: 'table', seconds: 60 } as const;

export const TASKS: readonly Task[] = [
  { ...image, name: 'fashion-mnist', seconds: 300, data: 'fashion-mnist', isPhotograph: false },
  {
    ...image,
    ...{ name: 'cifar-10', seconds: 330, data: 'cifar-10', folder: 'cifar-10-batches-bin', isPhotograph: true },
  },
  { ...image, name: 'eurosat', seconds: 300, data: 'image-folder', folder: 'eurosat-small', isPhotograph: true },
  { ...image, name: 'digits', seconds: 60, data: 'digits', isPhotograph: false },
  {
    ...table,
    ...{ name: 'adult', metric: 'accuracy', label: 'income' },
    ...{ file: 'adult/adult-train.csv.gz', test: 'adult/adult-test.csv.gz' },
  },
  {
    ...table,
    ...{ name: 'california', metric: 'r2', file: 'california-housing/housing.csv.gz', label: 'median_house_value' },
  },
  { ...table, name: 'credit-g', metric: 'accuracy', splits: 10, file: 'credit-g/credit-g.csv', label: 'class' },
  {
    ...table,
    ...{ name: 'titanic', metric: 'accuracy', splits: 10, file: 'titanic/titanic.csv', label: 'survived' },
    without: ['name', 'ticket', 'cabin'],
  },
  { ...table, name: 'diamonds', metric: 'r2', file: 'diamonds/diamonds.csv.gz', label: 'price' },
  { ...table, name: 'abalone', metric: 'r2', file: 'abalone/abalone.csv', label: 'rings', testFrom: 3133 },
];
