/** The loop of all methods that improve a policy by the advantages of its own actions: PPO, REINFORCE. */
import type { State } from '../../engine/engine.ts';
import { isRecurrent } from '../../space/tree/walk.ts';
import { scalarFeeds } from '../../train/batch-steps.ts';
import { borrowing, runSteps } from '../../train/epochs.ts';
import { initialTensors } from '../../train/loop.ts';
import { optimizerOf } from '../../train/optimizers.ts';
import { openPrograms } from '../../train/programs.ts';
import { joinTensors, splitTensors } from '../../train/vectors.ts';
import { observationSize } from '../environment.ts';
import { openActor } from './actor.ts';
import { type BatchForm, batchSlots, passOf } from './batches.ts';
import { distributionOf } from './distribution.ts';
import { lanesFor } from './evaluate.ts';
import { onEnvironment, type PolicyLoss } from './on-environment.ts';
import { policyTraining } from './policy-training.ts';
import { adamUpdate, checkRandomness, type PolicyRequest, type PolicyTraining, partTensors } from './request.ts';
import { collect, type Rollout } from './rollout.ts';
import { OBSERVATIONS, openScaler } from './scaler.ts';
import { openTrainingLanes } from './training-lanes.ts';

/** What these methods have in common. */
export interface ActorCriticSettings {
  /** Environment steps of the whole training, all lanes together; the learning rate is planned for them. */
  readonly steps: number;
  /** Environment steps between two validations, rounded up to whole rollouts. Episodes do not go on from one epoch to the next. */
  readonly epochSteps: number;
  readonly lanes: number;
  /** Steps of a rollout in each lane. */
  readonly rollout: number;
  /** Steps of a batch. */
  readonly batchSize: number;
  /** How often each rollout is used. */
  readonly passes: number;
  readonly discount: number;
  readonly lambda: number;
  readonly learningRate: number;
  /** linear: the learning rate falls to 0. */
  readonly schedule: string;
  /** Largest norm of the gradient; 0: any. */
  readonly clipNorm: number;
  /** Whether observations are standardized by their running mean and deviation. */
  readonly scaleObservations: boolean;
  /** Whether rewards are divided by the running deviation of their discounted sums. */
  readonly scaleRewards: boolean;
  /** Steps that a network with a memory is unrolled over. */
  readonly sequence: number;
}

/** The targets that a loss has, besides `weight`. */
export const ACTOR_CRITIC_TARGETS = { advantages: 1, returns: 1, logProbabilities: 1, weight: 1 } as const;

/** Where the statistics of rewards are in a checkpoint. */
const REWARDS = 'rewards';

/**
 * Opens a training. `loss` has the targets `actions` and those of `ACTOR_CRITIC_TARGETS`. Throws TrainingFailure when the network cannot be
 * built on the environment or the checkpoint is of another one.
 */
export async function openActorCritic(
  request: PolicyRequest,
  settings: ActorCriticSettings,
  loss: PolicyLoss,
): Promise<PolicyTraining> {
  const { engine, network, environment, valid, signal, checkpoint } = request;
  const now = request.now ?? (() => performance.now());
  const opened = now();
  const programs = request.programs ?? openPrograms(engine, { keep: 0 });
  const distribution = distributionOf(environment.action);
  const recurrent = isRecurrent(network);
  const length = recurrent ? Math.min(settings.sequence, settings.rollout) : 1;
  const form: BatchForm = {
    sequences: Math.max(1, Math.floor(settings.batchSize / length)),
    length,
    observation: recurrent ? [observationSize(environment.observation)] : environment.observation.shape,
    recurrent,
  };
  const targets = { actions: distribution.width, ...ACTOR_CRITIC_TARGETS };
  const on = (steps: number) => onEnvironment(network, environment, { form: 'actor-critic', loss, targets }, steps);
  const validLanes = lanesFor(environment, valid.count);
  const update = adamUpdate(settings.clipNorm);

  const { borrow, release } = borrowing();
  let state: State | undefined;
  const { lanes, begin, beginEpoch } = openTrainingLanes(environment, settings.lanes, (...labels) =>
    request.rng(...labels),
  );
  async function dispose(): Promise<void> {
    await release();
    state?.dispose();
    lanes.close();
  }
  const saved = partTensors(checkpoint?.tensors ?? {}, [OBSERVATIONS, REWARDS]);
  const open = async () => {
    const training = await borrow(programs.training(on(length), update, form.sequences));
    const acting = await borrow(programs.inference(on(1), settings.lanes));
    const validating = await borrow(programs.inference(on(1), validLanes));
    checkRandomness(training.built.randomInputs);
    const start = initialTensors(
      { rng: request.rng, ...(checkpoint && { checkpoint: { ...checkpoint, tensors: saved.own } }) },
      training.built,
    );
    state = engine.createState(joinTensors(training.built.vectors, start));
    return { training, acting, validating, state };
  };
  const ready = await open().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  const compileSeconds = (now() - opened) / 1000;
  const { built, program } = ready.training;

  const scaler = openScaler(OBSERVATIONS, observationSize(environment.observation), saved.other);
  const rewards = openScaler(REWARDS, 1, saved.other);
  const scale = (raw: Float32Array, into: Float32Array) =>
    settings.scaleObservations ? scaler.scale(raw, into) : into.set(raw);
  const actorOf = ({ built: { states }, program: own }: typeof ready.acting, count: number) =>
    openActor(own, { states, state: ready.state }, environment, count, scale);
  const actor = actorOf(ready.acting, settings.lanes);
  const validator = actorOf(ready.validating, validLanes);
  const slots = batchSlots(form, distribution.width, actor.memory);
  const asTensors = scalarFeeds();

  const history = [...(checkpoint?.history ?? [])];
  let steps = checkpoint?.steps ?? 0;
  const perRollout = settings.lanes * settings.rollout;
  const rollouts = Math.ceil(settings.epochSteps / perRollout);
  const plannedEpochs = Math.max(1, Math.floor(settings.steps / (rollouts * perRollout)));
  const planned = plannedEpochs * rollouts;

  async function learn(rollout: Rollout, epoch: number, number: number): Promise<number> {
    const progress = (epoch * rollouts + number) / planned;
    const rate = settings.learningRate * (settings.schedule === 'linear' ? Math.max(0, 1 - progress) : 1);
    const passes = Array.from({ length: settings.passes }, (_, i) =>
      passOf(rollout, form, request.rng('epoch', epoch, 'rollout', number, 'pass', i)),
    );
    const perPass = passes[0]?.count ?? 0;
    return runSteps({
      epoch,
      count: perPass * passes.length,
      async prepare(step) {
        signal?.throwIfAborted();
        const { arrays, feeds } = slots[step % slots.length] as (typeof slots)[number];
        passes[Math.floor(step / perPass)]?.fill(step % perPass, arrays);
        steps++;
        return { ...feeds, ...asTensors(optimizerOf({ optimizer: 'adam' }).scalars(rate, steps)) };
      },
      run: (feeds) => program.run(feeds, ready.state),
    });
  }

  async function train(epoch: number): Promise<number> {
    beginEpoch(epoch);
    for (let lane = 0; lane < settings.lanes; lane++) actor.begin(lane);
    const sums = new Float32Array(settings.lanes);
    let total = 0;
    for (let number = 0; number < rollouts; number++) {
      const rollout = await collect({
        environment,
        lanes,
        actor,
        distribution,
        begin,
        signal,
        steps: settings.rollout,
        discount: settings.discount,
        lambda: settings.lambda,
        random: request.rng('epoch', epoch, 'rollout', number, 'actions'),
        observed: settings.scaleObservations ? scaler : undefined,
        rewarded: settings.scaleRewards ? { sums, scaler: rewards } : undefined,
      });
      total += await learn(rollout, epoch, number);
    }
    return total / rollouts;
  }

  return policyTraining({
    ...{
      request,
      form: 'actor-critic',
      validator,
      history,
      plannedEpochs,
      plannedSteps: planned * perRollout,
      dispose,
    },
    own: new Set([...built.parameters, ...built.statistics].map(({ path }) => path)),
    epochs: {
      ...{ now, opened, compileSeconds, train },
      training: [program, ready.acting.program],
      validation: [ready.validating.program],
    },
    steps: () => steps,
    tensors: async () => splitTensors(built.vectors, await ready.state.read()),
    observations: () => (settings.scaleObservations ? scaler.tensors() : {}),
    others: () => (settings.scaleRewards ? rewards.tensors() : {}),
  });
}
