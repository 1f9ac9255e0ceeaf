/** What all implementations of `Trainable` have in common: leased programs, the steps of an epoch, and its record. */
import type { Metrics } from '../common/metrics.ts';
import type { Spent } from '../common/spent.ts';
import type { Feeds, Program } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import { runAhead } from './batches.ts';
import type { EpochRecord } from './checkpoint.ts';
import { TrainingFailure } from './failure.ts';
import type { ProgramLease } from './programs.ts';

/** The programs that one training has borrowed; `release` gives all of them back. */
export interface Borrowed {
  borrow<Built extends object>(asked: Promise<ProgramLease<Built>>): Promise<ProgramLease<Built>>;
  /** Predicted memory of all of them. */
  bytes(): number;
  release(): Promise<void>;
}

export function borrowing(): Borrowed {
  const leased: ProgramLease<object>[] = [];
  return {
    async borrow(asked) {
      const program = await asked;
      leased.push(program);
      return program;
    },
    bytes: () => leased.reduce((sum, { bytes }) => sum + bytes, 0),
    async release() {
      for (const program of leased) await program.release();
    },
  };
}

/** The steps of one epoch. */
export interface Steps<F> {
  /** Counted from 0, as the epoch is in `learningRates`. */
  readonly epoch: number;
  readonly count: number;
  /** What a step is fed; may use the memory of what it gave SLOTS calls before. */
  prepare(step: number): Promise<F>;
  /** Returns at least `loss`, []. */
  run(feeds: F): Promise<Record<string, HostTensor>>;
  /** Whether the epoch ends before its last step, because time is up. */
  isOver?(): boolean;
  onStep?: OnStep | undefined;
}

/** Called after each step; both count from 1. The epoch ends early where it returns false. */
export type OnStep = (epoch: number, step: number, loss: number) => unknown;

/** Runs the steps of an epoch and returns their mean loss. Throws TrainingFailure at the first loss that is not finite. */
export async function runSteps<F = Feeds>({ epoch, count, prepare, run, isOver, onStep }: Steps<F>): Promise<number> {
  let [total, done, isStopped] = [0, 0, false];
  await runAhead({
    count,
    prepare,
    run,
    isOver: () => isStopped || isOver?.() === true,
    take(result, step) {
      const loss = result.loss?.data[0] ?? Number.NaN;
      if (!Number.isFinite(loss)) {
        throw new TrainingFailure(`the loss is ${loss} at epoch ${epoch + 1}, step ${step + 1}`);
      }
      total += loss;
      done++;
      isStopped = onStep?.(epoch + 1, step + 1, loss) === false;
    },
  });
  return total / done;
}

type Timed = Pick<Program, 'busySeconds'>;

/** What an implementation does in an epoch, and what its record needs besides. */
export interface EpochParts {
  /** Grows with each epoch. */
  readonly history: EpochRecord[];
  /** Milliseconds. */
  now(): number;
  /** By `now`, when it began to open: opening counts as part of the first epoch. */
  readonly opened: number;
  /** The part of opening that went into compiling. */
  readonly compileSeconds: number;
  readonly training: readonly Timed[];
  readonly validation: readonly Timed[];
  /** Trains the epoch of this index, from 0; returns its mean loss. */
  train(index: number): Promise<number>;
  validate(): Promise<Metrics>;
  /** What the record holds besides. */
  more?(): Promise<Pick<EpochRecord, 'mixture' | 'guards' | 'progress'>>;
}

/** The `epoch` of a Trainable. */
export function epochs(parts: EpochParts): () => Promise<EpochRecord> {
  const { history, now, training, validation } = parts;
  let compile = parts.compileSeconds;
  let unaccounted = now() - parts.opened;
  const busyOf = (programs: readonly Timed[]) => programs.reduce((sum, { busySeconds }) => sum + busySeconds, 0);
  return async () => {
    const began = now();
    const index = history.length;
    const [trainBefore, validBefore] = [busyOf(training), busyOf(validation)];
    const loss = await parts.train(index);
    const valid = await parts.validate();
    const broken = Object.entries(valid).find(([, value]) => !Number.isFinite(value));
    if (broken !== undefined) {
      throw new TrainingFailure(`the validation ${broken[0]} is ${broken[1]} after epoch ${index + 1}`);
    }
    const more = await parts.more?.();
    const seconds = (now() - began + unaccounted) / 1000;
    const busy = { compile, train: busyOf(training) - trainBefore, valid: busyOf(validation) - validBefore };
    const spent: Spent = { ...busy, idle: Math.max(0, seconds - busy.compile - busy.train - busy.valid) };
    const record: EpochRecord = { epoch: index + 1, loss, valid, seconds, spent, ...more };
    [unaccounted, compile] = [0, 0];
    history.push(record);
    return record;
  };
}
