import { join } from 'node:path';
import { smallest } from '../../common/extremes.ts';
import { valuesWithoutFolders } from '../../common/paths.ts';
import { type Analysis, analyze, type CompetitorSummary } from '../../report/compare/analysis.ts';
import { comparisonCsv, trajectoryCsv } from '../../report/compare/csv.ts';
import type { Comparison } from '../../report/compare/data.ts';
import { ranked, winnerOf } from '../../report/compare/verdict.ts';
import { writeWhole } from '../../study/store/files.node.ts';

/** Fewer seeds than this say next to nothing. */
const FEWEST_SEEDS = 3;

/** Warnings that depend on the number of seeds. */
function warningsOf({ competitors }: Pick<Comparison, 'competitors'>): readonly string[] {
  const fewest = smallest(competitors.map(({ runs }) => runs.length));
  const few = competitors.filter(({ runs }) => runs.length < FEWEST_SEEDS).map(({ name }) => name);
  if (few.length > 0) {
    const seeds = fewest === 1 ? '1 seed' : `${fewest} seeds`;
    return [
      `Fewer than ${FEWEST_SEEDS} seeds of ${few.join(', ')}: ${seeds} cannot distinguish a better strategy from luck.`,
    ];
  }
  const least = 2 ** (1 - fewest);
  return least > 0.05
    ? [
        `With ${fewest} seeds, no difference can be significant at 0.05 (smallest possible p: ${least}). Use at least 6.`,
      ]
    : [];
}

/** A comparison, before warnings are added. */
export type Compared = Omit<Comparison, 'command' | 'warnings'>;

/** What `netsmith compare --json` prints and `compare` returns; the best competitor first. */
export interface ComparisonResult extends Pick<Comparison, 'title' | 'objective' | 'budget' | 'axis' | 'reference'> {
  /** The test that tells whether a difference could be luck. */
  readonly significance: Analysis['test'];
  readonly warnings: readonly string[];
  readonly optimum?: NonNullable<Comparison['optimum']>;
  readonly competitors: readonly CompetitorSummary[];
  /** In one sentence. */
  readonly conclusion: string;
  /** Absent where no folder was given. */
  readonly files?: ComparisonFiles;
}

export interface ComparisonFiles {
  readonly report: string;
  readonly runs: string;
  readonly trajectories: string;
}

/**
 * The result of a comparison. Writes its report and tables to a folder, if one is given; `command` repeats it and is shown in the report.
 */
export async function resultOf(compared: Compared, command: string, dir?: string): Promise<ComparisonResult> {
  const comparison = valuesWithoutFolders({ ...compared, warnings: warningsOf(compared), command });
  const analysis = analyze(comparison);
  const files = dir === undefined ? undefined : await writeFiles(dir, comparison, analysis);
  const { title, objective, budget, axis, reference, warnings, optimum } = comparison;
  return {
    title,
    objective,
    budget,
    axis,
    reference,
    significance: analysis.test,
    warnings,
    ...(optimum !== undefined && { optimum }),
    competitors: ranked(comparison, analysis),
    conclusion: winnerOf(comparison, analysis).text,
    ...(files !== undefined && { files }),
  };
}

async function writeFiles(dir: string, comparison: Comparison, analysis: Analysis): Promise<ComparisonFiles> {
  const files = {
    report: join(dir, 'comparison.html'),
    runs: join(dir, 'comparison.csv'),
    trajectories: join(dir, 'trajectories.csv'),
  };
  const { renderComparison } = await import('../../report/compare/html.ts');
  writeWhole(files.report, await renderComparison(comparison, analysis));
  writeWhole(files.runs, comparisonCsv(comparison));
  writeWhole(files.trajectories, trajectoryCsv(comparison));
  return files;
}
