import type { FitOptions } from './baseline.ts';

/** Milliseconds between two pauses. */
const BETWEEN = 50;

/** Of a fit that computes for long: whether its time is up, and pauses in which the program can hear of Ctrl-C. */
export interface Watch {
  isOver(): boolean;
  /** Lets others work now and then. Throws the signal's reason when aborted. */
  pause(): Promise<void>;
}

export function watch({
  deadline = Number.POSITIVE_INFINITY,
  signal,
  now = () => performance.now(),
}: Omit<FitOptions, 'seed'>): Watch {
  let last = now();
  return {
    isOver: () => now() >= deadline,
    async pause() {
      if (now() - last >= BETWEEN) {
        await new Promise((resume) => setTimeout(resume));
        last = now();
      }
      signal?.throwIfAborted();
    },
  };
}
