/** Who takes part, and what tells `netsmith search` to be it. */
import { join } from 'node:path';
import { DARTS_CELLS, NASNET_CELLS } from '../../src/space/spaces/image/published-cells.ts';

/** What a paper says of its method, on all 50,000 training images and in networks far larger than those here. */
export interface Quoted {
  readonly paper: string;
  /** Test error on CIFAR-10, as the paper writes it. */
  readonly testError: string;
  readonly params: number;
  readonly gpuHours?: number;
}

export interface Method {
  readonly name: string;
  readonly about: string;
  /** Flags of `netsmith search`; absent: a hand-designed network, which is only trained. */
  readonly search?: readonly string[];
  /** It trains a supernet. */
  readonly isOneShot?: boolean;
  /** It samples architectures: of the search form of `darts`, those could have `none`, which the space itself does not. */
  readonly samples?: boolean;
  /** Space and options of a hand-designed network. */
  readonly network?: { readonly space: string; readonly options: string };
  /** The strategy for a new search on the tables of other data sets (nas-bench-201); only where no supernet is needed. */
  readonly onTable?: string;
  /** It searches on EuroSAT, too. */
  readonly isSearchedAgain?: true;
  readonly quoted?: Quoted;
}

type Cell = (typeof DARTS_CELLS)[keyof typeof DARTS_CELLS] | (typeof NASNET_CELLS)[keyof typeof NASNET_CELLS];

const quotedOf = ({ paper, quoted }: Cell, gpuHours?: number): Quoted => ({
  paper,
  ...quoted,
  ...(gpuHours !== undefined && { gpuHours }),
});

/** Searched on EuroSAT, too: one method of each kind. */
const AGAIN: readonly string[] = ['enas', 'beta-darts'];

const supernet = (name: string, about: string, quoted?: Quoted): Method => ({
  name,
  about,
  search: ['--strategy', name],
  isOneShot: true,
  ...(AGAIN.includes(name) && { isSearchedAgain: true }),
  ...(quoted && { quoted }),
});

export const DENSENET = join(import.meta.dirname, 'densenet.ts');

/** In the order of the tables. */
export const METHODS: readonly Method[] = [
  {
    name: 'controller',
    about: 'NASNet-like: a recurrent controller that trains its children',
    search: ['--strategy', 'controller'],
    onTable: 'controller',
    quoted: quotedOf(NASNET_CELLS['NASNet-A'], 2000),
  },
  {
    name: 'controller-median',
    about: 'the same with early stopping: a child below the median of at least three others is stopped',
    search: ['--strategy', 'controller', '--stopping', 'median', '--stopping-options', 'trials=3'],
  },
  {
    name: 'controller-shared',
    about: 'the same controller with shared weights: no child is trained',
    search: ['--strategy', 'controller', '--estimator', 'single-path'],
    isOneShot: true,
    samples: true,
  },
  { ...supernet('enas', 'controller and shared weights in turn', quotedOf(NASNET_CELLS.ENAS, 10)), samples: true },
  supernet('darts', 'gradients, first order', quotedOf(DARTS_CELLS.DARTS_V1)),
  supernet('darts-second-order', 'gradients, second order', quotedOf(DARTS_CELLS.DARTS_V2, 24)),
  supernet('gdas', 'gradients, one sampled path', quotedOf(DARTS_CELLS.GDAS_V1, 4)),
  supernet('pc-darts', 'gradients, a part of the channels', quotedOf(DARTS_CELLS.PC_DARTS_cifar, 2.4)),
  supernet('p-darts', 'gradients, in stages', quotedOf(DARTS_CELLS.PDARTS)),
  supernet('beta-darts', 'gradients, regularized'),
  {
    name: 'single-path',
    about: 'single-path supernet, then evolution with its weights',
    search: ['--strategy', 'evolution', '--estimator', 'single-path'],
    isOneShot: true,
    samples: true,
  },
  {
    name: 'aging-evolution',
    about: 'AmoebaNet-like evolution that trains its children',
    search: ['--strategy', 'aging-evolution'],
    onTable: 'aging-evolution',
    isSearchedAgain: true,
    quoted: quotedOf(NASNET_CELLS['AmoebaNet-A']),
  },
  {
    name: 'random',
    about: 'random search',
    search: ['--strategy', 'random'],
    onTable: 'random',
    isSearchedAgain: true,
  },
  {
    name: 'resnet-20',
    about: 'hand-designed',
    network: { space: 'resnet', options: 'depth=20' },
    quoted: { paper: 'He et al. 2016, arXiv:1512.03385', testError: '8.75 %', params: 0.27e6 },
  },
  {
    name: 'densenet-bc-40',
    about: 'hand-designed, 12 channels a layer; the quoted one has 100 layers',
    network: { space: DENSENET, options: 'depth=40,growth=12' },
    quoted: { paper: 'Huang et al. 2017, arXiv:1608.06993', testError: '4.51 %', params: 0.8e6 },
  },
];
