/**
 * DenseNet-BC for small images (Huang et al. 2017, section 4.2), a space of one: three dense blocks of (depth - 4) / 6 layers each, bottlenecks
 * of 4 x growth channels, and transitions that halve the channels and the sides. `node --conditions=netsmith-source bin/netsmith.js train
 * --space bench/founding/densenet.ts`.
 */
import {
  avgPool,
  batchNorm,
  conv,
  dagOfNodes,
  defineSpace,
  globalAvgPool,
  linear,
  type Module,
  relu,
  sequential,
  UserError,
} from 'netsmith';

const BLOCKS = 3;

export const denseNet = defineSpace(
  'densenet',
  (_, { depth, growth }) => {
    if ((depth - 4) % 6 !== 0) throw new UserError(`option depth is ${depth}; must be 6n + 4: 22, 40, 58, 76, 100`);
    const layers = (depth - 4) / 6;
    const children: Module[] = [conv(2 * growth, 3)];
    let channels = 2 * growth;
    for (let block = 0; block < BLOCKS; block++) {
      for (let layer = 0; layer < layers; layer++) children.push(denseLayer(growth));
      channels += layers * growth;
      if (block === BLOCKS - 1) break;
      channels = Math.floor(channels / 2);
      children.push(batchNorm(), relu(), conv(channels, 1), avgPool(2, { stride: 2, padding: 0 }));
    }
    return sequential(...children, batchNorm(), relu(), globalAvgPool(), linear('outputs'));
  },
  {
    description: 'DenseNet-BC of Huang et al. (2017); 1 architecture',
    defaults: {
      depth: { default: 40, whole: true, min: 10, max: 250 },
      growth: { default: 12, whole: true, min: 1, max: 64 },
    },
  },
);

/** What came in, and beside it along the channels what the layer computes of it. */
function denseLayer(growth: number): Module {
  const body = sequential(batchNorm(), relu(), conv(4 * growth, 1), batchNorm(), relu(), conv(growth, 3));
  return dagOfNodes(2, (node) => (node === 1 ? { body } : { combine: 'concat' }));
}
