import { invalid } from '../../../common/errors.ts';
import type { Task, TextForm } from '../../space.ts';
import {
  activation,
  batchNorm,
  choice,
  conv,
  dagOfNodes,
  dropout,
  globalAvgPool,
  identity,
  linear,
  maxPool,
  pick,
  pool,
  scoped,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { imageOf, openIfSeveral, stridesFor } from './images.ts';
import {
  formatInception,
  GOOGLENET,
  googLeNet,
  type InceptionOptions,
  type LARGE_KERNELS,
  parseInception,
  publishedNetworks,
  stageName,
  WIDTHS,
  widthsOf,
} from './inception-members.ts';

/** Of the first convolution, and of the pooling after the stem's first and last one and after the first two stages. */
const STRIDES = [2, 2, 2, 2, 2] as const;
const ACTIVATIONS = ['relu', 'silu', 'hardSwish'] as const;
/**
 * Chains of inception modules (Szegedy et al. 2015, arXiv:1409.4842, with batch norm as Ioffe & Szegedy 2015): a stem and 3 stages of up
 * to 2, 5 and 2 modules. A module concatenates four branches: a 1x1 convolution; a 3x3 one behind a reduction by 1x1; a larger kernel
 * behind a reduction, which is 5x5, two of 3x3 or 1x7 and 7x1 (Szegedy et al. 2016, arXiv:1512.00567), or 3x3; pooling and a
 * 1x1 convolution. Decided are the modules of each stage, of each module the six widths (half, once and one and a half times GoogLeNet's),
 * the larger kernel and the pooling, and the activation of each stage and of the stem. GoogLeNet is a member. At the default width 2.7e33
 * architectures.
 *
 * Differs: images are halved less often where they are small; there are no auxiliary heads.
 */
export const inception = defineSpace(
  'inception',
  (task, { width, dropout: rate }) => {
    const [first = 1, second = 1, ...between] = stridesFor(imageOf(task), STRIDES);
    const channels = (count: number) => toMultiple(count * width, 8);
    const halve = (stride: 1 | 2) => (stride === 1 ? [] : [maxPool(3, { stride })]);
    return sequential(
      ...layer(channels(64), first === 1 ? 3 : 7, first),
      ...halve(second),
      ...layer(channels(64), 1),
      ...layer(channels(192), 3),
      ...GOOGLENET.flatMap((_, i) => [...halve(between[i] ?? 1), scoped(stageName(i), stageOf(i, width))]),
      ...[globalAvgPool(), dropout(rate), linear('outputs')],
    );
  },
  {
    description:
      'chains of inception modules with four branches each (GoogLeNet, Szegedy et al. 2015): kernels, widths, pooling, modules',
    defaults: {
      width: { default: 0.25, min: 0.05, max: 4 },
      dropout: { default: 0.2, min: 0, below: 1 },
    },
    text: textForm,
    handDesigned: (_task, options) => ({ googlenet: googLeNet('5x5', options) }),
    published: {
      architectures: publishedNetworks(),
      options: { width: 1 },
      task: { kind: 'classification', input: [3, 224, 224], outputs: 1000 },
    },
  },
);

/** Convolution, batch norm, activation. */
const layer = (
  channels: Parameters<typeof conv>[0],
  kernel: Parameters<typeof conv>[1],
  stride = 1,
): readonly Module[] => [
  conv(channels, kernel, { stride }),
  batchNorm(),
  // The same name inside the scope of a stage would be another decision, so stages decide for themselves.
  activation(pick('activation', ACTIVATIONS)),
];

function stageOf(stage: number, width: number): Module {
  const modules = (GOOGLENET[stage] ?? []).map((_, module) => moduleOf(stage, module, width));
  const [first = identity(), ...others] = modules;
  const options = modules.map(
    (_, i) => [String(i + 1), i === 0 ? identity() : sequential(...others.slice(0, i))] as const,
  );
  return sequential(first, choice('modules', Object.fromEntries(options)));
}

function moduleOf(stage: number, module: number, width: number): Module {
  const name = (what: string) => `${what}${module + 1}`;
  const [point, reduce, three, largeReduce, large, projection] = WIDTHS.map((what, branch) =>
    openIfSeveral(name(what), widthsOf(stage, module, branch, width)),
  ) as [ReturnType<typeof openIfSeveral>, ...ReturnType<typeof openIfSeveral>[]];
  const wide = large ?? point;
  const kernels = {
    '3x3': sequential(...layer(wide, 3)),
    '5x5': sequential(...layer(wide, 5)),
    '3x3_3x3': sequential(...layer(wide, 3), ...layer(wide, 3)),
    '1x7_7x1': sequential(...layer(wide, [1, 7]), ...layer(wide, [7, 1])),
  } as const satisfies Readonly<Record<(typeof LARGE_KERNELS)[number], Module>>;
  const branches = [
    sequential(...layer(point, 1)),
    sequential(...layer(reduce ?? point, 1), ...layer(three ?? point, 3)),
    sequential(...layer(largeReduce ?? point, 1), choice(name('kernel'), kernels)),
    sequential(pool(pick(name('pool'), ['max', 'average']), 3), ...layer(projection ?? point, 1)),
  ];
  return dagOfNodes(branches.length, (node) => ({ from: [0], edge: () => branches[node - 1] ?? identity() }), {
    output: 'concat',
  });
}

/** With the names of published members, which need `width` 1. */
function textForm(_task: Task, { width }: InceptionOptions): TextForm {
  return {
    format: (architecture) => formatInception(architecture, width),
    parse(text) {
      const published = publishedNetworks();
      if (!Object.hasOwn(published, text)) return parseInception(text, width);
      if (width !== 1)
        throw invalid(`architecture "${text}"`, `option width is ${width}`, 'must be --space-options width=1');
      return parseInception(published[text]?.text ?? '', width);
    },
  };
}
