/** The form of the space `mobilenet` that supernets search: a choice of whole blocks in each place, everything else fixed. */
import { invalid } from '../../../common/errors.ts';
import type { Architecture, Task, TextForm, TreeArchitecture } from '../../space.ts';
import {
  activation,
  batchNorm,
  choice,
  conv,
  dropout,
  globalAvgPool,
  identity,
  linear,
  residual,
  scoped,
  sequential,
} from '../../tree/builders.ts';
import type { Module } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { imageOf, stridesFor } from './images.ts';
import { blocksAt, KERNELS, type MobileOptions, mobileStages, STRIDES, widthsOfHead } from './mobilenet-stages.ts';

/** Channels of the stages at `width` 1: those of MnasNet, and of the network that ProxylessNAS searches. */
const WIDTHS = [16, 24, 40, 80, 96, 192, 320] as const;
const STEM = 32;
const EXPANSIONS = [3, 6] as const;
const FN = 'relu6';
/** A block that is left out; in the notation a dash. */
const SKIP = 'skip';
const DASH = '-';

type Size = Pick<MobileOptions, 'width' | 'depth'>;

interface SearchStage {
  readonly name: string;
  readonly width: number;
  /** Blocks at most. */
  readonly blocks: number;
  /** Whether they are searched: all but the first stage's. */
  readonly isOpen: boolean;
}

const stagesOf = (options: Size): readonly SearchStage[] =>
  mobileStages(options).map(({ name, depths, expands }, i) => ({
    name,
    width: toMultiple((WIDTHS[i] ?? 0) * options.width, 8),
    blocks: depths.at(-1) ?? 1,
    isOpen: expands,
  }));

const OPTIONS: readonly (readonly [key: string, kernel: number, expansion: number])[] = EXPANSIONS.flatMap(
  (expansion) => KERNELS.map((kernel) => [`k${kernel}e${expansion}`, kernel, expansion] as const),
);

/** A chain of choices between inverted bottlenecks; the blocks after the first of a stage may be left out. */
export function searchedMobilenet(task: Task, options: MobileOptions): Module {
  const strides = stridesFor(imageOf(task), STRIDES);
  const finish = [batchNorm(), activation(FN)] as const;
  const [headWidth = 1] = widthsOfHead(options);
  const stages = stagesOf(options).map(({ name, width, blocks, isOpen }, i) => {
    const stride = strides[i + 1] ?? 1;
    if (!isOpen) return scoped(name, bottleneck({ kernel: 3, expansion: 1, width, stride }));
    const places = Array.from({ length: blocks }, (_, place) => {
      const each = (of: (block: Module) => Module, at: 1 | 2) =>
        Object.fromEntries(
          OPTIONS.map(([key, kernel, expansion]) => [key, of(bottleneck({ kernel, expansion, width, stride: at }))]),
        );
      return choice(
        `block${place + 1}`,
        place === 0 ? each((block) => block, stride) : { ...each(residual, 1), [SKIP]: identity() },
      );
    });
    return scoped(name, sequential(...places));
  });
  return sequential(
    sequential(conv(toMultiple(STEM * options.width, 8), 3, { stride: strides[0] ?? 1 }), ...finish),
    ...stages,
    sequential(conv(headWidth, 1), ...finish, globalAvgPool(), dropout(options.dropout), linear('outputs')),
  );
}

interface Bottleneck {
  readonly kernel: number;
  readonly expansion: number;
  readonly width: number;
  readonly stride: 1 | 2;
}

function bottleneck({ kernel, expansion, width, stride }: Bottleneck): Module {
  const finish = [batchNorm(), activation(FN)] as const;
  return sequential(
    ...(expansion === 1 ? [] : [conv('same', 1, { multiple: expansion }), ...finish]),
    conv('same', kernel, { stride, groups: 'depthwise' }),
    ...finish,
    conv(width, 1),
    batchNorm(),
  );
}

/**
 * The notation of `mobilenet`, with a dash for a block that is left out before another one of its stage. Without dashes it is that
 * network's own text in the space without `search`.
 */
export function searchedText(options: Size): TextForm {
  const stages = stagesOf(options);
  const headOf = () => `convolution ${widthsOfHead(options)[0]}`;
  const fixedOf = ({ width }: SearchStage) => `${width} ${FN} none`;
  const start = `1 wide ${FN}`;
  const places = ({ name, blocks }: SearchStage) => Array.from({ length: blocks }, (_, i) => `${name}/block${i + 1}`);

  return {
    format(architecture) {
      const groups = stages.map((stage) => {
        if (!stage.isOpen) return `${fixedOf(stage)} k3`;
        const blocks = places(stage).map((name) => (architecture[name] === SKIP ? DASH : String(architecture[name])));
        return [fixedOf(stage), ...blocks.slice(0, blocks.findLastIndex((block) => block !== DASH) + 1)].join(' ');
      });
      return [start, ...groups, headOf()].join(' | ');
    },
    parse(text) {
      const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
      const refuse = (found: string, rule: string) => invalid(`architecture "${short}"`, found, rule);
      const groups = text.split('|').map((group) => group.trim().replace(/\s+/gu, ' '));
      const found = (i: number) => `group ${i + 1} is "${groups[i]}"`;
      if (groups.length !== stages.length + 2)
        throw refuse(
          `has ${groups.length} group${groups.length === 1 ? '' : 's'} between bars`,
          `must have ${stages.length + 2}: ${start}, then WIDTH ${FN} none BLOCKS of each stage, then ${headOf()}`,
        );
      if (groups[0] !== start) throw refuse(found(0), `must be ${start} with search=true`);
      if (groups.at(-1) !== headOf()) throw refuse(found(groups.length - 1), `must be ${headOf()} with search=true`);
      return Object.fromEntries(
        stages.flatMap((stage, i): (readonly [string, string])[] => {
          const fixed = fixedOf(stage);
          const [group = '', names] = [groups[i + 1], places(stage)];
          const blocks = group.slice(fixed.length + 1).split(' ');
          const form = stage.isOpen ? `1 to ${names.length} blocks such as k3e6` : 'k3';
          const isRight = stage.isOpen ? blocks.length <= names.length : group === `${fixed} k3`;
          if (!group.startsWith(`${fixed} `) || !isRight) throw refuse(found(i + 1), `must be ${fixed} and ${form}`);
          if (!stage.isOpen) return [];
          return names.map((name, k) => [name, (blocks[k] ?? DASH) === DASH ? SKIP : (blocks[k] ?? '')] as const);
        }),
      );
    },
  };
}

/** The blocks of MnasNet-B1 (Tan et al. 2019) by stage: how many, kernel and expansion. */
const MNASNET = [
  [3, 3, 3],
  [3, 5, 3],
  [3, 5, 6],
  [2, 3, 6],
  [4, 5, 6],
  [1, 3, 6],
] as const;

/** Members that were designed by hand. */
export function searchedMembers(options: Size): Readonly<Record<string, Architecture>> {
  const open = stagesOf(options).filter(({ isOpen }) => isOpen);
  const mnasnet: TreeArchitecture = Object.fromEntries(
    open.flatMap(({ name, blocks }, i) => {
      const [count, kernel, expansion] = MNASNET[i] ?? [0, 0, 0];
      const depth = blocksAt(count, options.depth);
      return Array.from({ length: blocks }, (_, k) => [
        `${name}/block${k + 1}`,
        k < depth ? `k${kernel}e${expansion}` : SKIP,
      ]);
    }),
  );
  return { 'mnasnet-b1': mnasnet };
}
