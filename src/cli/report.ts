import { join, resolve as resolvePath } from 'node:path';
import type { Command } from 'commander';
import { networkCosts } from '../network/costs.ts';
import type { ReportData, ReportTrial } from '../report/data.ts';
import { renderReport } from '../report/html.ts';
import { count, formatArchitecture, resolve } from '../space/index.ts';
import { writeWhole } from '../study/store/files.node.ts';
import type { Trial } from '../study/store/store.ts';
import { bestTrials } from './best.ts';
import { define, outputOf, type Shell } from './command.ts';
import { readEvaluation } from './evaluation.ts';
import { commandOf } from './flags.ts';
import { planToJson, type ReadStudy, readStudy } from './study.ts';
import { versions } from './versions.ts';

/** `netsmith report DIR`: { file } */
export function addReport(program: Command, shell: Shell): void {
  define(program, 'report <dir>', 'Write a study as one self-contained HTML file', [
    'netsmith report runs/digits-small-cnn-1',
    'netsmith report runs/digits-small-cnn-1 --out report.html',
  ])
    .option('--out <file>', 'the file to write (default: report.html in the study)')
    .action(async (dir: string, options: { readonly out?: string }, command: Command) => {
      const file = await writeReport(dir, options.out);
      outputOf(command, shell).result({ file }, file);
    });
}

/** Writes the report of a study, also of one under way, and returns the file. */
export async function writeReport(dir: string, out = join(dir, 'report.html')): Promise<string> {
  const study = await readStudy(dir);
  writeWhole(out, await renderReport(reportData(dir, study)));
  return out;
}

/** Everything that the report says of a study, gathered from its store and from what `evaluate` left. */
export function reportData(dir: string, study: ReadStudy): ReportData {
  const { record, settings, data, space, problem, trials } = study;
  const size = count(space)?.toLocaleString('en-GB');
  const [best] = bestTrials(study);
  const evaluation = readEvaluation(dir);
  const shown = resolvePath(dir);
  const winner = best && {
    trial: best.trial,
    architecture: formatArchitecture(space, best.architecture),
    network: resolve(space, best.architecture),
  };
  return {
    name: record.name,
    createdAt: record.createdAt,
    finished: trials.every(({ state }) => state !== 'running' && state !== 'waiting'),
    space: { name: space.name, options: space.options, ...(size !== undefined && { size }) },
    strategy: settings.strategy,
    seed: settings.seed,
    objectives: problem.objectives,
    data,
    trials: trials.map((trial) => reportTrial(study, trial)),
    ...(winner !== undefined && { winner: { ...winner, costs: networkCosts(winner.network, space.task) } }),
    ...(evaluation !== undefined && {
      test: {
        name: `trial ${evaluation.trial}`,
        seeds: evaluation.seeds,
        metrics: evaluation.metrics,
        trainedOn: evaluation.trainedOn,
        ...(evaluation.confusion !== undefined && { confusion: evaluation.confusion }),
      },
    }),
    baselines: (evaluation?.baselines ?? []).map(({ name, seeds, metrics, costs }) => ({
      name,
      seeds,
      metrics,
      costs,
    })),
    settings: planToJson({ settings, data }),
    commands: [
      commandOf('search', settings),
      ...(evaluation === undefined ? [] : [`netsmith evaluate ${shown} --seeds ${evaluation.seeds.length}`]),
      `netsmith export ${shown}`,
    ],
    versions: versions(),
  };
}

function reportTrial({ space }: ReadStudy, trial: Trial): ReportTrial {
  return { ...trial, architecture: formatArchitecture(space, trial.architecture) };
}
