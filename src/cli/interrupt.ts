/** Why a run was aborted when a person pressed Ctrl-C (or the process was asked to end). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Runs `body` with a signal that Ctrl-C (or SIGTERM) aborts; `onFirst` then says what happens next. A second Ctrl-C
 * ends the process at once: everything that is stored is whole at any moment.
 */
export async function interruptible<T>(onFirst: () => void, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (by: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      // By the signal itself: `process.exit` would break a run in the engine's thread.
      process.off(by, stop);
      process.kill(process.pid, by);
      return;
    }
    onFirst();
    controller.abort(new Interrupted('interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await body(controller.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
