/** What the bench times: for each workload, the processes on our side and the script that is the peer. Data only. */

/** One script in PyTorch that does the same work. */
export interface Peer {
  /** File name, in bench/peers/ or, if `shared`, in the folder that `--peers` names. */
  readonly script: string;
  readonly shared: boolean;
  readonly args: readonly string[];
  /** Whether its compiled form is worth waiting for: PyTorch has not compiled the DARTS supernet in 25 minutes. */
  readonly compiles: boolean;
}

/** One thing that is done again and again. */
export interface Action {
  /** The name of its rows. */
  readonly name: string;
  /** The field of the peer's JSON that holds its seconds. */
  readonly peerField: string;
}

/** Cells in a row, or in each of NAS-Bench-201's stages, and channels of the first. */
export interface Size {
  readonly cells: number;
  readonly channels: number;
}

/** What the peers' scripts build by default. */
export const PEER_SIZE: Readonly<Record<Workload['network'], Size>> = {
  'resnet8-28': { cells: 1, channels: 16 },
  'resnet8-32': { cells: 1, channels: 16 },
  'nas-bench-201': { cells: 5, channels: 16 },
  'darts-v2': { cells: 8, channels: 16 },
  'darts-supernet': { cells: 8, channels: 16 },
};

export interface Workload {
  /** The rows' `network`. */
  readonly network: 'nas-bench-201' | 'darts-v2' | 'darts-supernet' | 'resnet8-28' | 'resnet8-32';
  /** train: a step on one batch that is fed again and again. epoch: batches are read, shuffled and augmented as in training. */
  readonly task: 'train' | 'epoch' | 'infer';
  /** Fixed here, or asked for on the command line. */
  readonly batch: number | undefined;
  /** Our processes: each does its actions one after another. */
  readonly processes: readonly (readonly Action[])[];
  readonly peer: Peer;
  /** Timed runs of each action in each round: of ours, and of the peer. */
  readonly runs: { readonly ours: number; readonly peer: number };
}

const inference = (network: Workload['network'], batch: 1 | 64): Workload => ({
  network,
  task: 'infer',
  batch,
  processes: [[{ name: `inference-${batch}`, peerField: 'step_s' }]],
  peer: { script: 'torch_inference.py', shared: false, args: ['--network', network], compiles: true },
  runs: batch === 1 ? { ours: 100, peer: 100 } : { ours: 20, peer: 20 },
});

/** Images of an epoch: 20 batches. */
export const EPOCH_IMAGES = 2560;

/** An epoch of ResNet-8 on grey images, or on colored ones that are cropped and flipped, as ../shared/peers trains it. */
const epoch = (side: 28 | 32): Workload => ({
  network: `resnet8-${side}`,
  task: 'epoch',
  batch: 128,
  processes: [[{ name: `resnet8-epoch-${side}`, peerField: 'epoch_s' }]],
  peer: {
    script: 'torch_resnet8.py',
    shared: false,
    args: ['--images', `${EPOCH_IMAGES}`, '--size', `${side}`, ...(side === 28 ? ['--colors', '1'] : ['--augment'])],
    compiles: true,
  },
  runs: { ours: 3, peer: 3 },
});

export const WORKLOADS: readonly Workload[] = [
  {
    network: 'darts-supernet',
    task: 'train',
    batch: undefined,
    processes: [
      // As the peer: weight steps, then architecture steps, in one process.
      [
        { name: 'darts-supernet-weight-step', peerField: 'weight_step_s' },
        { name: 'darts-supernet-arch-step', peerField: 'arch_step_s' },
      ],
      // The peer's architecture step computes the weights' gradients too, as published code does.
      [{ name: 'darts-supernet-arch-step+weight-gradients', peerField: 'arch_step_s' }],
    ],
    peer: { script: 'torch_supernet.py', shared: true, args: [], compiles: false },
    runs: { ours: 3, peer: 2 },
  },
  {
    network: 'nas-bench-201',
    task: 'train',
    batch: undefined,
    processes: [[{ name: 'nas-bench-201-step', peerField: 'step_s' }]],
    peer: { script: 'torch_nb201.py', shared: true, args: [], compiles: true },
    runs: { ours: 7, peer: 7 },
  },
  {
    network: 'darts-v2',
    task: 'train',
    batch: undefined,
    processes: [[{ name: 'darts-v2-step', peerField: 'step_s' }]],
    peer: { script: 'torch_darts_v2.py', shared: false, args: [], compiles: true },
    runs: { ours: 7, peer: 5 },
  },
  epoch(28),
  epoch(32),
  inference('nas-bench-201', 1),
  inference('nas-bench-201', 64),
  inference('darts-v2', 1),
  inference('darts-v2', 64),
];

/** Whose rows of the name come first in a table; also what `--only` knows. */
export const NAMES: readonly string[] = [
  ...new Set(WORKLOADS.flatMap(({ processes }) => processes.flat().map(({ name }) => name))),
];
