import { UserError } from '../../../common/errors.ts';
import {
  batchNorm,
  conv,
  globalAvgPool,
  identity,
  linear,
  relu,
  repeat,
  residual,
  sequential,
} from '../../tree/builders.ts';
import { convBnRelu } from '../../tree/composites.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { imageOf, reductions } from './images.ts';

const STAGES = 3;

/**
 * The hand-designed baseline for images, a space of one: the CIFAR ResNet of He et al. 2016 (section 4.2) with `depth`
 * = 6n + 2 layers, `channels` in the first of 3 stages, twice and four times as many after. Differs: where the shape
 * changes, the shortcut is a 1x1 convolution with batch norm (the paper's option B), not padding with zeros; images
 * below 32x32 are halved less often, large ones by strided convolutions first. 1 architecture.
 */
export const resnet = defineSpace(
  'resnet',
  (task, { depth, channels }) => {
    const image = imageOf(task);
    if ((depth - 2) % 6 !== 0) throw new UserError(`option depth is ${depth}; must be 6n + 2: 8, 14, 20, 32, 44, 56`);
    const blocks = (depth - 2) / 6;
    const { stem, stages } = reductions(image, STAGES);
    const children: Module[] = stem > 0 ? [repeat(stem, convBnRelu(3, channels, 2))] : [];
    children.push(convBnRelu(3, channels));
    for (const [i, stride] of stages.entries()) {
      const width = channels * 2 ** i;
      if (i > 0) children.push(basicBlock(width, stride, sequential(conv(width, 1, { stride }), batchNorm())));
      const alike = i > 0 ? blocks - 1 : blocks;
      if (alike > 0) children.push(repeat(alike, basicBlock(width, 1, identity())));
    }
    return sequential(...children, globalAvgPool(), linear('outputs'));
  },
  {
    description: 'the hand-designed baseline for images: the ResNet of He et al. (2016) for CIFAR; 1 architecture',
    defaults: {
      depth: { default: 20, whole: true, min: 8, max: 1202 },
      channels: { default: 16, whole: true, min: 1, max: 1024 },
    },
  },
);

function basicBlock(width: number, stride: number, shortcut: Module): Module {
  const body = sequential(convBnRelu(3, width, stride), conv(width, 3), batchNorm());
  return sequential(residual(body, shortcut), relu());
}
