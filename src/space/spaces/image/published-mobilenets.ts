/** Published chains of inverted bottlenecks, as their papers' tables give them, at `width` and `depth` 1. */
import type { Published, PublishedArchitectures, TreeArchitecture } from '../../space.ts';
import { toMultiple } from '../../tree/widths.ts';
import { formatMobile } from './mobilenet-notation.ts';
import {
  type ACTIVATIONS,
  blocksAt,
  type HEADS,
  type MobileOptions,
  mobileStages,
  type SQUEEZES,
  type STEMS,
  widthsOfHead,
} from './mobilenet-stages.ts';

type Activation = (typeof ACTIVATIONS)[number];
/** Kernel and expansion. */
type Block = readonly [kernel: number, expansion: number];

interface Stage {
  readonly width: number;
  readonly blocks: readonly Block[];
  readonly activation?: Activation;
  readonly squeezeExcite?: (typeof SQUEEZES)[number];
}

export interface MobileFamily {
  readonly stem: (typeof STEMS)[number];
  readonly head: (typeof HEADS)[number];
  /** Of the stem, the head, and all stages that name none. */
  readonly activation: Activation;
  readonly squeezeExcite: (typeof SQUEEZES)[number];
  /** Seven; the last may be missing. */
  readonly stages: readonly Stage[];
  /** The head keeps its width whatever the multiplier. */
  readonly keepsHead?: true;
}

/** `count` blocks that are alike. */
const alike = (count: number, kernel: number, expansion: number): readonly Block[] =>
  Array.from({ length: count }, () => [kernel, expansion] as const);

const mobileNetV2: MobileFamily = {
  ...{ stem: 'wide', head: 'convolution', activation: 'relu6', squeezeExcite: 'none' },
  stages: [
    { width: 16, blocks: alike(1, 3, 1) },
    { width: 24, blocks: alike(2, 3, 6) },
    { width: 32, blocks: alike(3, 3, 6) },
    { width: 64, blocks: alike(4, 3, 6) },
    { width: 96, blocks: alike(3, 3, 6) },
    { width: 160, blocks: alike(3, 3, 6) },
    { width: 320, blocks: alike(1, 3, 6) },
  ],
};

const mobileNetV3: MobileFamily = {
  ...{ stem: 'narrow', head: 'hidden', activation: 'hardSwish', squeezeExcite: 'none' },
  stages: [
    { width: 16, activation: 'relu', blocks: [[3, 1]] },
    {
      ...{ width: 24, activation: 'relu' },
      blocks: [
        [3, 4],
        [3, 3],
      ],
    },
    { width: 40, activation: 'relu', squeezeExcite: 'expanded', blocks: alike(3, 5, 3) },
    { width: 80, blocks: [[3, 6], [3, 2.5], ...alike(2, 3, 2.3)] },
    { width: 112, squeezeExcite: 'expanded', blocks: alike(2, 3, 6) },
    { width: 160, squeezeExcite: 'expanded', blocks: alike(3, 5, 6) },
  ],
};

/** MnasNet-B1, as torchvision has it; A1 has squeeze-and-excite. */
const mnasNet: MobileFamily = {
  ...{ stem: 'wide', head: 'convolution', activation: 'relu', squeezeExcite: 'none', keepsHead: true },
  stages: [
    { width: 16, blocks: alike(1, 3, 1) },
    { width: 24, blocks: alike(3, 3, 3) },
    { width: 40, blocks: alike(3, 5, 3) },
    { width: 80, blocks: alike(3, 5, 6) },
    { width: 96, blocks: alike(2, 3, 6) },
    { width: 192, blocks: alike(4, 5, 6) },
    { width: 320, blocks: alike(1, 3, 6) },
  ],
};

const proxylessMobile: MobileFamily = {
  ...{ stem: 'wide', head: 'convolution', activation: 'relu6', squeezeExcite: 'none' },
  stages: [
    { width: 16, blocks: alike(1, 3, 1) },
    { width: 32, blocks: [[5, 3], ...alike(1, 3, 3)] },
    { width: 40, blocks: [[7, 3], [3, 3], ...alike(2, 5, 3)] },
    { width: 80, blocks: [[7, 6], ...alike(3, 5, 3)] },
    { width: 96, blocks: [[5, 6], ...alike(3, 5, 3)] },
    { width: 192, blocks: [...alike(2, 7, 6), ...alike(2, 7, 3)] },
    { width: 320, blocks: alike(1, 7, 6) },
  ],
};

/** Members of the supernet that Once-for-All trains, all of whose stages and blocks are alike. */
function onceForAll(blocks: number, kernel: number, expansion: number): MobileFamily {
  const each = alike(blocks, kernel, expansion);
  return {
    ...{ stem: 'narrow', head: 'hiddenWithoutBias', activation: 'hardSwish', squeezeExcite: 'none' },
    stages: [
      { width: 16, activation: 'relu', blocks: [[3, 1]] },
      { width: 24, activation: 'relu', blocks: each },
      { width: 40, activation: 'relu', squeezeExcite: 'expanded', blocks: each },
      { width: 80, blocks: each },
      { width: 112, squeezeExcite: 'expanded', blocks: each },
      { width: 160, squeezeExcite: 'expanded', blocks: each },
    ],
  };
}

const efficientNet: MobileFamily = {
  ...{ stem: 'wide', head: 'convolution', activation: 'silu', squeezeExcite: 'input' },
  stages: [
    { width: 16, blocks: alike(1, 3, 1) },
    { width: 24, blocks: alike(2, 3, 6) },
    { width: 40, blocks: alike(2, 5, 6) },
    { width: 80, blocks: alike(3, 3, 6) },
    { width: 112, blocks: alike(3, 5, 6) },
    { width: 192, blocks: alike(4, 5, 6) },
    { width: 320, blocks: alike(1, 3, 6) },
  ],
};

/** What a search begins with, at the multipliers of the space: the fastest first. */
export const MOBILE_FAMILIES = {
  'mobilenet-v3': mobileNetV3,
  'mobilenet-v2': mobileNetV2,
  'efficientnet-b0': efficientNet,
} as const satisfies Readonly<Record<string, MobileFamily>>;

/** The member of the space with these options: stages are shortened, or continued by blocks like their last. */
export function memberOf(family: MobileFamily, options: Pick<MobileOptions, 'width' | 'depth'>): TreeArchitecture {
  const heads = widthsOfHead(options);
  const stages = mobileStages(options).flatMap(({ name, widths, depths, expands }, i) => {
    const stage = family.stages[i];
    const depth = blocksAt(stage?.blocks.length ?? 0, options.depth);
    const decided: [string, number | string][] = depths.length > 1 ? [['depth', String(depth)]] : [];
    if (stage && depth > 0) {
      if (widths.length > 1) decided.push(['width', toMultiple(stage.width * options.width, 8)]);
      decided.push(['activation', stage.activation ?? family.activation]);
      decided.push(['squeezeExcite', stage.squeezeExcite ?? family.squeezeExcite]);
      for (let number = 1; number <= depth; number++) {
        const [kernel, expansion] = stage.blocks[Math.min(number, stage.blocks.length) - 1] as Block;
        decided.push([`kernel${number}`, kernel]);
        if (expands) decided.push([`expansion${number}`, String(expansion)]);
      }
    }
    return decided.map(([decision, value]) => [`${name}/${decision}`, value] as const);
  });
  const scaled = toMultiple(1280 * options.width, 8);
  return Object.fromEntries([
    ['resolution', 1],
    ['stem', family.stem],
    ['activation', family.activation],
    ...stages,
    ['head', family.head],
    ...(heads.length > 1 ? [['headWidth', family.keepsHead ? 1280 : scaled] as const] : []),
  ]);
}

const TORCHVISION = 'pytorch/vision@v0.19 torchvision/models';

interface Source {
  readonly paper: string;
  readonly source: string;
  readonly family: MobileFamily;
  readonly width?: number;
  readonly depth?: number;
  /** Parameters, and top-1 error on ImageNet. */
  readonly quoted?: { readonly params: number; readonly testError: string };
}

const MNASNET = { paper: 'Tan et al. 2019, arXiv:1807.11626', source: `${TORCHVISION}/mnasnet.py`, family: mnasNet };
const EFFICIENTNET = {
  paper: 'Tan & Le 2019, arXiv:1905.11946',
  source: `${TORCHVISION}/efficientnet.py`,
  family: efficientNet,
};
const ONCE_FOR_ALL = {
  paper: 'Cai et al. 2020, arXiv:1908.09791',
  source: 'mit-han-lab/once-for-all ofa/imagenet_classification/elastic_nn/networks/ofa_mbv3.py',
};

const SOURCES: Readonly<Record<string, Source>> = {
  MobileNetV2: {
    paper: 'Sandler et al. 2018, arXiv:1801.04381',
    source: `${TORCHVISION}/mobilenetv2.py`,
    family: mobileNetV2,
    quoted: { params: 3.4e6, testError: '28.0 %' },
  },
  'MobileNetV3-Large': {
    paper: 'Howard et al. 2019, arXiv:1905.02244',
    source: `${TORCHVISION}/mobilenetv3.py`,
    family: mobileNetV3,
    quoted: { params: 5.4e6, testError: '24.8 %' },
  },
  'MnasNet-0.75': { ...MNASNET, width: 0.75 },
  'MnasNet-1.0': { ...MNASNET, quoted: { params: 4.4e6, testError: '25.5 %' } },
  'MnasNet-1.3': { ...MNASNET, width: 1.3 },
  'ProxylessNAS-Mobile': {
    paper: 'Cai et al. 2019, arXiv:1812.00332',
    source: 'mit-han-lab/proxylessnas proxyless_nas/model_zoo.py',
    family: proxylessMobile,
    quoted: { params: 4.1e6, testError: '25.4 %' },
  },
  'Once-for-All-largest': { ...ONCE_FOR_ALL, family: onceForAll(4, 7, 6) },
  'Once-for-All-smallest': { ...ONCE_FOR_ALL, family: onceForAll(2, 3, 3) },
  'EfficientNet-B0': { ...EFFICIENTNET, quoted: { params: 5.3e6, testError: '22.9 %' } },
  'EfficientNet-B1': { ...EFFICIENTNET, depth: 1.1, quoted: { params: 7.8e6, testError: '20.9 %' } },
  'EfficientNet-B2': { ...EFFICIENTNET, width: 1.1, depth: 1.2, quoted: { params: 9.2e6, testError: '19.9 %' } },
  'EfficientNet-B3': { ...EFFICIENTNET, width: 1.2, depth: 1.4, quoted: { params: 12e6, testError: '18.4 %' } },
  'EfficientNet-B4': { ...EFFICIENTNET, width: 1.4, depth: 1.8, quoted: { params: 19e6, testError: '17.1 %' } },
  'EfficientNet-B5': { ...EFFICIENTNET, width: 1.6, depth: 2.2, quoted: { params: 30e6, testError: '16.4 %' } },
  'EfficientNet-B6': { ...EFFICIENTNET, width: 1.8, depth: 2.6, quoted: { params: 43e6, testError: '16.0 %' } },
  'EfficientNet-B7': { ...EFFICIENTNET, width: 2, depth: 3.1, quoted: { params: 66e6, testError: '15.7 %' } },
};

function published({ family, width = 1, depth = 1, ...rest }: Source): Published {
  const options = { width, depth };
  const { paper, source, quoted } = rest;
  const text = formatMobile(memberOf(family, options), options);
  return { text, paper, source, options, ...(quoted && { quoted }) };
}

export const PUBLISHED_MOBILENETS: PublishedArchitectures = {
  architectures: Object.fromEntries(Object.entries(SOURCES).map(([name, source]) => [name, published(source)])),
  options: { width: 1, depth: 1 },
  task: { kind: 'classification', input: [3, 224, 224], outputs: 1000 },
};
