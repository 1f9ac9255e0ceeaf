import { messageOf, UserError } from '../common/errors.ts';
import type { Samples } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { TrainingFailure } from '../train/failure.ts';
import { openPrograms, type Programs } from '../train/programs.ts';
import { openEngine } from './engine.ts';
import { contestantOf, retrain } from './evaluation.ts';
import { memoryOfPrograms } from './memory.node.ts';
import type { FromRetrainer, Retrained, RetrainJob, ToRetrainer } from './retraining.ts';
import { type Setup, setUp } from './setup.ts';
import { spaceOf, type WorkerOrders } from './study.ts';

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
// A terminal sends Ctrl-C to the whole group of processes; what becomes of the jobs is for the parent to say.
process.on('SIGINT', () => {});
process.on('message', async (message: ToRetrainer) => {
  if ('plan' in message) {
    opened = open(message);
    // Told with the first job.
    opened.catch(() => {});
    return;
  }
  try {
    if (opened === undefined) throw new Error('a job came before its study');
    send({ retrained: await work(await opened, message.job) });
  } catch (error) {
    const failure = error instanceof UserError ? 'user' : error instanceof TrainingFailure ? 'training' : 'other';
    send({ failure, reason: messageOf(error) });
  }
});

async function open({ plan, memoryBytes }: WorkerOrders): Promise<Opened> {
  const setup = await setUp(plan.settings, await spaceOf(plan));
  const engine = await openEngine(plan.settings, plan.settings.workers);
  const test = await setup.dataset.openTest();
  return { setup, engine, programs: openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) }), test };
}

async function work({ setup, engine, programs, test }: Opened, job: RetrainJob): Promise<Retrained> {
  const { settings, dataset, training } = setup;
  const began = performance.now();
  const final = { ...training, epochs: job.epochs };
  const run = { engine, programs, dataset, training: final, seed: settings.seed, repetition: job.repetition };
  const retrained = await retrain(contestantOf(setup, job), run, test);
  return { ...retrained, seconds: (performance.now() - began) / 1000 };
}
