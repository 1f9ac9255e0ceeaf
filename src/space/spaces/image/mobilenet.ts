import { invalid } from '../../../common/errors.ts';
import type { Task, TextForm } from '../../space.ts';
import {
  activation,
  batchNorm,
  choice,
  conv,
  dropout,
  globalAvgPool,
  identity,
  linear,
  pick,
  residual,
  resize,
  scoped,
  sequential,
  squeezeExcite,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module, Value } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { imageOf, openIfSeveral, stridesFor } from './images.ts';
import { formatMobile, parseMobile } from './mobilenet-notation.ts';
import { searchedMembers, searchedMobilenet, searchedText } from './mobilenet-search.ts';
import {
  ACTIVATIONS,
  EXPANSIONS,
  KERNELS,
  type MobileOptions,
  type MobileStage,
  mobileStages,
  RESOLUTIONS,
  STRIDES,
  widthsOfHead,
} from './mobilenet-stages.ts';
import { MOBILE_FAMILIES, memberOf, PUBLISHED_MOBILENETS } from './published-mobilenets.ts';

/** Squeeze-and-excite keeps a quarter of the channels. */
const SQUEEZE = 1 / 4;
/** The convolution before a hidden layer at the end has this many times the channels of the last stage. */
const END_EXPANSION = 6;

/**
 * Chains of inverted bottlenecks (Sandler et al. 2018, arXiv:1801.04381): a stem, 7 stages, a head. Of each stage width, depth, activation
 * and squeeze-and-excite are decided, of each block kernel and expansion; of the whole also the resolution, the stem and the head.
 * MobileNetV2, MobileNetV3-Large, MnasNet, ProxylessNAS, Once-for-All's MobileNetV3 and EfficientNet are members (`PUBLISHED_MOBILENETS`);
 * `width` and `depth` multiply channels (to multiples of 8) and blocks (rounded up), as in these papers. 7.4e24 architectures by default,
 * 1.5e37 at `width` and `depth` 1.
 *
 * A block expands its channels by a 1x1 convolution, filters them by a depthwise one and projects them by another 1x1 convolution, with batch norm
 * after each and an activation after the first two. All blocks of a stage but the first have a shortcut. Squeeze-and-excite stands before
 * the projection: `expanded` squeezes to a quarter of the block's own channels and gates by a hard sigmoid (MobileNetV3), `input` to a
 * quarter of the channels that the block reads, with a sigmoid (MnasNet, EfficientNet).
 *
 * `search`: the network that ProxylessNAS searches with (Cai et al. 2019, arXiv:1812.00332): in each place a choice between inverted bottlenecks of
 * kernel 3, 5 or 7 and expansion 3 or 6, and after the first place of a stage also no block; widths, the first stage, the stem (wide), the head (a
 * convolution) and the activation (ReLU6) are fixed. FBNet's and Once-for-All's blocks are of this kind. Decisions are others than without
 * `search`, but each of these networks is a member there as well. 6^6 · 7^15 = 2.2e17 architectures at `width` and `depth` 1.
 *
 * Differs: images that are halved 5 times on the way are halved less often where they are small, the first time last: of 32x32 and 28x28,
 * 3 times.
 */
export const mobilenet = defineSpace(
  'mobilenet',
  (task, options) => {
    if (options.search) return searchedMobilenet(task, options);
    const stages = mobileStages(options);
    const strides = stridesFor(imageOf(task), STRIDES);
    const finish = finishOf('activation');
    const stem = (width: number) => sequential(conv(width, 3, { stride: strides[0] ?? 1 }), ...finish);
    const [early, ...later] = stages.map(
      (stage, i) =>
        (residualFirst: boolean): Module =>
          scoped(stage.name, stageOf(stage, strides[i + 1] ?? 1, residualFirst)),
    );
    const start = (width: number, isResidual: boolean) =>
      sequential(stem(toMultiple(width * options.width, 8)), ...(early ? [early(isResidual)] : []));
    return sequential(
      resize(pick('resolution', RESOLUTIONS), { mode: 'bilinear' }),
      // A narrow stem has the channels of the first stage, so its first block has a shortcut.
      choice('stem', { narrow: start(16, true), wide: start(32, false) }),
      ...later.map((stage) => stage(false)),
      headOf(options, finish),
    );
  },
  {
    description:
      'chains of inverted bottlenecks (MobileNetV2 and V3, MnasNet, ProxylessNAS, Once-for-All, EfficientNet): kernel, expansion, ' +
      'depth, width, squeeze-and-excite, activation, resolution',
    defaults: {
      width: { default: 0.25, min: 0.05, max: 4 },
      depth: { default: 0.5, min: 0.1, max: 8 },
      dropout: { default: 0.2, min: 0, below: 1 },
      search: false,
    },
    text: textForm,
    handDesigned: (_task, options) =>
      options.search
        ? searchedMembers(options)
        : Object.fromEntries(
            Object.entries(MOBILE_FAMILIES).map(([name, family]) => [name, memberOf(family, options)]),
          ),
    published: PUBLISHED_MOBILENETS,
  },
);

/** With the names of published members, at the options that they need. */
function textForm(_task: Task, options: MobileOptions): TextForm {
  if (options.search) return searchedText(options);
  return {
    format: (architecture) => formatMobile(architecture, options),
    parse(text) {
      const { architectures, options: usual } = PUBLISHED_MOBILENETS;
      const named = Object.hasOwn(architectures, text) ? architectures[text] : undefined;
      if (named === undefined) return parseMobile(text, options);
      const wanted = { ...usual, ...named.options };
      if (wanted.width !== options.width || wanted.depth !== options.depth)
        throw invalid(
          `architecture "${text}"`,
          `options are width=${options.width}, depth=${options.depth}`,
          `must be --space-options width=${wanted.width},depth=${wanted.depth}`,
        );
      return parseMobile(named.text, options);
    },
  };
}

/** Batch norm and the activation that a decision names. */
const finishOf = (name: string): readonly Module[] => [batchNorm(), activation(pick(name, ACTIVATIONS))];

function stageOf(stage: MobileStage, stride: 1 | 2, residualFirst: boolean): Module {
  const width = openIfSeveral('width', stage.widths);
  const entrance = block(stage, 1, width, stride);
  const first = residualFirst ? residual(entrance) : entrance;
  const more = (depth: number) => {
    const blocks = Array.from({ length: Math.max(0, depth - 1) }, (_, i) => residual(block(stage, i + 2, width, 1)));
    return blocks.length === 0 ? identity() : sequential(...blocks);
  };
  const [only, ...others] = stage.depths;
  if (only === undefined) return identity();
  if (others.length === 0) return only === 0 ? identity() : sequential(first, more(only));
  // Decisions on a stage that may be missing stand behind its depth.
  const whole = (depth: number) => (depth === 0 ? identity() : sequential(first, more(depth)));
  const option = only === 0 ? whole : more;
  const depths = choice('depth', Object.fromEntries(stage.depths.map((depth) => [String(depth), option(depth)])));
  return only === 0 ? depths : sequential(first, depths);
}

/** An inverted bottleneck; `number` counts the blocks of its stage from 1. */
function block(stage: MobileStage, number: number, width: Value<number>, stride: 1 | 2): Module {
  const finish = finishOf('activation');
  const fn = pick('activation', ACTIVATIONS);
  const eachExpansion = (module: (expansion: number) => Module) =>
    stage.expands
      ? choice(`expansion${number}`, Object.fromEntries(EXPANSIONS.map((one) => [String(one), module(one)])))
      : module(1);
  return sequential(
    ...(stage.expands ? [eachExpansion((multiple) => conv('same', 1, { multiple })), ...finish] : []),
    conv('same', pick(`kernel${number}`, KERNELS), { stride, groups: 'depthwise' }),
    ...finish,
    choice('squeezeExcite', {
      none: identity(),
      expanded: squeezeExcite(SQUEEZE, { gate: 'hardSigmoid', divisor: 8 }),
      input: eachExpansion((expansion) => squeezeExcite(SQUEEZE / expansion, { fn })),
    }),
    conv(width, 1),
    batchNorm(),
  );
}

function headOf(options: MobileOptions, finish: readonly Module[]): Module {
  const width = openIfSeveral('headWidth', widthsOfHead(options));
  const fn = activation(pick('activation', ACTIVATIONS));
  const classify: readonly Module[] = [dropout(options.dropout), linear('outputs')];
  const hidden = (bias: boolean) =>
    sequential(
      conv('same', 1, { multiple: END_EXPANSION }),
      ...finish,
      globalAvgPool(),
      linear(width, { bias }),
      fn,
      ...classify,
    );
  return choice('head', {
    convolution: sequential(conv(width, 1), ...finish, globalAvgPool(), ...classify),
    hidden: hidden(true),
    hiddenWithoutBias: hidden(false),
  });
}
