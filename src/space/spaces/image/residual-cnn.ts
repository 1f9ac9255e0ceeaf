import type { Task } from '../../space.ts';
import {
  activation,
  batchNorm,
  choice,
  conv,
  globalAvgPool,
  identity,
  int,
  linear,
  pick,
  repeat,
  residual,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module, Value } from '../../tree/module.ts';
import { trainingOf, withTraining } from '../training.ts';
import { imageOf, reductions } from './images.ts';

const STAGES = 3;
/** Below this side, a stem of stride 2 would leave less than 3 pixels for the last stage. */
const LEAST_FOR_STRIDED_STEM = 24;
/**
 * Half, once and twice the widths of the ResNets for CIFAR. Multiples of 8, which the engine's blocked layout takes without padding
 * (docs/engine.md).
 */
const WIDTHS = [
  [8, 16, 32],
  [16, 32, 64],
  [32, 64, 128],
] as const;

/**
 * Residual networks for images, the default space for them: a 3x3 convolution, then 3 stages, each with its width and 1 to 3
 * blocks, one kind of block and one activation for all. `basic` is the block of He et al. 2016 (two 3x3 convolutions),
 * `separable` has depthwise and pointwise ones in their place (Chollet 2017). Batch norm follows every convolution. A stem
 * of stride 2 makes the network about four times as fast; only images of at least 24x24 have that choice. Small images are
 * halved less often, large ones are halved by strided convolutions first. ResNet-8, 14 and 20 (`resnet`) are members. Our own.
 * 2 · 2 · 2 · (3 · 3)^3 = 5,832 architectures, half as many for small images; with `tune`, the training is searched as well
 * (`trainingChoices`).
 */
export const residualCnn = defineSpace(
  'residual-cnn',
  (task, { tune }) => {
    const { stem, stages } = reductions(imageOf(task), STAGES);
    const finish = sequential(batchNorm(), activation(pick('activation', ['relu', 'silu'])));
    const first = (stride: Value<number>) => sequential(conv(widthOf(0), 3, { stride }), finish);
    const children: Module[] = stem > 0 ? [repeat(stem, first(2))] : [];
    children.push(first(hasStemStride(task) ? pick('stemStride', [1, 2]) : 1));
    for (const [i, stride] of stages.entries()) {
      const width = widthOf(i);
      const shortcut = i === 0 ? identity() : sequential(conv(width, 1, { stride }), batchNorm());
      children.push(block(width, stride, shortcut, finish));
      children.push(repeat(int(`extraBlocks${i + 1}`, 0, 2), block(width, 1, identity(), finish)));
    }
    const network = sequential(...children, globalAvgPool(), linear('outputs'));
    return withTraining(network, task, { tune });
  },
  {
    description:
      'residual networks for images: width and blocks of 3 stages, kind of block, stride of the stem, activation',
    defaults: { tune: false },
    handDesigned: (task, { tune }) => {
      const resnet = (extraBlocks: number) => ({
        activation: 'relu',
        block: 'basic',
        ...(hasStemStride(task) && { stemStride: 1 }),
        ...{ width1: 16, width2: 32, width3: 64 },
        ...{ extraBlocks1: extraBlocks, extraBlocks2: extraBlocks, extraBlocks3: extraBlocks },
        ...(tune && trainingOf(task)),
      });
      return { 'resnet-8': resnet(0), 'resnet-14': resnet(1), 'resnet-20': resnet(2) };
    },
  },
);

const widthOf = (stage: number) => pick(`width${stage + 1}`, WIDTHS[stage] ?? []);

function hasStemStride(task: Task): boolean {
  const image = imageOf(task);
  const { stem } = reductions(image, STAGES);
  return Math.min(image.height, image.width) / 2 ** stem >= LEAST_FOR_STRIDED_STEM;
}

/** Two 3x3 convolutions, or two separable ones, and a shortcut around them; `finish`: batch norm and activation. */
function block(width: Value<number>, stride: 1 | 2, shortcut: Module, finish: Module): Module {
  const depthwise = (stride: 1 | 2) => conv('same', 3, { stride, groups: 'depthwise' });
  const body = choice('block', {
    basic: sequential(conv(width, 3, { stride }), finish, conv(width, 3), batchNorm()),
    separable: sequential(depthwise(stride), conv(width, 1), finish, depthwise(1), conv(width, 1), batchNorm()),
  });
  return sequential(residual(body, shortcut), activation(pick('activation', ['relu', 'silu'])));
}
