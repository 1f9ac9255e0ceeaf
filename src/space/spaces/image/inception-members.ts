/** Members of the space `inception`: the widths of its modules, its notation, and GoogLeNet. */
import { invalid } from '../../../common/errors.ts';
import type { Architecture, DecisionValue, Published, TreeArchitecture } from '../../space.ts';
import { toMultiple } from '../../tree/widths.ts';
import { distinct } from './images.ts';

export interface InceptionOptions {
  /** Multiplies all channels, to multiples of 8. */
  readonly width: number;
  readonly dropout: number;
}

export const LARGE_KERNELS = ['3x3', '5x5', '3x3_3x3', '1x7_7x1'] as const;
/** Of the channels of GoogLeNet's modules. */
const SHARES = [0.5, 1, 1.5] as const;
/** Channels of a module: 1x1; 3x3, reduced first; the larger kernel, reduced first; behind pooling. */
export const WIDTHS = ['point', 'reduce', 'three', 'largeReduce', 'large', 'projection'] as const;
/** Table 1 of Szegedy et al. 2015, by stage and module. */
export const GOOGLENET = [
  [
    [64, 96, 128, 16, 32, 32],
    [128, 128, 192, 32, 96, 64],
  ],
  [
    [192, 96, 208, 16, 48, 64],
    [160, 112, 224, 24, 64, 64],
    [128, 128, 256, 24, 64, 64],
    [112, 144, 288, 32, 64, 64],
    [256, 160, 320, 32, 128, 128],
  ],
  [
    [256, 160, 320, 32, 128, 128],
    [384, 192, 384, 48, 128, 128],
  ],
] as const;

const FORM = 'ACTIVATION | MODULE / MODULE ... | ..., a module being 64 96-128 5x5:16-32 max:32';

export const stageName = (stage: number) => `stage${stage + 1}`;

export function widthsOf(stage: number, module: number, branch: number, width: number): readonly number[] {
  const base = GOOGLENET[stage]?.[module]?.[branch] ?? 8;
  return distinct(SHARES.map((share) => toMultiple(base * share * width, 8)));
}

/** GoogLeNet with this larger kernel in each module. */
export function googLeNet(
  kernel: (typeof LARGE_KERNELS)[number],
  { width }: Pick<InceptionOptions, 'width'>,
): TreeArchitecture {
  const stages = GOOGLENET.flatMap((modules, stage) => {
    const each = modules.flatMap((bases, module) => [
      ...WIDTHS.flatMap((what, branch) => {
        const several = widthsOf(stage, module, branch, width).length > 1;
        return several ? [[`${what}${module + 1}`, toMultiple((bases[branch] ?? 8) * width, 8)] as const] : [];
      }),
      [`kernel${module + 1}`, kernel] as const,
      [`pool${module + 1}`, 'max'] as const,
    ]);
    const decided: readonly (readonly [string, DecisionValue])[] = [
      ['activation', 'relu'],
      ['modules', String(modules.length)],
      ...each,
    ];
    return decided.map(([name, value]) => [`${stageName(stage)}/${name}`, value] as const);
  });
  return Object.fromEntries([['activation', 'relu'], ...stages]);
}

export function formatInception(architecture: Architecture, width: number): string {
  const stages = GOOGLENET.map((modules, stage) => {
    const value = (name: string) => architecture[`${stageName(stage)}/${name}`];
    const each = modules.slice(0, Number(value('modules'))).map((_, module) => {
      const [point, reduce, three, largeReduce, large, projection] = WIDTHS.map(
        (what, branch) => value(`${what}${module + 1}`) ?? widthsOf(stage, module, branch, width)[0],
      );
      const [kernel, pooling] = [value(`kernel${module + 1}`), value(`pool${module + 1}`)];
      return `${point} ${reduce}-${three} ${kernel}:${largeReduce}-${large} ${pooling}:${projection}`;
    });
    return `${value('activation')} ${each.join(' / ')}`;
  });
  return [architecture.activation, ...stages].join(' | ');
}

export function parseInception(text: string, width: number): TreeArchitecture {
  const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  const refuse = (found: string, rule: string) => invalid(`architecture "${short}"`, found, rule);
  const [whole = '', ...groups] = text.split('|').map((group) => group.trim());
  if (groups.length !== GOOGLENET.length) throw refuse(`has ${groups.length} stages`, `must have 3: ${FORM}`);
  const decided: [string, DecisionValue][] = [['activation', whole]];
  for (const [stage, group] of groups.entries()) {
    const [, first = '', rest = ''] = /^(\S+)\s+(.*)$/u.exec(group) ?? [];
    const modules = rest.split('/').map((one) => one.trim());
    const name = (what: string) => `${stageName(stage)}/${what}`;
    decided.push([name('activation'), first], [name('modules'), String(modules.length)]);
    for (const [module, written] of modules.entries()) {
      const [, point, reduce, three, kernel = '', largeReduce, large, pooling = '', projection] =
        /^(\d+) (\d+)-(\d+) (\w+):(\d+)-(\d+) (\w+):(\d+)$/u.exec(written) ?? [];
      if (projection === undefined)
        throw refuse(
          `module ${module + 1} of stage ${stage + 1} is "${written}"`,
          'must be as 64 96-128 5x5:16-32 max:32',
        );
      const numbers = [point, reduce, three, largeReduce, large, projection].map(Number);
      for (const [branch, what] of WIDTHS.entries()) {
        const known = widthsOf(stage, module, branch, width);
        const found = numbers[branch] ?? Number.NaN;
        if (module < (GOOGLENET[stage]?.length ?? 0) && !known.includes(found))
          throw refuse(
            `${what} of module ${module + 1} of stage ${stage + 1} is ${found}`,
            `must be ${known.join(' or ')}`,
          );
        if (known.length > 1) decided.push([name(`${what}${module + 1}`), found]);
      }
      decided.push([name(`kernel${module + 1}`), kernel], [name(`pool${module + 1}`), pooling]);
    }
  }
  return Object.fromEntries(decided);
}

export function publishedNetworks(): Readonly<Record<string, Published>> {
  const paper = 'Szegedy et al. 2015, arXiv:1409.4842';
  const text = (kernel: (typeof LARGE_KERNELS)[number]) => formatInception(googLeNet(kernel, { width: 1 }), 1);
  return {
    GoogLeNet: { text: text('5x5'), paper, source: 'table 1 of the paper, with batch norm' },
    /** Its larger kernel is 3x3. */
    'GoogLeNet-torchvision': {
      text: text('3x3'),
      paper,
      source: 'pytorch/vision@v0.19 torchvision/models/googlenet.py',
    },
  };
}
