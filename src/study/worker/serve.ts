import { DataError, environmentFault, messageOf, StudyStopped, UserError } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import {
  type Artifacts,
  type EstimateRun,
  type Estimator,
  type StepReport,
  TrialFailure,
} from '../../estimate/estimator.ts';
import type {
  Answer,
  Bench,
  Fault,
  FromWorker,
  Job,
  MakeArtifacts,
  MakeBench,
  WorkerChannel,
  WorkerSetUp,
} from './protocol.ts';

/**
 * The worker's side: sets up when asked to, then estimates one job after another. `signal` aborts the estimate
 * that is running (a worker in its own process is killed instead).
 */
export function serve<S>(
  channel: WorkerChannel,
  makeBench: MakeBench<S>,
  makeArtifacts: MakeArtifacts,
  signal: AbortSignal = new AbortController().signal,
): void {
  let bench: Bench<S> | undefined;
  let artifacts: Artifacts | undefined;
  let answered: (answer: Answer) => void = () => {};

  const setUp = async (given: WorkerSetUp): Promise<FromWorker> => {
    try {
      artifacts = reliable(makeArtifacts(given));
      bench = await makeBench(given);
      return { kind: 'ready' };
    } catch (error) {
      const fault = error instanceof UserError ? 'user' : isMachines(error) ? 'machine' : 'other';
      return { kind: 'broken', reason: messageOf(error), fault };
    }
  };

  const work = async (job: Job): Promise<FromWorker> => {
    if (!bench || !artifacts) return { kind: 'broken', reason: 'a job came before the set-up', fault: 'other' };
    try {
      const run: EstimateRun = {
        trial: job.trial,
        fidelity: job.fidelity,
        fullFidelity: job.fullFidelity,
        rng: (...labels) => rng(...job.seed, ...labels),
        signal,
        ...(job.checkpoint === undefined ? {} : { checkpoint: job.checkpoint }),
        ...(job.inherit === undefined ? {} : { inherit: job.inherit }),
        ...(job.shared === undefined ? {} : { shared: job.shared }),
        ...(job.final === undefined ? {} : { final: job.final }),
        artifacts,
        report(report, checkpoint) {
          const answer = new Promise<Answer>((resolve) => {
            answered = resolve;
          });
          channel.send({ kind: 'report', report, checkpoint });
          return answer;
        },
        ...(job.steps && { onStep: (step: StepReport) => channel.send({ kind: 'step', step }) }),
        note: (text) => channel.send({ kind: 'note', text }),
      };
      return { kind: 'ended', evaluation: await evaluated(bench, job, run) };
    } catch (error) {
      return { kind: 'failed', reason: messageOf(error), fault: faultOf(error) };
    }
  };

  channel.onMessage(async (message) => {
    switch (message.kind) {
      case 'set up':
        return channel.send(await setUp(message.setUp));
      case 'job':
        return channel.send(await work(message.job));
      case 'answer':
        return answered(message.answer);
      default:
        return message satisfies never;
    }
  });
}

function evaluated<S>({ estimator, space }: Bench<S>, { purpose, architecture }: Job, run: EstimateRun) {
  if (purpose === 'supernet') return trainShared(estimator, space, run);
  const candidate = { space, architecture };
  return purpose === 'confirm' && estimator.confirm !== undefined
    ? estimator.confirm(candidate, run)
    : estimator.estimate(candidate, run);
}

async function trainShared<S>(estimator: Estimator<S>, space: S, run: EstimateRun) {
  if (estimator.trainShared === undefined) throw new TrialFailure('the estimator of this study trains no supernet');
  return estimator.trainShared(space, run);
}

/** Artifacts that blame the machine if they cannot be kept, for any reason. */
function reliable({ put, get }: Artifacts): Artifacts {
  return {
    get,
    async put(bytes) {
      try {
        return await put(bytes);
      } catch (error) {
        throw error instanceof StudyStopped ? error : new StudyStopped(messageOf(error), { cause: error });
      }
    },
  };
}

function faultOf(error: unknown): Fault {
  if (error instanceof DataError) return 'data';
  return isMachines(error) ? 'machine' : 'candidate';
}

function isMachines(error: unknown): boolean {
  return error instanceof StudyStopped || environmentFault(error) !== undefined;
}
