/** How sensitive a method is to one of its options: the searches of a sweep, and what they come to. */
import type { OneShotDefinition } from '../../src/oneshot/definition.ts';
import { DEFAULT_SETTINGS } from '../../src/train/settings.ts';
import { markdown } from '../engine/tables.ts';
import type { SearchRow } from './rows.ts';

/** An option or setting, and the values that it takes in turn; all others stay as they are. */
export interface Sweep {
  readonly option: string;
  readonly values: readonly string[];
}

/** A method at the values of a sweep, in their order. */
export interface Sensitivity {
  readonly method: string;
  readonly option: string;
  /** `tableAccuracy`: the mean over the seeds, a fraction. */
  readonly values: readonly { readonly value: string; readonly seeds: number; readonly tableAccuracy: number }[];
  /** Largest less smallest of the accuracies. */
  readonly spread: number;
}

/** `archLearningRate=1e-4,3e-4` as a sweep. Throws for anything else. */
export function sweepFrom(text: string): Sweep {
  const [option = '', list = '', ...more] = text.split('=');
  const values = list.split(',');
  if (option === '' || more.length > 0 || values.includes('') || new Set(values).size < Math.max(2, values.length))
    throw new Error(`--sweep: "${text}"; must be name=value,value,... with different values`);
  return { option, values };
}

/** The settings that each search of a method changes: those of `set`, and one value of one sweep. Options that the method does not have are left out. */
export function changesOf(
  sweeps: readonly Sweep[],
  set: string | undefined,
  { defaults }: Pick<OneShotDefinition, 'defaults'>,
) {
  const has = ({ option }: Sweep) => Object.hasOwn(defaults, option) || Object.hasOwn(DEFAULT_SETTINGS, option);
  if (sweeps.length === 0) return [set ?? ''];
  return sweeps.filter(has).flatMap((sweep) => sweep.values.map((value) => changeOf(sweep, value, set)));
}

/** The mark of a row. */
function changeOf({ option }: Sweep, value: string, set: string | undefined): string {
  return [...(set === undefined ? [] : [set]), `${option}=${value}`].join(',');
}

/** `accuracyOf`: what the table has for the cell of a row. */
export function sensitivities(
  rows: readonly SearchRow[],
  sweeps: readonly Sweep[],
  accuracyOf: (row: SearchRow) => number,
  set?: string,
): Sensitivity[] {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...Map.groupBy(rows, ({ method }) => method)].flatMap(([method, all]) =>
    sweeps.flatMap((sweep) => {
      const values = sweep.values.flatMap((value) => {
        const own = all.filter(({ changed }) => changed === changeOf(sweep, value, set));
        const tableAccuracy = mean(own.map(accuracyOf));
        return own.length === 0 ? [] : [{ value, seeds: own.length, tableAccuracy }];
      });
      if (values.length === 0) return [];
      const found = values.map(({ tableAccuracy }) => tableAccuracy);
      return [{ method, option: sweep.option, values, spread: Math.max(...found) - Math.min(...found) }];
    }),
  );
}

/** A row for each method and option. */
export function sensitivityTable(all: readonly Sensitivity[], column: string): string {
  return markdown(
    ['method', 'option', `CIFAR-10 (%), ${column}, at each value`, 'spread'],
    all.map(({ method, option, values, spread }) => [
      method,
      option,
      values.map(({ value, tableAccuracy }) => `${value}: ${(100 * tableAccuracy).toFixed(2)}`).join('; '),
      (100 * spread).toFixed(2),
    ]),
  );
}
