import { constants } from 'node:os';
import { brand, NetsmithError } from '../common/errors.ts';

/** The reason when the user pressed Ctrl-C, closed the terminal, or the process received a signal to end. */
export class Interrupted extends NetsmithError {
  static {
    brand(Interrupted, 'Interrupted');
  }
  override readonly name = 'Interrupted';
  readonly code = 'interrupted';
  readonly exitCode: number;

  constructor(by: NodeJS.Signals) {
    super('interrupted');
    this.exitCode = 128 + constants.signals[by];
  }
}

/** SIGINT: Ctrl-C. SIGHUP: the terminal was closed. SIGTERM: `kill`, or the machine shuts down. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `body` with a signal that Ctrl-C (or SIGTERM, SIGHUP) aborts with `Interrupted` as its reason; `onFirst` then says what happens
 * next. A second Ctrl-C ends the process at once: everything that is stored is whole at any moment.
 */
export async function interruptible<T>(onFirst: () => void, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (by: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      // A terminal that closes sends SIGHUP after SIGINT or twice, and the user has not asked to quit at once.
      if (by === 'SIGHUP') return;
      // By the signal itself: `process.exit` would break a run in the engine's thread.
      process.off(by, stop);
      process.kill(process.pid, by);
      return;
    }
    controller.abort(new Interrupted(by));
    onFirst();
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await body(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
