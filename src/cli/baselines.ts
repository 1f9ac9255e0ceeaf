import { join } from 'node:path';
import { type StudyBaselinesOptions, studyBaselines } from '../app/evaluation/baselines.ts';
import type { Setup } from '../app/setup.ts';
import type { BaselineRow } from '../baseline/run.ts';
import { showMetric, showSeconds } from '../report/numbers.ts';
import { testedObjective } from '../study/objectives.ts';
import { type Output, table } from '../terminal/output.ts';

/** `studyBaselines`, with a note for each. */
export function baselinesInView(
  dir: string,
  setup: Setup,
  options: StudyBaselinesOptions,
  output: Output,
  signal: AbortSignal,
): Promise<readonly BaselineRow[]> {
  const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const onRow = (row: BaselineRow) => {
    if ('skipped' in row) {
      if (row.skipped !== 'unfit')
        output.note(`baseline ${row.name}: ${row.skipped === 'time' ? 'skipped' : 'failed'}, ${row.reason}`);
      return;
    }
    const { name, test, validation, seconds } = row;
    const measured = test === undefined ? 'validation' : 'test';
    const value = showMetric(metric, (test ?? validation)[metric]);
    output.note(`baseline ${name}: ${measured} ${metric} ${value} (${showSeconds(seconds)})`);
  };
  return studyBaselines(dir, setup, options, { onRow }, signal);
}

/** A table of those that were measured, best first, and where the exported ones are; undefined where there are none. */
export function baselinesText(dir: string, setup: Setup, rows: readonly BaselineRow[]): string | undefined {
  const { metric, direction } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const measured = rows.flatMap((row) => ('skipped' in row ? [] : [row]));
  if (measured.length === 0) return undefined;
  const sign = direction === 'maximize' ? -1 : 1;
  const valueIn = ({ test, validation }: (typeof measured)[number]) =>
    (test ?? validation)[metric] ?? Number.POSITIVE_INFINITY * sign;
  const sorted = measured.toSorted((a, b) => sign * (valueIn(a) - valueIn(b)));
  const text = table(
    [
      'baseline, no network',
      `validation ${metric}`,
      ...(sorted.some(({ test }) => test) ? [`test ${metric}`] : []),
      'time',
    ],
    sorted.map(({ name, validation, test, seconds }) => [
      name,
      showMetric(metric, validation[metric]),
      ...(test ? [showMetric(metric, test[metric])] : []),
      showSeconds(seconds),
    ]),
  );
  const files = sorted.flatMap(({ exported }) => (exported === undefined ? [] : [join(dir, exported)]));
  const notes = sorted.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`));
  return [text, ...notes, ...(files.length === 0 ? [] : [`Exported: ${files.join(', ')}`])].join('\n');
}
