import { isDeepStrictEqual } from 'node:util';
import { shownValue } from './text.ts';

/** What suites for code of a user's own assert: the message says what that code did, and what it should have done. */

/** Throws Error with `what` unless it holds: `the last report has a checkpoint`. */
export function expectThat(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`expected that ${what}`);
}

/** Throws Error unless both are equal: `the state after a pause is "complete"; expected "paused"`. */
export function expectSame(found: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${what}: ${shownValue(found)}; expected ${shownValue(expected)}`);
}
