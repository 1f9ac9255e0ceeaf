import { printable } from '../../common/text.ts';
import type { Comparison } from './data.ts';

/** One row for each search, with a header. Values as they are: shares from 0 to 1. Empty where there is none. */
export function comparisonCsv({ competitors, optimum, objective, decisions }: Comparison): string {
  const sign = objective.direction === 'maximize' ? 1 : -1;
  const head = [
    ...['name', 'seed', 'valid', 'regret', 'test', 'evaluations', 'seconds', 'architecture', 'study'],
    ...decisions.map((name) => `decision ${name}`),
  ];
  const rows = competitors.flatMap(({ name, runs }) =>
    runs.map(({ seed, valid, test, evaluations, seconds, text, study, architecture }) => [
      ...[name, seed, valid ?? '', optimum === undefined || valid === undefined ? '' : sign * (optimum.valid - valid)],
      ...[test ?? '', evaluations, seconds, text, study ?? ''],
      ...decisions.map((decision) => {
        const value = architecture[decision];
        return value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
      }),
    ]),
  );
  return `${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** The best so far of each search: one row for each time that it became better. */
export function trajectoryCsv({ competitors, axis }: Comparison): string {
  const rows = competitors.flatMap(({ name, runs }) =>
    runs.flatMap(({ seed, trajectory }) => trajectory.map(({ at, value }) => [name, seed, at, value])),
  );
  return `${[['name', 'seed', axis, 'valid'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers. */
export function cell(value: string | number): string {
  const plain = String(value);
  const isFormula = /^[=+\-@\t\r]/.test(plain) && typeof value === 'string' && !NUMBER.test(plain);
  const text = printable(isFormula ? `'${plain}` : plain);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
