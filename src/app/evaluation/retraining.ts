import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StudyStopped, UserError } from '../../common/errors.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { TestSamples } from '../../report/samples.ts';
import type { Architecture } from '../../space/index.ts';
import { describeDeath } from '../../study/worker/process.node.ts';
import { TrainingFailure } from '../../train/failure.ts';
import { entryModule } from '../entry.ts';
import { memoryOfProcess } from '../memory.node.ts';
import type { StudyPlan, WorkerOrders } from '../study.ts';

/** One training from scratch on train + valid, measured on the test part. */
export interface RetrainJob {
  /** The baseline of this name; without one, a member of the study's space. */
  readonly baseline?: string;
  readonly architecture: Architecture;
  readonly repetition: number;
  /** Whether some test samples are to come back with it, for the report. */
  readonly sampled?: boolean;
  /** Of this training: those of the study's settings are the search's. */
  readonly epochs: number;
}

export interface Retrained {
  readonly metrics: Metrics;
  /** [true class][predicted class] */
  readonly confusion?: readonly (readonly number[])[];
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly samples?: TestSamples;
  readonly seconds: number;
}

/** What a worker is told: first the study, then one job after another. */
export type ToRetrainer = WorkerOrders | { readonly job: RetrainJob };

/** How far a training is. */
export interface TrainingProgress {
  /** Epochs done, from 0 to `epochs`. */
  readonly epoch: number;
  readonly epochs: number;
  /** Of the last epoch done; none before there is one. */
  readonly loss?: number;
}

/** What it answers to each job, after any number of `progress`. `failure`: of which kind the error was. */
export type FromRetrainer =
  | { readonly progress: TrainingProgress }
  | { readonly retrained: Retrained }
  | { readonly failure: FailureKind; readonly reason: string };

export type FailureKind = keyof typeof FAILURES;

const FAILURES = { user: UserError, training: TrainingFailure, machine: StudyStopped, other: Error };

/** A process that ended in the middle of a job. */
class TrainerDied extends TrainingFailure {
  override readonly name = 'TrainerDied';
}

/** How often a job whose process died is done again, in a new one. */
const RETRIES = 1;

/** Events of running jobs. */
export interface RetrainEvents {
  /** The process of the job died, for this reason; a new process starts the job again. */
  onRetry?(job: RetrainJob, reason: string): void;
  /** After each of its epochs. */
  onProgress?(job: RetrainJob, progress: TrainingProgress): void;
  onDone(job: RetrainJob, result: Retrained | TrainingFailure): void;
}

/**
 * Does the jobs in processes of their own, as many at a time as the study has workers. Calls `onDone` when a job ends and `onProgress`
 * after each epoch; results do not depend on the order of jobs. A process that dies is replaced, and its job starts again; if that process
 * dies too, the job has failed. Throws UserError, StudyStopped, and TrainingFailure of anything but a baseline; kills the workers
 * on abort.
 */
export async function retrainAll(
  jobs: readonly RetrainJob[],
  plan: StudyPlan,
  signal: AbortSignal,
  { onRetry, onDone, onProgress }: RetrainEvents,
): Promise<void> {
  const waiting = [...jobs];
  const workers = Math.min(plan.settings.workers, jobs.length);
  const memoryBytes = memoryOfProcess(plan.settings, workers);
  const children = new Set<ChildProcess>();
  let isOver = false;
  const begin = (): ChildProcess => {
    const child = fork(fileURLToPath(entryModule('evaluation/retrain.node')), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.add(child);
    child.on('exit', () => children.delete(child));
    child.on('error', () => {}); // Its exit is heard of.
    child.send({ plan, memoryBytes } satisfies ToRetrainer, () => {});
    return child;
  };
  const endAll = () => {
    isOver = true;
    for (const child of children) child.kill('SIGKILL');
  };
  signal.addEventListener('abort', endAll);

  const work = async (): Promise<void> => {
    let child = begin();
    const trained = async (job: RetrainJob): Promise<Retrained | TrainingFailure> => {
      for (let retry = 0; ; retry++) {
        try {
          return await ask(child, job, signal, (progress) => onProgress?.(job, progress));
        } catch (error) {
          const died = error instanceof TrainerDied && !isOver;
          if (died) child = begin();
          if (died && retry < RETRIES) onRetry?.(job, error.message);
          // A baseline that these settings cannot train is a result too; the other jobs continue.
          else if (job.baseline !== undefined && error instanceof TrainingFailure) return error;
          else throw error;
        }
      }
    };
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) onDone(job, await trained(job));
  };
  try {
    signal.throwIfAborted();
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    signal.removeEventListener('abort', endAll);
    endAll();
  }
}

async function ask(
  child: ChildProcess,
  job: RetrainJob,
  signal: AbortSignal,
  onProgress: (progress: TrainingProgress) => void,
): Promise<Retrained> {
  const { promise, resolve, reject } = Promise.withResolvers<Exclude<FromRetrainer, { progress: unknown }>>();
  const died = (code: number | null, by: string | null) =>
    reject(signal.aborted ? signal.reason : new TrainerDied(`its process died: ${describeDeath(code, by)}`));
  child.once('exit', died);
  child.on('message', (message) => {
    const answer = message as FromRetrainer;
    if ('progress' in answer) onProgress(answer.progress);
    else resolve(answer);
  });
  try {
    if (child.exitCode !== null || child.signalCode !== null) died(child.exitCode, child.signalCode);
    else child.send({ job } satisfies ToRetrainer, () => {});
    const answer = await promise;
    if ('retrained' in answer) return answer.retrained;
    throw new FAILURES[answer.failure](answer.reason);
  } finally {
    child.off('exit', died);
    child.removeAllListeners('message');
  }
}
