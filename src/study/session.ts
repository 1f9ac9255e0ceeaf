import { deepFreeze } from '../common/json.ts';
import type { Problem, Strategy } from '../strategy/strategy.ts';
import type { Budget } from './budget.ts';
import type { StudyEvent } from './events.ts';
import type { Measuring } from './measuring.ts';
import type { StoppingRule } from './stopping.ts';
import type { Clock, Store, StrategyState, Trial, TrialKey } from './store/store.ts';
import { byPurpose, hasEnded, nameOf } from './store/transitions.ts';
import type { WorkerEvent, WorkerPool } from './worker/pool.ts';

/** The inputs of `runStudy`. Problem and strategy must be the same in every call for a study. */
export interface StudyRun {
  /** Open for writing. It stays open. */
  readonly store: Store;
  readonly strategy: Strategy;
  readonly problem: Problem;
  /** Not started yet; closed at the end. */
  readonly workers: WorkerPool;
  readonly budget: Budget;
  /** Decides about search trials after each report; without it, every trial runs to its fidelity. */
  readonly stopping?: StoppingRule;
  /** Measures that are taken of a candidate before its trial begins. */
  readonly measuring?: Measuring;
  /** Trains a supernet before the search (`Estimator.trainShared`), for `epochs` epochs; candidates receive its weights. */
  readonly supernet?: { readonly epochs: number };
  /** Retrains the `top` best architectures, `repeats` times each (default 1), before the best is chosen. */
  readonly confirm?: { readonly top: number; readonly repeats?: number };
  /**
   * How often a trial whose worker died resumes from its last checkpoint before it fails. Default 1: a worker killed from
   * outside is not the trial's fault, and a trial that runs out of memory will do so again.
   */
  readonly retries?: number;
  /** Interrupts the study: running trials pause at their next report, or at their last one after `graceSeconds`. */
  readonly signal?: AbortSignal;
  /** Default 5. */
  readonly graceSeconds?: number;
  readonly onEvent?: (event: StudyEvent) => void;
  /** Whether each step of a training is an event, too: a message from the worker's process for each. */
  readonly steps?: boolean;
  /** Milliseconds of a clock that only rises (default: performance.now). */
  readonly now?: () => number;
}

export type SessionEvent = WorkerEvent | { readonly kind: 'interrupted' } | { readonly kind: 'grace over' };

/** What a session needs of a run: of a search, or of final trainings. */
export type SessionRun = Pick<
  StudyRun,
  | 'store'
  | 'problem'
  | 'workers'
  | 'measuring'
  | 'supernet'
  | 'retries'
  | 'signal'
  | 'graceSeconds'
  | 'onEvent'
  | 'steps'
  | 'now'
>;

/** One process that runs a study: the contents of the store in memory, and all events in one queue. */
export interface Session<Run extends SessionRun = SessionRun> {
  readonly run: Run;
  /** By number, as they are now: the list changes with `note`. */
  trials(purpose: Trial['purpose']): readonly Trial[];
  /** Those that wait or run, by number. */
  open(purpose: Trial['purpose']): readonly Trial[];
  /** Search trials that have ended and have a checkpoint. */
  kept(): readonly Trial[];
  trial(key: TrialKey): Trial;
  /** Takes note of a trial as the store returned it. */
  note(trial: Trial): Trial;
  strategyState(): StrategyState;
  /** Keeps the state that the store was given: the same object, since a strategy may keep a cache beside it. */
  noteStrategyState(state: StrategyState): void;
  /** Waits for what happens next. */
  next(): Promise<SessionEvent>;
  emit(event: StudyEvent): void;
  /** The search clock runs from here on, and no longer. */
  startClock(): void;
  stopClock(): Promise<void>;
  searchSeconds(): number;
  /** Writes the clock down. */
  recordClock(): Promise<void>;
  /** Ends the workers and puts the trials that they had back to waiting. May be called again. */
  close(): Promise<void>;
}

const GRACE_SECONDS = 5;

/**
 * Starts the workers and loads the study. Trials that an earlier process left running go back to waiting: this process
 * holds the study's lock, so theirs is gone.
 */
export async function openSession<Run extends SessionRun>(run: Run): Promise<Session<Run>> {
  const { store, signal, now = () => performance.now() } = run;
  /** Trials are numbered from 0 without gaps. */
  const trials = byPurpose((): Trial[] => []);
  // Few trials are open or keep a checkpoint, so these are indexed instead of searching all trials.
  const open = byPurpose(() => new Map<number, Trial>());
  const kept = new Map<number, Trial>();
  let strategyState = deepFreeze(await store.strategyState());
  let clock = await store.clock();
  let clockStart: number | undefined;

  const note = (trial: Trial): Trial => {
    const { purpose, trial: number } = trial;
    const ended = hasEnded(trial);
    trials[purpose][number] = trial;
    if (ended) open[purpose].delete(number);
    else open[purpose].set(number, trial);
    if (purpose === 'search' && ended && trial.checkpoint !== undefined) kept.set(number, trial);
    else if (purpose === 'search') kept.delete(number);
    return trial;
  };
  for (const trial of await store.trials()) note(trial.state === 'running' ? await store.release(trial) : trial);
  await store.sweep();

  const queue = createQueue<SessionEvent>();
  let graceTimer: ReturnType<typeof setTimeout> | undefined;
  const interrupt = () => {
    queue.push({ kind: 'interrupted' });
    const grace = run.graceSeconds ?? GRACE_SECONDS;
    graceTimer = setTimeout(() => queue.push({ kind: 'grace over' }), grace * 1000);
  };
  if (signal?.aborted) interrupt();
  else signal?.addEventListener('abort', interrupt, { once: true });
  const clockNow = (): Clock => {
    const since = clockStart === undefined ? 0 : (now() - clockStart) / 1000;
    return {
      searchSeconds: clock.searchSeconds + since,
      workerSeconds: clock.workerSeconds + since * run.workers.size,
    };
  };

  const session: Session<Run> = {
    run,
    trials: (purpose) => trials[purpose],
    open: (purpose) => [...open[purpose].values()],
    kept: () => [...kept.values()],
    trial(key) {
      const trial = trials[key.purpose][key.trial];
      if (!trial) throw new Error(`there is no ${nameOf(key)}`);
      return trial;
    },
    note,
    strategyState: () => strategyState,
    noteStrategyState(state) {
      strategyState = deepFreeze(state);
    },
    next: queue.next,
    emit: (event) => run.onEvent?.(event),
    startClock() {
      clockStart = now();
    },
    async stopClock() {
      clock = clockNow();
      clockStart = undefined;
      await store.recordClock(clock);
    },
    searchSeconds: () => clockNow().searchSeconds,
    async recordClock() {
      if (clockStart !== undefined) await store.recordClock(clockNow());
    },
    async close() {
      clearTimeout(graceTimer);
      signal?.removeEventListener('abort', interrupt);
      await run.workers.close();
      for (const trial of Object.values(open).flatMap((one) => [...one.values()])) {
        // After a write that failed half-way the store may be further than what is noted here.
        const isRunning = trial.state === 'running' && (await store.trial(trial))?.state === 'running';
        if (isRunning) note(await store.release(trial));
      }
    },
  };
  try {
    // Setting workers up may take a while: an interruption does not wait for it.
    await Promise.race([run.workers.start(queue.push), aborted(signal)]);
  } catch (error) {
    await session.close().catch(() => {});
    throw error;
  }
  return session;
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return new Promise(() => {});
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

interface Queue<T> {
  push(item: T): void;
  next(): Promise<T>;
}

/** A queue with one reader. */
function createQueue<T>(): Queue<T> {
  const items: T[] = [];
  let wanted: ((item: T) => void) | undefined;
  return {
    push(item) {
      if (wanted) wanted(item);
      else items.push(item);
      wanted = undefined;
    },
    next() {
      const item = items.shift();
      if (item !== undefined) return Promise.resolve(item);
      return new Promise((resolve) => {
        wanted = resolve;
      });
    },
  };
}
