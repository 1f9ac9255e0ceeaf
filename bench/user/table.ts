/** The results as a table of Markdown. */
import type { Row } from './results.ts';
import { mean } from './score.ts';

/** A line for each task and contestant: mean over seeds and its standard error, time, memory, parameters. */
export function resultTable(rows: readonly Row[]): string {
  const groups = Map.groupBy(rows, ({ task, contestant, budget }) => [task, contestant, budget].join('|'));
  const lines = [...groups.values()].map((group) => {
    const [first] = group;
    if (first === undefined) return '';
    const tests = group.flatMap(({ test }) => test ?? []);
    const params = group.find((row) => row.params !== null)?.params;
    const reasons = [...new Set(group.flatMap(({ reason }) => reason ?? []))].join('; ').replaceAll('|', '\\|');
    const cells = [
      `${first.task}, ${first.budget} s`,
      first.contestant,
      `${first.metric} ${testText(tests, first.metric)}${tests.length < group.length ? ` (${tests.length} of ${group.length})` : ''}`,
      span(group.map(({ seconds }) => seconds)),
      span(group.map(({ cpuSeconds }) => cpuSeconds)),
      params?.toLocaleString('en-GB') ?? '',
      String(Math.max(...group.map(({ peakMiB }) => peakMiB))),
      group.some(({ exported }) => exported) ? 'yes' : 'no',
      reasons,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head = [
    'task',
    'contestant',
    'test',
    'seconds',
    'CPU seconds',
    'parameters',
    'peak MiB',
    'exported',
    'remarks',
  ];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines].join('\n');
}

function testText(tests: readonly number[], metric: string): string {
  if (tests.length === 0) return 'none';
  const show = (value: number) => (metric === 'r2' ? value.toFixed(3) : (100 * value).toFixed(2));
  const center = mean(tests);
  if (tests.length === 1) return show(center);
  const deviation = Math.sqrt(tests.reduce((sum, test) => sum + (test - center) ** 2, 0) / (tests.length - 1));
  return `${show(center)} ± ${show(deviation / Math.sqrt(tests.length))}`;
}

/** The smallest and the largest, where they differ. */
function span(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => Math.round(value));
  return low === high ? `${low}` : `${low} to ${high}`;
}
