import { environmentFault, messageOf, UserError } from '../../common/errors.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EpochRecord } from '../../train/checkpoint.ts';
import { TrainingFailure } from '../../train/failure.ts';
import { openPrograms, type Programs } from '../../train/programs.ts';
import { openEngine } from '../engine.ts';
import { memoryOfPrograms } from '../memory.node.ts';
import type { Setup } from '../setup.ts';
import { setUpInWorker, type WorkerOrders } from '../study.ts';
import { contestantOf, retrain } from './evaluation.ts';
import type { FailureKind, FromRetrainer, Retrained, RetrainJob, ToRetrainer } from './retraining.ts';

// The entry of a process that `retrainAll` starts. What it opens first is shared by all of its jobs.
type Opened = {
  readonly setup: Setup;
  readonly engine: Engine;
  readonly programs: Programs;
  readonly test: Samples;
};
let opened: Promise<Opened> | undefined;

const send = (message: FromRetrainer) => process.send?.(message);

// By a signal: `process.exit` would break a run in the engine's thread.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal sends Ctrl-C (and SIGHUP when it closes) to the whole group of processes; what becomes of the jobs is for the parent to say.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
// Nobody may be reading standard error any more.
process.stderr.on('error', () => {});
process.on('message', async (message: ToRetrainer) => {
  if ('plan' in message) {
    opened = open(message);
    // Told with the first job.
    opened.catch(() => {});
    return;
  }
  try {
    if (opened === undefined) throw new Error('received a job before its study');
    send({ retrained: await work(await opened, message.job) });
  } catch (error) {
    send({ failure: failureOf(error), reason: messageOf(error) });
  }
});

function failureOf(error: unknown): FailureKind {
  if (error instanceof UserError) return 'user';
  if (error instanceof TrainingFailure) return 'training';
  return environmentFault(error) === undefined ? 'other' : 'machine';
}

async function open({ plan, memoryBytes }: WorkerOrders): Promise<Opened> {
  const setup = await setUpInWorker(plan);
  const engine = await openEngine(plan.settings, plan.settings.workers);
  const test = await setup.dataset.openTest();
  return { setup, engine, programs: openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) }), test };
}

async function work({ setup, engine, programs, test }: Opened, job: RetrainJob): Promise<Retrained> {
  const { settings, dataset, training } = setup;
  const began = performance.now();
  const { epochs } = job;
  send({ progress: { epoch: 0, epochs } });
  const onEpoch = ({ epoch, loss }: EpochRecord) => void send({ progress: { epoch, epochs, loss } });
  const final = { ...training, epochs };
  const run = { engine, programs, dataset, training: final, seed: settings.seed, repetition: job.repetition, onEpoch };
  const retrained = await retrain(contestantOf(setup, job), run, test, job.sampled);
  return { ...retrained, seconds: (performance.now() - began) / 1000 };
}
