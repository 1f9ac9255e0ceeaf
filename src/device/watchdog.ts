/** Watches work that another process does for us, and that may never end. */
export interface Watchdog {
  /**
   * What `work` resolves to. Rejects with the error of `fail`, with the reason of the signal, or with `silent()` where there is no sign of life
   * for `patience` seconds. One work at a time; it may still go on after it was given up.
   */
  during<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A sign of life. */
  alive(): void;
  /** Gives up the work, if there is any. */
  fail(error: Error): void;
}

export function watchdog(patience: number, silent: () => Error): Watchdog {
  let reject: ((error: unknown) => void) | undefined;
  let clock: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    if (reject === undefined) return;
    clearTimeout(clock);
    clock = setTimeout(() => reject?.(silent()), patience * 1000);
  };
  return {
    alive,
    fail: (error) => reject?.(error),
    async during(work, signal) {
      signal?.throwIfAborted();
      const givenUp = Promise.withResolvers<never>();
      reject = givenUp.reject;
      const abort = () => givenUp.reject(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      alive();
      try {
        return await Promise.race([work(), givenUp.promise]);
      } finally {
        reject = undefined;
        clearTimeout(clock);
        signal?.removeEventListener('abort', abort);
      }
    },
  };
}
