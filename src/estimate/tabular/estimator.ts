import { type Estimator, TrialFailure } from '../estimator.ts';
import type { Table } from './table.ts';

/** A clock that stands still but for what is looked up. */
export interface SimulatedClock {
  /** Milliseconds since it was made: the `now` of a study. */
  now(): number;
  /** Advances it by this many seconds. */
  pass(seconds: number): void;
  /** How many seconds there are until a study's time is up; infinite where it has no such end. */
  left(): number;
}

/** `seconds`: of the budget; without, there is no end. */
export function simulatedClock(seconds = Number.POSITIVE_INFINITY): SimulatedClock {
  let milliseconds = 0;
  return {
    now: () => milliseconds,
    pass(passed) {
      milliseconds += 1000 * passed;
    },
    left: () => seconds - milliseconds / 1000,
  };
}

/** Tolerance at the end of the clock: sums of seconds differ in their last digits. */
const BEYOND = 1e-6;

/**
 * Looks a candidate up in a table instead of training it: one report, at the fidelity's epochs, without a checkpoint. An
 * architecture that the table does not have fails. `clock` is moved by the seconds that the training took; with the clock's `now` as
 * the study's and a pool in this process, the study's budget counts simulated seconds. A training that would end after the clock's
 * end reports there, before it has measured anything: the study then lets it wait, as it does with any trial when time is up.
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
      const left = clock?.left() ?? Number.POSITIVE_INFINITY;
      if (clock !== undefined && seconds > left && left >= 0) {
        const cut = { step: 0, metrics: {}, seconds: left };
        clock.pass(left + BEYOND);
        const answer = await report(cut, undefined);
        signal.throwIfAborted();
        if (answer !== 'continue')
          return { state: answer === 'pause' ? 'paused' : 'pruned', metrics: {}, curve: [cut], seconds: left };
        clock.pass(seconds - left);
      } else clock?.pass(seconds);
      const point = { step: fidelity.epochs, metrics, seconds };
      await report(point, undefined); // It ends whatever the answer.
      signal.throwIfAborted();
      return { state: 'complete', metrics, curve: [point], seconds };
    },
  };
}
