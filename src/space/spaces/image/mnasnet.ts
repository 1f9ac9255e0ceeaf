import { invalid } from '../../../common/errors.ts';
import type { Architecture, DecisionValue, Published, TextForm } from '../../space.ts';
import {
  avgPool,
  batchNorm,
  choice,
  conv,
  dropout,
  globalAvgPool,
  identity,
  linear,
  pick,
  relu,
  residual,
  scoped,
  sequential,
  squeezeExcite,
} from '../../tree/builders.ts';
import { convBnRelu } from '../../tree/composites.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module, Value } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { imageOf, openIfSeveral, stridesFor } from './images.ts';
import { blocksAt, type MobileStage, mobileStages } from './mobilenet-stages.ts';

/** Of the stem and of the seven blocks. */
const STRIDES = [2, 1, 2, 2, 2, 1, 2, 1] as const;
const KERNELS = [3, 5] as const;
const OPERATIONS = ['conv', 'sepConv', 'mbConv3', 'mbConv6'] as const;
const SQUEEZES = ['none', 'quarter'] as const;
const SKIPS = ['none', 'identity', 'pool'] as const;
const [STEM_WIDTH, HEAD_WIDTH] = [32, 1280];

const MNASNET = { paper: 'Tan et al. 2019, arXiv:1807.11626', options: { width: 1, depth: 1 } } as const;

const PUBLISHED_MNASNETS = {
  'MnasNet-A1': {
    text:
      'sepConv k3 none 16 x1 | mbConv6 k3 none 24 x2 none | mbConv3 k5 quarter 40 x3 identity | mbConv6 k3 none 80 x4 identity | ' +
      'mbConv6 k3 quarter 112 x2 identity | mbConv6 k5 quarter 160 x3 identity | mbConv6 k3 none 320 x1',
    source: 'huggingface/pytorch-image-models@v1.0 timm/models/efficientnet.py, semnasnet_100',
    quoted: { params: 3.9e6, testError: '24.8' },
    ...MNASNET,
  },
  'MnasNet-B1': {
    text:
      'sepConv k3 none 16 x1 | mbConv3 k3 none 24 x3 identity | mbConv3 k5 none 40 x3 identity | mbConv6 k5 none 80 x3 identity | ' +
      'mbConv6 k3 none 96 x2 identity | mbConv6 k5 none 192 x4 identity | mbConv6 k3 none 320 x1',
    source: 'pytorch/vision@v0.19 torchvision/models/mnasnet.py',
    ...MNASNET,
  },
} as const satisfies Readonly<Record<string, Published>>;

interface MnasNetOptions {
  readonly width: number;
  readonly depth: number;
  readonly dropout: number;
}

/**
 * The factorized hierarchical space of MnasNet (Tan et al. 2019, arXiv:1807.11626, section 4.1): seven blocks in a row, each of which decides
 * for itself the operation (convolution, depthwise separable, inverted bottleneck of expansion 3 or 6), kernel, squeeze-and-excite, skip,
 * channels and the number of its layers. All layers of a block are alike, where `mobilenet` decides kernel and expansion of each layer.
 * MnasNet-A1 and B1 are members. `width` and `depth` multiply channels (to multiples of 8) and layers (rounded up).
 *
 * Squeeze-and-excite reduces to a quarter of the channels that a layer reads. A skip stands at all layers of a block but the first, which may
 * change the shape; `pool` adds the average over 3x3 pixels.
 *
 * Differs: channels and layers are those of `mobilenet`, since the published networks are no multiples of MobileNetV2's channels by the
 * paper's 0.75, 1 and 1.25; images are halved less often where they are small.
 */
export const mnasnet = defineSpace(
  'mnasnet',
  (task, options) => {
    const [stem = 1, ...strides] = stridesFor(imageOf(task), STRIDES);
    return sequential(
      convBnRelu(3, toMultiple(STEM_WIDTH * options.width, 8), stem),
      ...mobileStages(options).map((stage, i) => scoped(blockName(i), blockOf(stage, strides[i] ?? 1))),
      convBnRelu(1, toMultiple(HEAD_WIDTH * options.width, 8)),
      ...[globalAvgPool(), dropout(options.dropout), linear('outputs')],
    );
  },
  {
    description:
      'factorized hierarchical space of MnasNet (Tan et al. 2019): seven blocks with an operation, kernel, squeeze-and-excite, skip, ' +
      'width and depth each, shared by the layers of a block',
    defaults: {
      width: { default: 0.25, min: 0.05, max: 4 },
      depth: { default: 0.5, min: 0.1, max: 8 },
      dropout: { default: 0.2, min: 0, below: 1 },
    },
    text: (_task, options) => textForm(options),
    handDesigned: (_task, options) => ({ 'mnasnet-a1': scaledMember(PUBLISHED_MNASNETS['MnasNet-A1'].text, options) }),
    published: {
      architectures: PUBLISHED_MNASNETS,
      options: { width: 1, depth: 1 },
      task: { kind: 'classification', input: [3, 224, 224], outputs: 1000 },
    },
  },
);

const blockName = (block: number) => `block${block + 1}`;

function blockOf({ widths, depths }: MobileStage, stride: 1 | 2): Module {
  const width = openIfSeveral('width', widths);
  const first = layerOf(width, stride);
  const further = layerOf(width, 1);
  const skipped = choice('skip', {
    none: further,
    identity: residual(further),
    pool: residual(further, avgPool(3)),
  } satisfies Record<(typeof SKIPS)[number], Module>);
  const more = (depth: number): Module =>
    depth < 2 ? identity() : sequential(...Array.from({ length: depth - 1 }, () => skipped));
  const [least = 1, ...others] = depths;
  if (others.length === 0) return least === 0 ? identity() : sequential(first, more(least));
  const whole = (depth: number) => (depth === 0 ? identity() : sequential(first, more(depth)));
  const option = least === 0 ? whole : more;
  const chosen = choice('depth', Object.fromEntries(depths.map((depth) => [String(depth), option(depth)])));
  return least === 0 ? chosen : sequential(first, chosen);
}

/** Its decisions have the same names in all layers of a block, so they are made once. */
function layerOf(width: Value<number>, stride: 1 | 2): Module {
  const kernel = pick('kernel', KERNELS);
  const squeeze = (ratio: number) =>
    choice('squeezeExcite', { none: identity(), quarter: squeezeExcite(ratio) } satisfies Record<
      (typeof SQUEEZES)[number],
      Module
    >);
  const depthwise = [conv('same', kernel, { stride, groups: 'depthwise' }), batchNorm(), relu()];
  const bottleneck = (expansion: number) =>
    sequential(
      ...[conv('same', 1, { multiple: expansion }), batchNorm(), relu()],
      ...depthwise,
      squeeze(1 / 4 / expansion),
      ...[conv(width, 1), batchNorm()],
    );
  return choice('operation', {
    conv: sequential(conv(width, kernel, { stride }), batchNorm(), relu(), squeeze(1 / 4)),
    sepConv: sequential(...depthwise, squeeze(1 / 4), conv(width, 1), batchNorm()),
    mbConv3: bottleneck(3),
    mbConv6: bottleneck(6),
  } satisfies Record<(typeof OPERATIONS)[number], Module>);
}

/** One block in the notation: `mbConv6 k3 quarter 112 x2 identity`; a block of one layer has no skip. */
interface Block {
  readonly operation: string;
  readonly kernel: number;
  readonly squeezeExcite: string;
  readonly width: number;
  readonly depth: number;
  readonly skip: string | undefined;
}

type Multipliers = Pick<MnasNetOptions, 'width' | 'depth'>;

function decisionsOf(blocks: readonly (Block | undefined)[], options: Multipliers): Architecture {
  const found: Record<string, DecisionValue> = {};
  for (const [i, { widths, depths }] of mobileStages(options).entries()) {
    const block = blocks[i];
    const decide = (name: string, value: DecisionValue) => {
      found[`${blockName(i)}/${name}`] = value;
    };
    if (depths.length > 1) decide('depth', String(block?.depth ?? 0));
    if (block === undefined) continue;
    if (widths.length > 1) decide('width', block.width);
    decide('operation', block.operation);
    decide('kernel', block.kernel);
    decide('squeezeExcite', block.squeezeExcite);
    if (block.skip !== undefined) decide('skip', block.skip);
  }
  return found;
}

function textForm(options: Multipliers): TextForm {
  const stages = mobileStages(options);
  return {
    format: (architecture) =>
      stages
        .map(({ widths, depths }, i) => {
          const value = (name: string) => architecture[`${blockName(i)}/${name}`];
          const depth = Number(depths.length > 1 ? value('depth') : depths[0]);
          if (depth === 0) return '-';
          const width = widths.length > 1 ? value('width') : widths[0];
          const skip = depth > 1 ? [value('skip')] : [];
          const words = [
            value('operation'),
            `k${value('kernel')}`,
            value('squeezeExcite'),
            width,
            `x${depth}`,
            ...skip,
          ];
          return words.join(' ');
        })
        .join(' | '),
    parse(text) {
      const published: Readonly<Record<string, Published>> = PUBLISHED_MNASNETS;
      const named = Object.hasOwn(published, text) ? published[text] : undefined;
      if (named !== undefined && (options.width !== 1 || options.depth !== 1))
        throw invalid(
          `architecture "${text}"`,
          `options are width=${options.width}, depth=${options.depth}`,
          'must be --space-options width=1,depth=1',
        );
      const blocks = blocksOf(named?.text ?? text);
      const place = placeOf(text);
      for (const [i, { widths, depths }] of stages.entries()) {
        const [depth, width] = [blocks[i]?.depth ?? 0, blocks[i]?.width ?? widths[0] ?? 0];
        if (!depths.includes(depth))
          throw invalid(place, `block ${i + 1} has ${depth} layers`, `must have ${depths.join(' or ')}`);
        if (!widths.includes(width))
          throw invalid(place, `the width of block ${i + 1} is ${width}`, `must be ${widths.join(' or ')}`);
      }
      return decisionsOf(blocks, options);
    },
  };
}

const placeOf = (text: string) => `architecture "${text.length > 60 ? `${text.slice(0, 60)}...` : text}"`;

function blocksOf(text: string): readonly (Block | undefined)[] {
  const place = placeOf(text);
  const parts = text.split('|').map((part) => part.trim());
  const count = mobileStages({ width: 1, depth: 1 }).length;
  if (parts.length !== count)
    throw invalid(
      place,
      `has ${parts.length} block${parts.length === 1 ? '' : 's'}`,
      `must have ${count}, between bars`,
    );
  return parts.map((part, i) => {
    if (part === '-') return undefined;
    const [, operation = '', kernel, squeeze = '', width, depth, skip] =
      /^(\w+) k(\d+) (\w+) (\d+) x(\d+)(?: (\w+))?$/u.exec(part) ?? [];
    const isWhole = depth !== undefined && Number(depth) > 1 === (skip !== undefined);
    if (!isWhole)
      throw invalid(
        place,
        `block ${i + 1} is "${part}"`,
        'must be OPERATION kKERNEL SQUEEZE WIDTH xLAYERS SKIP, as in mbConv6 k3 quarter 112 x2 identity, without SKIP if it has one layer',
      );
    return {
      ...{ operation, kernel: Number(kernel), squeezeExcite: squeeze, width: Number(width), depth: Number(depth) },
      skip,
    };
  });
}

/** A published network at the multipliers of the space. */
function scaledMember(text: string, options: Multipliers): Architecture {
  const blocks = blocksOf(text).map((block) => {
    if (block === undefined) return undefined;
    const depth = blocksAt(block.depth, options.depth);
    const skip = depth > 1 ? (block.skip ?? 'identity') : undefined;
    return { ...block, width: toMultiple(block.width * options.width, 8), depth, skip };
  });
  return decisionsOf(blocks, options);
}
