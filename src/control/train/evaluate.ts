import type { Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { Module } from '../../space/tree/module.ts';
import type { PolicyForm } from '../../task/control.ts';
import type { Measured } from '../../task/metrics.ts';
import { openPrograms } from '../../train/programs.ts';
import { joinTensors } from '../../train/vectors.ts';
import { actionSize, type Environment, observationSize } from '../environment.ts';
import { openActor } from './actor.ts';
import { distributionOf, largest } from './distribution.ts';
import { onEnvironment } from './on-environment.ts';
import { play } from './play.ts';
import { OBSERVATIONS, openScaler } from './scaler.ts';

/** Episodes that are played side by side. */
export const MOST_LANES = 64;

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
export async function evaluatePolicyNetwork(evaluation: PolicyEvaluation): Promise<Measured> {
  const { engine, network, environment, form, weights, samples, signal } = evaluation;
  const lanes = Math.max(1, Math.min(samples.count, MOST_LANES));
  const programs = openPrograms(engine, { keep: 0 });
  const { built, program, release } = await programs.inference(onEnvironment(network, environment, { form }), lanes);
  const state = engine.createState(joinTensors(built.vectors, weights));
  const scaler = openScaler(OBSERVATIONS, observationSize(environment.observation), weights);
  try {
    const actor = openActor(program, { states: built.states, state }, environment, lanes, scaler.scale);
    return { metrics: await play(environment, samples, actor, greedyActions(environment, form), signal) };
  } finally {
    state.dispose();
    await release();
  }
}
