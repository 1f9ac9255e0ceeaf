import { type Command, Option } from 'commander';
import { type ChoiceOptions, chosen } from '../app/choice.ts';
import { parsePairs } from '../app/command-line.ts';
import { readEvaluation } from '../app/evaluation/evaluation.ts';
import { architectureFrom, atOptions, type Given } from '../app/given-architecture.ts';
import { type GivenTask, taskFrom } from '../app/given-task.ts';
import { spaceFor, treeOf } from '../app/setup.ts';
import { loadSpace } from '../app/space-file.ts';
import { readStudy } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { shownValue } from '../common/text.ts';
import { networkCosts } from '../network/costs.ts';
import { drawArchitecture } from '../report/drawing/draw.ts';
import { architectureText } from '../report/drawing/text.ts';
import { showCount } from '../report/numbers.ts';
import { resolve, searchSpaceOf } from '../space/index.ts';
import { flagOf } from '../study/spec.ts';
import { checkFile, writeWhole } from '../study/store/files.node.ts';
import type { Output } from '../terminal/output.ts';
import { CHOOSE, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';

interface ShowOptions extends ChoiceOptions, GivenTask {
  readonly space?: string;
  readonly spaceOptions?: Record<string, number | string | boolean>;
  readonly arch?: string;
  readonly svg?: string;
}

/** `netsmith show`: { space, architecture, text, params, flops, searched?: { params, flops }, layers: [{ path, kind, output, params, flops, activationBytes }] } */
export function addShow(program: Command, shell: Shell): void {
  define(
    program,
    'show [dir]',
    'Show an architecture: the best (or another) trial of a study, or any architecture of a space',
    [
      'netsmith show runs/digits-residual-cnn-1 --svg best.svg',
      'netsmith show runs/cifar-10-darts-1 --space-options cells=20,channels=36',
      'netsmith show --space darts --space-options cells=20,channels=36 --arch DARTS_V2',
      'netsmith show --space nas-bench-201 --arch "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"',
    ],
  )
    .addOption(new Option('--trial <n>', 'show this trial instead of the best').argParser(numberIfItIsOne))
    .option(...CHOOSE)
    .option('--space <name|file>', 'without a study: the space')
    .option(
      '--space-options <k=v,...>',
      "options of the space; with a study, in place of the study's own: shows what was found at another size",
      (text: string) => parsePairs(text, '--space-options'),
    )
    .option('--arch <text>', "without a study: the architecture, in the space's notation or as JSON")
    .option(
      '--input <shape>',
      'without a study: input shape, as channels,height,width or as a number of features (default: 3,32,32)',
    )
    .addOption(
      new Option('--outputs <n>', 'without a study: number of classes or targets (default: 10)').argParser(
        numberIfItIsOne,
      ),
    )
    .option('--regression', 'without a study: the task is a regression', false)
    .option('--svg <file>', 'write a drawing of the architecture to this file')
    .action(async (dir: string | undefined, options: ShowOptions, command: Command) => {
      const output = outputOf(command, shell);
      if (options.svg !== undefined) checkFile(options.svg, '--svg');
      const { space, architecture, searched } =
        dir === undefined ? await fromSpace(options) : await fromStudy(dir, options, output);
      const text = space.format(architecture);
      if (space.tree === undefined && options.svg === undefined)
        return output.result({ space: space.name, architecture, text }, text);
      const tree = treeOf({ space });
      const network = resolve(tree, architecture);
      const { params, flops, layers } = networkCosts(network, tree.task);
      if (options.svg !== undefined) writeWhole(options.svg, await drawArchitecture(network, { title: text }));
      output.result(
        {
          space: space.name,
          architecture,
          text,
          params,
          flops,
          ...(searched && { searched }),
          layers: layers.map((layer) => ({ ...layer })),
        },
        [
          text,
          ...(searched
            ? [`as searched: ${showCount(searched.params)} parameters, ${showCount(searched.flops)} FLOPs`]
            : []),
          architectureText(network, layers),
        ].join('\n\n'),
      );
    });
}

async function fromSpace(options: ShowOptions): Promise<Given> {
  if (options.space === undefined) throw invalid('show', 'no study and no --space', 'give one of them');
  const space = spaceFor(await loadSpace(options.space), taskFrom(options), {
    space: options.space,
    spaceOptions: options.spaceOptions ?? {},
  });
  return { space: searchSpaceOf(space), architecture: architectureFrom(space, options.arch) };
}

const SPACE_FLAGS = ['space', 'arch', 'input', 'outputs', 'regression'];

async function fromStudy(dir: string, options: ShowOptions, output: Output): Promise<Given> {
  for (const [flag, value] of Object.entries(options))
    if (SPACE_FLAGS.includes(flag) && value !== undefined && value !== false)
      throw invalid(flagOf(flag), shownValue(value), 'cannot be used with a study, which has its own');
  const study = await readStudy(dir);
  const evaluated = study.problem.objectives.length > 1 ? readEvaluation(dir)?.trial : undefined;
  const { trial, choice } = chosen(study, dir, options, evaluated);
  const text = choiceText(choice, study.problem.objectives);
  if (text !== undefined) output.note(text);
  return atOptions(study, trial.architecture, options.spaceOptions);
}
