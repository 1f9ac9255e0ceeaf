import type { Command } from 'commander';
import { type ChoiceOptions, chosen } from '../app/choice.ts';
import { trainingNamedAgain } from '../app/own-files.ts';
import { type GridPoint, networkFile, searchGrid } from '../app/scale.ts';
import { checkRunSettings, treeOf } from '../app/setup.ts';
import { type ReadStudy, readStudy, setUpFinal } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { type Coefficients, scaleNetwork, usualCoefficients } from '../network/scaling/compound.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { resolve } from '../space/index.ts';
import type { Task } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import { checkFile, writeWhole } from '../study/store/files.node.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { type Output, table } from '../terminal/output.ts';
import { addChoice } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';
import { noteChoice } from './evaluate.ts';
import { addSettingsOfStudy, addTrainingFiles, givenSettings } from './flags.ts';
import { trainInView } from './train.ts';

interface ScaleOptions extends ChoiceOptions, Partial<Coefficients> {
  readonly phi: number;
  readonly grid: boolean;
  readonly out?: string;
}

/**
 * `netsmith scale DIR`: { trial, text, phi, coefficients: { alpha, beta, gamma }, params, flops, target, growth, blocks, resolution?,
 * grid?: [{ alpha, beta, gamma, params, flops, metrics }], file? }
 */
export function addScale(program: Command, shell: Shell): void {
  const command = define(
    program,
    'scale <dir>',
    'Scale the best network of a study in depth, width and resolution at once (compound scaling, Tan & Le 2019)',
    [
      'netsmith scale runs/digits-residual-cnn-1 --phi 2 --out larger.json',
      'netsmith scale runs/digits-residual-cnn-1 --grid --epochs 5',
      'netsmith train --space larger.json --data digits --test',
    ],
  )
    .option('--phi <n>', 'how far: FLOPs grow by (alpha · beta² · gamma²)^phi', numberIfItIsOne, 1)
    .option('--alpha <n>', 'depth for each step of phi (default: 1.2)', numberIfItIsOne)
    .option('--beta <n>', 'width for each step of phi (default: 1.1, or 1.29 without images)', numberIfItIsOne)
    .option(
      '--gamma <n>',
      'side of the images for each step of phi (default: 1.15, or 1 without images)',
      numberIfItIsOne,
    )
    .option(
      '--grid',
      'train scaled networks on a grid of coefficients, and take the best on the validation data',
      false,
    )
    .option('--out <file>', 'write the larger network to this .json file, for --space');
  addSettingsOfStudy(addTrainingFiles(addChoice(command)), [
    ...(['dataDir', 'validData', 'testData', 'epochs', 'threads', 'device', 'memory', 'layout'] as const),
  ]).action(async (dir: string, options: ScaleOptions, command: Command) => {
    const output = outputOf(command, shell);
    const { phi, grid: wantsGrid, out } = options;
    if (out !== undefined && !out.endsWith('.json')) throw invalid('--out', `"${out}"`, 'must end in .json');
    if (out !== undefined) checkFile(out, '--out');
    const study = await readStudy(dir);
    const best = chosen(study, dir, options);
    const { architecture } = best.trial;
    const tree = treeOf({ space: study.space });
    const network = resolve(tree, architecture);
    const usual = { ...usualCoefficients(tree.task), ...givenCoefficients(options) };
    if (wantsGrid && Object.keys(givenCoefficients(options)).length > 0)
      throw invalid('--grid', 'coefficients are given, too', 'the grid finds them');
    const first = scaleNetwork(network, tree.task, usual, phi);
    noteChoice(study, best.choice, output);
    const grid = wantsGrid ? await gridInView(dir, study, network, tree.task, command, output) : undefined;
    const [found = usual] = grid ?? [];
    const coefficients = { alpha: found.alpha, beta: found.beta, gamma: found.gamma };
    const scaled = grid ? scaleNetwork(network, tree.task, coefficients, phi) : first;
    const { network: larger, ...sizes } = scaled;
    if (out !== undefined)
      writeWhole(out, JSON.stringify(networkFile(`${study.space.name}, scaled`, larger, tree.task)));
    const text = study.space.format(architecture);
    const shown = (value: number) => String(Number(value.toFixed(3)));
    output.result(
      {
        ...{ trial: best.trial.trial, text, phi, coefficients, ...sizes },
        ...(sizes.resolution && { resolution: [...sizes.resolution] }),
        ...(grid && { grid: grid.map((point) => ({ ...point, metrics: { ...point.metrics } })) }),
        ...(out !== undefined && { file: out }),
      },
      [
        `trial ${best.trial.trial}: ${text}`,
        ...(grid ? [gridTable(grid)] : []),
        `alpha ${shown(found.alpha)}, beta ${shown(found.beta)}, gamma ${shown(found.gamma)}, phi ${phi}: ${showCount(scaled.params)} parameters, ` +
          `${showCount(scaled.flops)} FLOPs, ${shown(scaled.growth)} times as many (target ${shown(scaled.target)})`,
        `${scaled.blocks} blocks are added${scaled.resolution ? `; images are resized to ${scaled.resolution.join('x')}` : ''}`,
        ...(out === undefined ? [] : [`${out}: train it with netsmith train --space ${out}`]),
      ].join('\n'),
    );
  });
}

function givenCoefficients({ alpha, beta, gamma }: Partial<Coefficients>): Partial<Coefficients> {
  return {
    ...(alpha !== undefined && { alpha }),
    ...(beta !== undefined && { beta }),
    ...(gamma !== undefined && { gamma }),
  };
}

/** The grid search, each training in a view. */
async function gridInView(
  dir: string,
  study: ReadStudy,
  network: Module,
  task: Task,
  command: Command,
  output: Output,
): Promise<readonly GridPoint[]> {
  const given = givenSettings(command);
  const own = trainingNamedAgain(`study "${dir}"`, study.settings, given);
  const setup = await setUpFinal(study, dir, checkRunSettings(study.settings, { ...given, ...own }), own);
  const [objective] = setup.problem.objectives;
  if (setup.estimator.kind !== 'train' || objective === undefined || setup.dataset.search.valid.count === 0)
    throw invalid('--grid', `study "${dir}" trains no candidates`, 'needs a search that trains and validates');
  return interruptible(
    () => output.note('Interrupted; nothing was written.'),
    (signal) =>
      searchGrid(setup, network, task, objective, (at, { alpha, beta, gamma }) => {
        output.note(`alpha ${alpha}, beta ${beta.toFixed(3)}, gamma ${gamma}:`);
        return trainInView(at, {}, { test: false, signal }, output);
      }),
  );
}

function gridTable(grid: readonly GridPoint[]): string {
  return table(
    ['alpha', 'beta', 'gamma', 'params', 'FLOPs', ...Object.keys(grid[0]?.metrics ?? {}).slice(0, 2)],
    grid.map(({ alpha, beta, gamma, params, flops, metrics }) => [
      ...[String(alpha), beta.toFixed(3), String(gamma), showCount(params), showCount(flops)],
      ...Object.entries(metrics)
        .slice(0, 2)
        .map(([name, value]) => showMetric(name, value)),
    ]),
  );
}
