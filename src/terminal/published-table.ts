import { showCount, showLarge } from '../report/numbers.ts';
import type { Published, SpaceOptions } from '../space/space.ts';
import { table } from './output.ts';

type Listed = Published & {
  readonly name: string;
  readonly options: SpaceOptions;
  readonly params: number;
  readonly flops: number;
};

/** Published architectures with what they cost here and what their papers quote, for 32x32 color images of 10 classes. */
export function publishedText(published: readonly Listed[]): string {
  const [first] = published;
  const options = Object.entries(first?.options ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    `Published architectures; costs with --space-options ${options.join(',')} on 32x32 color images of 10 classes,`,
    'in the skeleton of this space. What is quoted is from the papers, some of which have other skeletons.',
    table(
      ['--arch', 'params', 'FLOPs', 'params (quoted)', 'test error (quoted)', 'paper'],
      published.map(({ name, params, flops, quoted, paper }) => [
        name,
        showCount(params),
        showLarge(flops),
        quoted === undefined ? '-' : `${(quoted.params / 1e6).toFixed(1)} M`,
        quoted === undefined ? '-' : quoted.testError,
        paper,
      ]),
    ),
  ].join('\n');
}
