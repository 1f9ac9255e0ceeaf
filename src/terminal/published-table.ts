import { showCount, showLarge } from '../report/numbers.ts';
import type { Published, SpaceOptions, Task } from '../space/space.ts';
import { table } from './output.ts';

type Listed = Published & {
  readonly name: string;
  readonly options: SpaceOptions;
  readonly params: number;
  readonly flops: number;
};

/** Published architectures with what they cost here, for this task, and what their papers quote. */
export function publishedText(published: readonly Listed[], task: Task): string {
  const options = published.map((one) =>
    Object.entries(one.options)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
  );
  const isOne = new Set(options).size === 1;
  return [
    `Published architectures; costs with --space-options ${isOne ? options[0] : 'as listed'} on ${samplesOf(task)},`,
    'in the skeleton of this space. What is quoted is from the papers, some of which have other skeletons.',
    table(
      [
        '--arch',
        ...(isOne ? [] : ['--space-options']),
        ...['params', 'FLOPs', 'params (quoted)', 'test error (quoted)', 'paper'],
      ],
      published.map(({ name, params, flops, quoted, paper }, i) => [
        name,
        ...(isOne ? [] : [options[i] ?? '']),
        showCount(params),
        showLarge(flops),
        quoted === undefined ? '-' : `${(quoted.params / 1e6).toFixed(1)} M`,
        quoted === undefined ? '-' : quoted.testError,
        paper,
      ]),
    ),
  ].join('\n');
}

function samplesOf({ input, outputs, vocabulary, positions }: Task): string {
  const [, height, width] = input;
  if (vocabulary === undefined) return `${height}x${width} color images of ${showCount(outputs)} classes`;
  const texts = `texts of ${showCount(input[0] ?? 1)} tokens out of ${showCount(vocabulary)}`;
  return positions === undefined ? `${texts} in ${showCount(outputs)} classes` : texts;
}
