import { StudyStopped, UserError } from '../../common/errors.ts';
import type { Json } from '../../common/json.ts';
import type { CheckpointId, Evaluation, Report, StepReport } from '../../estimate/estimator.ts';
import type { Answer, Fault, FromWorker, Job, Spawn, WorkerHandle } from './protocol.ts';

/** What becomes of the job that was assigned under the name `job`. */
export type WorkerEvent =
  | {
      readonly kind: 'report';
      readonly job: string;
      readonly report: Report;
      readonly checkpoint: CheckpointId | undefined;
    }
  | { readonly kind: 'ended'; readonly job: string; readonly evaluation: Evaluation }
  | { readonly kind: 'step'; readonly job: string; readonly step: StepReport }
  | { readonly kind: 'note'; readonly job: string; readonly text: string }
  | { readonly kind: 'failed'; readonly job: string; readonly reason: string; readonly fault: Fault }
  /** Its worker has ended; another is being started in its place. */
  | { readonly kind: 'died'; readonly job: string; readonly reason: string }
  /** No worker can be started any more. */
  | { readonly kind: 'broken'; readonly error: Error };

/** A fixed number of workers, each with at most one job at a time. */
export interface WorkerPool {
  readonly size: number;
  /** Starts the workers and waits until each is ready. Throws the reason why one cannot be set up. Call it once. */
  start(listener: (event: WorkerEvent) => void): Promise<void>;
  /** Gives a job to a worker that has none. Throws Error when all have one: no more than `size` at a time. */
  assign(name: string, job: Job): void;
  /** Answers the job's last report. */
  answer(name: string, answer: Answer): void;
  /** Ends all workers at once; no event comes afterwards. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly workers: number;
  readonly study: string;
  readonly settings: Json;
  readonly spawn: Spawn;
}

const BROKEN = { user: UserError, machine: StudyStopped, other: Error };

/** A worker that dies so often in a row before it is ready will never be. */
const STARTS = 3;

interface Worker {
  readonly index: number;
  readonly handle: WorkerHandle;
  readonly gone: Promise<void>;
  ready: boolean;
  /** Name and content of the job it has; sent when it is ready. */
  job: { readonly name: string; readonly content: Job } | undefined;
}

export function createPool({ workers: size, study, settings, spawn }: PoolOptions): WorkerPool {
  const workers = new Map<number, Worker>();
  /** Starts in a row that failed, by the worker's index. */
  const failedStarts = new Map<number, number>();
  let emit: (event: WorkerEvent) => void = () => {};
  let wake: () => void = () => {};
  let closed = false;

  const begin = (index: number): void => {
    const gone = Promise.withResolvers<void>();
    const handle = spawn(
      index,
      (message) => !closed && receive(worker, message),
      (reason) => {
        gone.resolve();
        if (!closed && workers.get(index) === worker) replaceDead(worker, reason);
      },
    );
    const worker: Worker = { index, handle, gone: gone.promise, ready: false, job: undefined };
    workers.set(index, worker);
    handle.send({ kind: 'set up', setUp: { study, settings, index } });
  };

  const receive = (worker: Worker, message: FromWorker): void => {
    const job = worker.job?.name;
    switch (message.kind) {
      case 'ready':
        worker.ready = true;
        if (worker.job) worker.handle.send({ kind: 'job', job: worker.job.content });
        wake();
        return;
      case 'broken':
        emit({ kind: 'broken', error: new BROKEN[message.fault](message.reason) });
        return;
      case 'report':
      case 'step':
      case 'note':
        if (job !== undefined) emit({ ...message, job });
        return;
      case 'ended':
      case 'failed':
        worker.job = undefined;
        if (job !== undefined) emit({ ...message, job });
        return;
      default:
        message satisfies never;
    }
  };

  const replaceDead = (worker: Worker, reason: string): void => {
    const failures = worker.ready ? 0 : (failedStarts.get(worker.index) ?? 0) + 1;
    failedStarts.set(worker.index, failures);
    if (failures >= STARTS) {
      emit({ kind: 'broken', error: new StudyStopped(`a worker cannot be started: ${reason}`) });
      return;
    }
    begin(worker.index);
    const replacement = workers.get(worker.index);
    // A worker that died before it was ready has not touched its job: the next one takes it over.
    if (replacement && !worker.ready) replacement.job = worker.job;
    else if (worker.job) emit({ kind: 'died', job: worker.job.name, reason: `the worker died: ${reason}` });
  };

  return {
    size,
    async start(listener) {
      const ready = Promise.withResolvers<void>();
      wake = () => [...workers.values()].every((worker) => worker.ready) && ready.resolve();
      emit = (event) => event.kind === 'broken' && ready.reject(event.error);
      for (let index = 0; index < size; index++) begin(index);
      await ready.promise;
      emit = listener;
    },
    assign(name, content) {
      const worker = [...workers.values()].find(({ job }) => job === undefined);
      if (!worker) throw new Error('no worker is idle');
      worker.job = { name, content };
      if (worker.ready) worker.handle.send({ kind: 'job', job: content });
    },
    answer(name, answer) {
      const worker = [...workers.values()].find(({ job }) => job?.name === name);
      worker?.handle.send({ kind: 'answer', answer });
    },
    async close() {
      closed = true;
      for (const { handle } of workers.values()) handle.kill();
      await Promise.all([...workers.values()].map(({ gone }) => gone));
    },
  };
}
