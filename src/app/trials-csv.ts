import { cell } from '../report/compare/csv.ts';
import type { trialToJson } from './study.ts';

/** One row for each trial: every metric and every decision has a column. A text is never a formula to a spreadsheet. */
export function trialsCsv(trials: readonly ReturnType<typeof trialToJson>[]): string {
  const namesOf = (records: readonly object[]) => [...new Set(records.flatMap((one) => Object.keys(one)))];
  const metrics = namesOf(trials.map((trial) => trial.metrics));
  const costs = namesOf(trials.map((trial) => trial.costs));
  const decisions = namesOf(trials.map((trial) => trial.architecture));
  const head = [
    ...['trial', 'purpose', 'state', 'epochs', ...metrics.map((name) => `metric ${name}`)],
    ...costs.map((name) => (name === 'params' || name === 'flops' ? name : `cost ${name}`)),
    ...['seconds', 'reason', 'text', ...decisions.map((name) => `decision ${name}`)],
  ];
  const rows = trials.map((trial) => [
    ...[trial.trial, trial.purpose, trial.state, trial.epochs, ...metrics.map((name) => trial.metrics[name] ?? '')],
    ...costs.map((name) => trial.costs[name] ?? ''),
    ...[trial.seconds, trial.reason ?? '', trial.text],
    ...decisions.map((name) => {
      const value = trial.architecture[name];
      return value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    }),
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
