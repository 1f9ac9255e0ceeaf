/** The networks that both sides build: CIFAR-sized images, 10 classes. */
import type { DatasetInfo } from '../../src/data/dataset.ts';
import { decisions, type Module, resolve } from '../../src/space/index.ts';
import { SPACES } from '../../src/space/spaces/index.ts';
import { supernet } from '../../src/space/tree/resolve.ts';
import type { Size, Workload } from './workloads.ts';

/** What torch_nb201.py takes by default. */
const NAS_BENCH_201 = '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|';

/** Timing does not depend on pixels: mean and deviation of what is fed. */
export const INFO: DatasetInfo = {
  name: 'random images',
  kind: 'classification',
  input: [3, 32, 32],
  outputs: 10,
  labels: Array.from({ length: 10 }, (_, i) => `class ${i}`),
  range: [0, 255],
  mean: [127.5, 127.5, 127.5],
  deviation: [74, 74, 74],
  counts: { train: 0, valid: 0, test: 0 },
  notes: [],
};

/** What a network is fed: one of these alone is for grey images. */
export function infoOf(name: Workload['network']): DatasetInfo {
  return name === 'resnet8-28' ? { ...INFO, input: [1, 28, 28], mean: [127.5], deviation: [74] } : INFO;
}

/** Without open choices, or a supernet. */
export function networkOf(name: Workload['network'], size: Size): Module {
  switch (name) {
    case 'nas-bench-201': {
      const space = SPACES['nas-bench-201'].create(INFO, { ...size });
      return resolve(space, space.text?.parse(NAS_BENCH_201) ?? {});
    }
    case 'darts-v2': {
      const space = SPACES.darts.create(INFO, { ...size });
      // Two cells are both reduction cells: half of the genotype has nothing to decide.
      const open = new Set(decisions(space).map(({ name: decision }) => decision));
      const genotype = Object.entries(space.text?.parse('DARTS_V2') ?? {}).filter(([decision]) => open.has(decision));
      return resolve(space, Object.fromEntries(genotype));
    }
    case 'resnet8-28':
    case 'resnet8-32':
      return resolve(SPACES.resnet.create(infoOf(name), { depth: 8, channels: size.channels }), {});
    case 'darts-supernet':
      return supernet(SPACES.darts.create(INFO, { ...size, search: true }));
    default:
      return name satisfies never;
  }
}
