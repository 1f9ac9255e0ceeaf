import { invalid } from '../../common/errors.ts';
import { type OptionsBy, optionsBy } from '../../common/options.ts';
import type { State } from '../../engine/engine.ts';
import * as ops from '../../graph/ops.ts';
import { isRecurrent } from '../../space/tree/walk.ts';
import { scalarFeeds } from '../../train/batch-steps.ts';
import { borrowing, runSteps } from '../../train/epochs.ts';
import { initialTensors } from '../../train/loop.ts';
import { optimizerOf } from '../../train/optimizers.ts';
import { openPrograms } from '../../train/programs.ts';
import { joinTensors, splitTensors } from '../../train/vectors.ts';
import { observationSize } from '../environment.ts';
import { openActor } from './actor.ts';
import { largest } from './distribution.ts';
import { lanesFor } from './evaluate.ts';
import { onEnvironment, type PolicyLoss } from './on-environment.ts';
import { policyTraining } from './policy-training.ts';
import { type Drawn, openReplay } from './replay.ts';
import { adamUpdate, checkRandomness, type PolicyRequest, type PolicyTraining, partTensors } from './request.ts';
import { OBSERVATIONS, openScaler } from './scaler.ts';
import { openTrainingLanes } from './training-lanes.ts';

/** Options of DQN with their defaults. */
export const DQN_OPTIONS = {
  steps: { default: 100_000, whole: true, min: 1 },
  epochSteps: { default: 10_000, whole: true, min: 1 },
  lanes: { default: 4, whole: true, min: 1 },
  batchSize: { default: 64, whole: true, min: 1 },
  /** Steps that the replay holds. */
  replay: { default: 50_000, whole: true, min: 1 },
  /** Steps before the first update. */
  warmup: { default: 1000, whole: true, min: 1 },
  /** Steps, all lanes together, between updates, and how many updates follow them. */
  every: { default: 4, whole: true, min: 1 },
  updates: { default: 2, whole: true, min: 1 },
  /** Updates after which the target network gets the weights. */
  target: { default: 250, whole: true, min: 1 },
  /** Double DQN: the network chooses the next action, the target network gives its value. */
  double: true,
  discount: { default: 0.99, above: 0, max: 1 },
  learningRate: { default: 1e-3, above: 0 },
  schedule: { default: 'linear', words: ['constant', 'linear'] },
  clipNorm: { default: 10, min: 0 },
  scaleObservations: true,
  /** The probability of a random action falls from 1 to `finalExploration` over this fraction of the steps. */
  exploration: { default: 0.16, above: 0, max: 1 },
  finalExploration: { default: 0.04, min: 0, max: 1 },
} as const;

export type DqnSettings = OptionsBy<typeof DQN_OPTIONS>;

/** Where tensors are in a checkpoint that the training program does not have. */
const [REPLAY, TARGET] = ['replay', 'target'];

/**
 * Deep Q-learning (Mnih et al. 2015, algorithm 1): a replay of uniform draws, a target network, random actions with a falling
 * probability; the loss is Huber's, as clipping the error to ±1 in the paper. `double` as van Hasselt et al. 2016. Differs: several lanes
 * act at once; Adam in place of RMSProp; observations are scaled when they are drawn; an episode that the limit of steps has cut off is
 * followed by the value of its last state; lanes begin new episodes with each epoch.
 *
 * A checkpoint has the replay: 4 · (2 · observation + 3) bytes for each step. Throws UserError for continuous actions, networks with a
 * memory, and settings that cannot be; TrainingFailure when the network cannot be built or the checkpoint is of another one.
 */
export async function openDqn(
  request: PolicyRequest & { readonly settings?: Partial<DqnSettings> },
): Promise<PolicyTraining> {
  const { engine, network, environment, valid, signal, checkpoint } = request;
  const settings = optionsBy(DQN_OPTIONS, request.settings ?? {}, 'dqn');
  const { action, observation } = environment;
  if (action.kind !== 'discrete')
    throw invalid(`dqn on "${environment.name}"`, 'its actions are continuous', 'they must be discrete');
  if (isRecurrent(network)) throw invalid('dqn', 'the network has a recurrent layer', 'it must have no memory');
  const { count } = action;
  const { batchSize, lanes: laneCount, discount } = settings;
  const now = request.now ?? (() => performance.now());
  const opened = now();
  const programs = request.programs ?? openPrograms(engine, { keep: 0 });
  const on = onEnvironment(network, environment, {
    form: 'action-values',
    loss: huberOf(count),
    targets: { actions: 1, values: 1, weight: 1 },
  });
  const validLanes = lanesFor(environment, valid.count);
  const update = adamUpdate(settings.clipNorm);

  const { borrow, release } = borrowing();
  const states: State[] = [];
  const { lanes, begin, beginEpoch } = openTrainingLanes(environment, laneCount, (...labels) => request.rng(...labels));
  async function dispose(): Promise<void> {
    await release();
    for (const one of states.splice(0)) one.dispose();
    lanes.close();
  }
  const saved = partTensors(checkpoint?.tensors ?? {}, [REPLAY, TARGET, OBSERVATIONS]);
  const size = observationSize(observation);
  const open = async () => {
    const training = await borrow(programs.training(on, update, batchSize));
    const acting = await borrow(programs.inference(on, laneCount));
    const valuing = await borrow(programs.inference(on, batchSize));
    const validating = await borrow(programs.inference(on, validLanes));
    checkRandomness(training.built.randomInputs);
    const start = initialTensors(
      { rng: request.rng, ...(checkpoint && { checkpoint: { ...checkpoint, tensors: saved.own } }) },
      training.built,
    );
    const replay = openReplay(REPLAY, settings.replay, size, saved.other);
    const joined = joinTensors(training.built.vectors, start);
    const state = engine.createState(joined);
    states.push(state);
    return { training, acting, valuing, validating, replay, state, joined };
  };
  const ready = await open().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  const compileSeconds = (now() - opened) / 1000;
  const { replay, state } = ready;
  const { built, program } = ready.training;

  // The entries of the state that a network acts by.
  const own = new Set([...built.parameters, ...built.statistics].map(({ path }) => path));
  const networkEntries = state.names.filter((name) => {
    const parts = built.vectors.find((vector) => vector.name === name)?.parts ?? [{ name }];
    return parts.every((part) => own.has(part.name));
  });
  const targetEntries = Object.fromEntries(
    networkEntries.map((name) => [name, saved.other[`${TARGET}/${name}`] ?? ready.joined[name]] as const),
  );
  let target = engine.createState(targetEntries as typeof ready.joined);
  states.push(target);
  async function copyToTarget(): Promise<void> {
    const next = engine.createState(await state.read(networkEntries));
    target.dispose();
    states.splice(states.indexOf(target), 1, next);
    target = next;
  }

  const scaler = openScaler(OBSERVATIONS, size, saved.other);
  const scale = (raw: Float32Array, into: Float32Array) =>
    settings.scaleObservations ? scaler.scale(raw, into) : into.set(raw);
  const actorOf = ({ program: acting }: typeof ready.acting, n: number) =>
    openActor(acting, { states: [], state }, environment, n, scale);
  const actor = actorOf(ready.acting, laneCount);
  const validator = actorOf(ready.validating, validLanes);

  const history = [...(checkpoint?.history ?? [])];
  let steps = checkpoint?.steps ?? 0;
  const stepsPerEpoch = Math.ceil(settings.epochSteps / laneCount);
  const plannedEpochs = Math.max(1, Math.floor(settings.steps / (stepsPerEpoch * laneCount)));
  const planned = plannedEpochs * stepsPerEpoch;

  const drawn: Drawn = {
    observations: new Float32Array(batchSize * size),
    next: new Float32Array(batchSize * size),
    actions: new Float32Array(batchSize),
    rewards: new Float32Array(batchSize),
    ended: new Float32Array(batchSize),
  };
  const shape = [batchSize, ...observation.shape];
  const values = new Float32Array(batchSize);
  const column = (data: Float32Array) => ({ shape: [batchSize, 1, 1], data });
  const feeds = {
    observation: { shape, data: drawn.observations },
    actions: column(drawn.actions),
    values: column(values),
    weight: column(new Float32Array(batchSize).fill(1 / batchSize)),
  };
  const asTensors = scalarFeeds();

  /** r + γ Q'(s', argmax Q(s')) of what was drawn: Q' is the target network, and Q the network itself (double) or Q', too. */
  async function valueTargets(): Promise<void> {
    const next = { observation: { shape, data: drawn.next } };
    const { output: later } = await ready.valuing.program.run(next, target);
    const { output: chosen } = settings.double ? await ready.valuing.program.run(next, state) : { output: later };
    if (later === undefined || chosen === undefined) throw new Error('the network gave no values');
    for (let i = 0; i < batchSize; i++) {
      const at = i * count;
      const best = later.data[at + largest(chosen.data, at, count)] as number;
      values[i] = (drawn.rewards[i] as number) + discount * best * (1 - (drawn.ended[i] as number));
    }
  }

  async function train(epoch: number): Promise<number> {
    beginEpoch(epoch);
    const [acts, draws] = [request.rng('epoch', epoch, 'actions'), request.rng('epoch', epoch, 'replay')];
    const taken = new Float32Array(laneCount);
    const before = new Float32Array(laneCount * size);
    let [total, updates, since] = [0, 0, 0];
    for (let step = 0; step < stepsPerEpoch; step++) {
      signal?.throwIfAborted();
      const progress = (epoch * stepsPerEpoch + step) / planned;
      const random = 1 - (1 - settings.finalExploration) * Math.min(1, progress / settings.exploration);
      before.set(lanes.observations);
      if (settings.scaleObservations) scaler.add(before);
      const isRandom = Array.from(taken, () => acts.float() < random);
      const outputs = isRandom.every(Boolean) ? undefined : await actor.act(before);
      for (const [lane, chance] of isRandom.entries())
        taken[lane] = chance || outputs === undefined ? acts.int(count) : largest(outputs, lane * count, count);
      lanes.step(taken);
      for (let lane = 0; lane < laneCount; lane++) {
        const part = (all: Float32Array) => all.subarray(lane * size, (lane + 1) * size);
        const hasTerminated = lanes.terminated[lane] === 1;
        const [chosen = 0, reward = 0] = [taken[lane], lanes.rewards[lane]];
        replay.add(part(before), chosen, reward, part(lanes.observations), hasTerminated);
        if (hasTerminated || lanes.truncated[lane] === 1) begin(lane);
      }
      since += laneCount;
      if (replay.count() < Math.min(settings.warmup, settings.replay) || since < settings.every) continue;
      since = 0;
      const rate = settings.learningRate * (settings.schedule === 'linear' ? Math.max(0, 1 - progress) : 1);
      total += await runSteps({
        epoch,
        count: settings.updates,
        prepare: async () => rate,
        run: learn(draws),
      });
      updates++;
    }
    return updates === 0 ? 0 : total / updates;
  }

  /** One update after another, since each chooses by the weights that the last one left. */
  function learn(draws: ReturnType<PolicyRequest['rng']>) {
    let last: Promise<unknown> = Promise.resolve();
    return (rate: number) => {
      const next = last.then(async () => {
        if (steps % settings.target === 0) await copyToTarget();
        replay.draw(draws, drawn);
        scale(drawn.observations, drawn.observations);
        scale(drawn.next, drawn.next);
        await valueTargets();
        steps++;
        return program.run({ ...feeds, ...asTensors(optimizerOf({ optimizer: 'adam' }).scalars(rate, steps)) }, state);
      });
      last = next;
      return next;
    };
  }

  return policyTraining({
    ...{
      request,
      form: 'action-values',
      validator,
      history,
      plannedEpochs,
      plannedSteps: planned * laneCount,
      own,
      dispose,
    },
    epochs: {
      ...{ now, opened, compileSeconds, train },
      training: [program, ready.acting.program, ready.valuing.program],
      validation: [ready.validating.program],
    },
    steps: () => steps,
    tensors: async () => splitTensors(built.vectors, await state.read()),
    observations: () => (settings.scaleObservations ? scaler.tensors() : {}),
    async others() {
      const targets = Object.entries(await target.read()).map(([name, tensor]) => [`${TARGET}/${name}`, tensor]);
      return { ...Object.fromEntries(targets), ...replay.tensors() };
    },
  });
}

/** Q [R, count] at the actions that were taken against their targets, by Huber's loss: e² / 2 up to 1, |e| − 1/2 beyond. */
const huberOf =
  (count: number): PolicyLoss =>
  (g, outputs, { actions, values, weight }) => {
    if (actions === undefined || values === undefined || weight === undefined) throw new Error('a target is missing');
    const numbers = Array.from({ length: count }, (_, i) => i);
    const chosen = ops.equal(g, actions, ops.constant(g, numbers, [1, count]));
    const value = ops.reduceSum(g, ops.mul(g, outputs, chosen), [1], true); // [R, 1]
    const error = ops.abs(g, ops.sub(g, value, values));
    const near = ops.clip(g, error, 0, 1);
    // near² / 2 + (|e| − near)
    const each = ops.add(g, ops.scale(g, ops.mul(g, near, near), 0.5), ops.sub(g, error, near));
    return ops.reduceSum(g, ops.mul(g, each, weight), [0, 1]);
  };
