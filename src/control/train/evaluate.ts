import type { Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { Module } from '../../space/tree/module.ts';
import type { PolicyForm } from '../../task/environment.ts';
import type { Measured } from '../../task/metrics.ts';
import { openPrograms } from '../../train/programs.ts';
import { joinTensors } from '../../train/vectors.ts';
import { actionSize, type Environment, observationSize } from '../environment.ts';
import { type EpisodeRecording, openRecorder } from '../episodes.ts';
import { type Actor, openActor } from './actor.ts';
import { distributionOf, largest } from './distribution.ts';
import { onEnvironment } from './on-environment.ts';
import { play } from './play.ts';
import { OBSERVATIONS, openScaler } from './scaler.ts';

/** Episodes that are played side by side. */
const MOST_LANES = 64;

/** The lanes that this number of episodes is played in. */
export function lanesFor({ mostLanes = MOST_LANES }: Environment, episodes: number): number {
  return Math.max(1, Math.min(episodes, mostLanes, MOST_LANES));
}

/** Writes the greedy action of a lane: the most probable one, or the one of the largest value. */
export function greedyActions({ action }: Environment, form: PolicyForm) {
  const width = actionSize(action);
  const distribution = distributionOf(action);
  const each = form === 'actor-critic' ? distribution.outputs + 1 : distribution.outputs;
  return (outputs: Float32Array, lane: number, actions: Float32Array): void => {
    if (form === 'action-values') {
      actions[lane] = largest(outputs, lane * each, each);
      return;
    }
    distribution.greedy(outputs, lane * each, actions, lane * width);
    distribution.toAction(actions, lane * width);
  };
}

export interface PolicyEvaluation {
  readonly engine: Engine;
  /** Without open choices. */
  readonly network: Module;
  readonly environment: Environment;
  readonly form: PolicyForm;
  /** As `PolicyTraining.weights` gives them. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** `episodes`. */
  readonly samples: Samples;
  readonly signal?: AbortSignal;
}

/**
 * Return, success and steps of a trained policy: means over episodes, by greedy actions. Throws TrainingFailure when the network cannot be
 * built on the environment.
 */
export function evaluatePolicyNetwork(evaluation: PolicyEvaluation): Promise<Measured> {
  const { environment, form, samples, signal } = evaluation;
  const lanes = lanesFor(environment, samples.count);
  return withActor(evaluation, lanes, async (actor) => ({
    metrics: await play(environment, samples, actor, greedyActions(environment, form), signal),
  }));
}

/** Records episode `number` of a trained policy, by greedy actions. Throws as `evaluatePolicyNetwork`. */
export function recordPolicyEpisode(
  evaluation: Omit<PolicyEvaluation, 'samples'>,
  number: number,
): Promise<EpisodeRecording> {
  const { environment, form, signal } = evaluation;
  return withActor(evaluation, 1, async (actor) => {
    const choose = greedyActions(environment, form);
    const recorder = openRecorder(environment, ['episode', number]);
    try {
      const actions = new Float32Array(actionSize(environment.action));
      while (recorder.runs()) {
        signal?.throwIfAborted();
        choose(await actor.act(recorder.observations), 0, actions);
        recorder.take(actions);
      }
      return recorder.recording();
    } finally {
      recorder.close();
    }
  });
}

async function withActor<T>(
  { engine, network, environment, form, weights }: Omit<PolicyEvaluation, 'samples'>,
  lanes: number,
  use: (actor: Actor) => Promise<T>,
): Promise<T> {
  const programs = openPrograms(engine, { keep: 0 });
  const { built, program, release } = await programs.inference(onEnvironment(network, environment, { form }), lanes);
  const state = engine.createState(joinTensors(built.vectors, weights));
  const scaler = openScaler(OBSERVATIONS, observationSize(environment.observation), weights);
  try {
    return await use(openActor(program, { states: built.states, state }, environment, lanes, scaler.scale));
  } finally {
    state.dispose();
    await release();
  }
}
