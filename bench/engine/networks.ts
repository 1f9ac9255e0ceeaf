/** The networks that both sides build: CIFAR-sized images, 10 classes. */
import type { DatasetInfo } from '../../src/data/dataset.ts';
import { type Module, nasBench201, resolve } from '../../src/space/index.ts';

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
  deviation: [64, 64, 64],
  counts: { train: 0, valid: 0, test: 0 },
  notes: [],
};

/** Without open choices. */
export function networkOf(name: string): Module {
  switch (name) {
    case 'nas-bench-201': {
      const space = nasBench201.create(INFO, { channels: 16, cells: 5 });
      return resolve(space, space.text?.parse(NAS_BENCH_201) ?? {});
    }
    default:
      throw new Error(`there is no network "${name}" here yet`);
  }
}
