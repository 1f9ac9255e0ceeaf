import { type Command, Option } from 'commander';
import { parsePairs } from '../app/command-line.ts';
import { taskFrom } from '../app/given-task.ts';
import { spaceFor } from '../app/setup.ts';
import { loadSpace } from '../app/space-file.ts';
import { invalid, messageOf } from '../common/errors.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { rng } from '../common/random.ts';
import { networkCosts } from '../network/costs.ts';
import { showCount } from '../report/numbers.ts';
import { type Architecture, formatArchitecture, resolve, type Space, sample } from '../space/index.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

interface SamplesOptions {
  readonly spaceOptions?: Record<string, number | string | boolean>;
  readonly seed: number | string;
  readonly count: number | string;
  readonly input: string;
  readonly outputs: number | string;
  readonly regression: boolean;
}

/** `netsmith samples SPACE`: [{ architecture, text, params?, flops?, reason? }] */
export function addSamples(program: Command, shell: Shell): void {
  define(program, 'samples <space>', 'Draw random architectures of a search space, with their parameters and FLOPs', [
    'netsmith samples nas-bench-201 --count 5 --seed 1',
    'netsmith samples my-space.ts --input 1,8,8 --outputs 10',
  ])
    .option('--space-options <k=v,...>', "the space's own options", (text: string) =>
      parsePairs(text, '--space-options'),
    )
    .addOption(new Option('--seed <n>', 'random seed').argParser(numberIfItIsOne).default(0))
    .addOption(new Option('--count <n>', 'number of architectures').argParser(numberIfItIsOne).default(10))
    .option('--input <shape>', 'input shape, as channels,height,width or as a number of features', '3,32,32')
    .addOption(new Option('--outputs <n>', 'number of classes or targets').argParser(numberIfItIsOne).default(10))
    .option('--regression', 'the task is a regression', false)
    .action(async (name: string, options: SamplesOptions, command: Command) => {
      const { seed, count, spaceOptions = {} } = options;
      if (!isWhole(count, 1, 100_000))
        throw invalid('--count', `"${count}"`, 'must be a whole number from 1 to 100,000');
      if (!isWhole(seed, 0, Number.MAX_SAFE_INTEGER))
        throw invalid('--seed', `"${seed}"`, 'must be a whole number from 0');
      const space = spaceFor(await loadSpace(name), taskFrom(options), { space: name, spaceOptions });
      const random = rng(seed, 'samples');
      const members = Array.from({ length: count }, () => describe(space, sample(space, random)));
      const rows = members.map(({ params, flops, reason, text }) => [
        params === undefined ? '–' : showCount(params),
        flops === undefined ? '–' : showCount(flops),
        reason === undefined ? text : `${text} (${reason})`,
      ]);
      outputOf(command, shell).result(members, table(['params', 'FLOPs', 'architecture'], rows));
    });
}

/** A member that cannot be built has the reason in place of its costs. */
function describe(space: Space, architecture: Architecture) {
  const text = formatArchitecture(space, architecture);
  let costs: { readonly params?: number; readonly flops?: number; readonly reason?: string };
  try {
    const { params, flops } = networkCosts(resolve(space, architecture), space.task);
    costs = { params, flops };
  } catch (error) {
    costs = { reason: messageOf(error) };
  }
  return { architecture, text, ...costs };
}
