import { type Estimator, TrialFailure } from '../estimator.ts';
import type { Table } from './table.ts';

/** A clock that stands still but for what is looked up. */
export interface SimulatedClock {
  /** Milliseconds since it was made: the `now` of a study. */
  now(): number;
  /** Moves it by so many seconds. */
  pass(seconds: number): void;
}

export function simulatedClock(): SimulatedClock {
  let milliseconds = 0;
  return {
    now: () => milliseconds,
    pass(seconds) {
      milliseconds += 1000 * seconds;
    },
  };
}

/**
 * Looks a candidate up in a table instead of training it: one report, at the fidelity's epochs, without a checkpoint. An
 * architecture that the table does not have fails. `clock` is moved by the seconds that the training took; with the clock's `now` as
 * the study's and a pool in this process, the study's budget counts simulated seconds. (A trial that runs into the end of the budget
 * is then still completed, as the study cannot know how long it will take; `simulate` leaves it out.)
 *
 * Throws UserError for a data set that the table does not have.
 */
export function tabularEstimator(table: Table, dataset: string, clock?: SimulatedClock): Estimator {
  return {
    async estimate({ architecture }, { fidelity, signal, report }) {
      signal.throwIfAborted();
      const row = table.lookup(architecture, dataset);
      if (row === undefined) throw new TrialFailure(`table "${table.name}" has no such architecture`);
      const { metrics, seconds = 0 } = row;
      clock?.pass(seconds);
      const point = { step: fidelity.epochs, metrics, seconds };
      await report(point, undefined); // It is at its end whatever the answer.
      signal.throwIfAborted();
      return { state: 'complete', metrics, curve: [point], seconds };
    },
  };
}
