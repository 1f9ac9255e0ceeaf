import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { Architecture } from '../space/index.ts';
import { TrainingFailure } from '../train/failure.ts';
import { entryModule } from './entry.ts';
import { memoryOfProcess } from './memory.node.ts';
import type { StudyPlan, WorkerOrders } from './study.ts';

/** One training from scratch on train + valid, measured on the test part. */
export interface RetrainJob {
  /** The baseline of this name; without one, a member of the study's space. */
  readonly baseline?: string;
  readonly architecture: Architecture;
  readonly repetition: number;
  /** Of this training: those of the study's settings are the search's. */
  readonly epochs: number;
}

export interface Retrained {
  readonly metrics: Metrics;
  /** [true class][predicted class] */
  readonly confusion?: readonly (readonly number[])[];
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly seconds: number;
}

/** What a worker is told: first the study, then one job after another. */
export type ToRetrainer = WorkerOrders | { readonly job: RetrainJob };

/** What it answers to each job. `failure`: of which kind the error was. */
export type FromRetrainer =
  | { readonly retrained: Retrained }
  | { readonly failure: 'user' | 'training' | 'other'; readonly reason: string };

/**
 * Does the jobs in processes of their own, as many at a time as the study has workers. `onDone` is called as they end;
 * what a job comes to does not depend on the order. Throws UserError, and TrainingFailure of anything but
 * a baseline; kills the workers on abort.
 */
export async function retrainAll(
  jobs: readonly RetrainJob[],
  plan: StudyPlan,
  signal: AbortSignal,
  onDone: (job: RetrainJob, result: Retrained | TrainingFailure) => void,
): Promise<void> {
  const waiting = [...jobs];
  const memoryBytes = memoryOfProcess(plan.settings, Math.min(plan.settings.workers, jobs.length));
  const children = Array.from({ length: Math.min(plan.settings.workers, jobs.length) }, () =>
    fork(fileURLToPath(entryModule('retrain.node')), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  signal.addEventListener('abort', killAll);
  try {
    signal.throwIfAborted();
    await Promise.all(
      children.map(async (child) => {
        child.send({ plan, memoryBytes } satisfies ToRetrainer);
        for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
          const done = await ask(child, job, signal).catch((error: unknown) => {
            // A baseline that these settings cannot train is a result too; the rest goes on.
            if (job?.baseline !== undefined && error instanceof TrainingFailure) return error;
            throw error;
          });
          onDone(job, done);
        }
      }),
    );
  } finally {
    signal.removeEventListener('abort', killAll);
    killAll();
  }
}

async function ask(child: ChildProcess, job: RetrainJob, signal: AbortSignal): Promise<Retrained> {
  const { promise, resolve, reject } = Promise.withResolvers<FromRetrainer>();
  const died = (code: number | null, by: string | null) =>
    reject(
      signal.aborted ? signal.reason : new Error(`a training ended with its process (${by ?? `exit code ${code}`})`),
    );
  child.once('exit', died);
  child.once('message', (message) => resolve(message as FromRetrainer));
  try {
    if (child.exitCode !== null || child.signalCode !== null) died(child.exitCode, child.signalCode);
    else child.send({ job } satisfies ToRetrainer);
    const answer = await promise;
    if ('retrained' in answer) return answer.retrained;
    throw new { user: UserError, training: TrainingFailure, other: Error }[answer.failure](answer.reason);
  } finally {
    child.off('exit', died);
    child.removeAllListeners('message');
  }
}
