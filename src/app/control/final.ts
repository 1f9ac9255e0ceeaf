/** Final trainings of policies, and tests of genomes: both play episodes that the search has never seen. */

import { rng } from '../../common/random.ts';
import { asTrialFailure, genomePlayer, openPolicy } from '../../control/estimate.ts';
import { evaluatePolicyNetwork, recordPolicyEpisode } from '../../control/train/evaluate.ts';
import type { PolicyTraining } from '../../control/train/request.ts';
import { formOf } from '../../control/train/trainers.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { estimateByTraining, loadCheckpoint } from '../../estimate/by-training.ts';
import type { Estimator } from '../../estimate/estimator.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { hasPicture, type ShownEpisode, shownEpisode } from '../../report/figures/episode.ts';
import { showCount } from '../../report/numbers.ts';
import { isNeatSpace } from '../../space/genome/neat.ts';
import { resolve } from '../../space/index.ts';
import type { SearchSpace } from '../../space/search-space.ts';
import type { Space } from '../../space/space.ts';
import type { Module } from '../../space/tree/module.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import type { Programs } from '../../train/programs.ts';
import { type Setup, treeOf } from '../setup.ts';
import { FIRST_TEST, type OpenedEnvironment, testEpisodes } from './environment.ts';

/** What a policy learns from: the words of reports, messages and model cards. */
export function learnedFrom({ control }: Pick<Setup, 'control'>): string | undefined {
  if (control === undefined) return undefined;
  return control.training === undefined ? 'evolution' : `${showCount(control.training.envSteps)} environment steps`;
}

/** A study whose policies are trained. */
export interface TrainedControl extends OpenedEnvironment {
  readonly training: NonNullable<OpenedEnvironment['training']>;
}

export const isTrained = (control: Setup['control']): control is TrainedControl => control?.training !== undefined;

export interface FinalPolicyRun {
  readonly engine: Engine;
  readonly programs: Programs;
  readonly epochs: number;
  /** With the study's seed it names every random stream. */
  readonly repetition: number;
  readonly signal?: AbortSignal | undefined;
  readonly checkpoint?: Checkpoint | undefined;
}

/** Opens a training from scratch of a policy, by streams of its own. */
export function openFinalPolicy(
  { settings, dataset }: Pick<Setup, 'settings' | 'dataset'>,
  { environment, training }: TrainedControl,
  network: Module,
  { engine, programs, epochs, repetition, signal, checkpoint }: FinalPolicyRun,
): Promise<PolicyTraining> {
  return openPolicy(
    { engine, programs, environment, training, valid: dataset.search.valid },
    network,
    epochs,
    {
      rng: (...labels) => rng(settings.seed, 'evaluate', repetition, ...labels),
      ...(signal && { signal }),
    },
    checkpoint,
  );
}

/** Return, success, steps and fitness of a policy with these weights over the test episodes. */
export function testPolicy(
  { environment, training }: TrainedControl,
  network: Module,
  weights: Readonly<Record<string, HostTensor>>,
  engine: Engine,
  samples: Samples,
  signal?: AbortSignal,
) {
  const form = formOf(training.trainer);
  return evaluatePolicyNetwork({ engine, network, environment, form, weights, samples, ...(signal && { signal }) });
}

/** `keep` stores the weights of a training and an episode, and returns the artifacts that name them. */
export function finalControlEstimator(
  setup: Setup,
  control: OpenedEnvironment,
  engine: Engine,
  programs: Programs,
  keep: (
    run: Parameters<Estimator['estimate']>[1],
    weights: Readonly<Record<string, HostTensor>> | undefined,
    episode: ShownEpisode | undefined,
  ) => Promise<Readonly<Record<string, string>>>,
): Estimator<Space | SearchSpace> {
  const { space } = setup;
  const isDrawn = hasPicture(control.environment.name);
  const player = isNeatSpace(space) ? genomePlayer(control.environment, space) : undefined;
  return {
    async estimate({ architecture }, run) {
      const { final } = run;
      if (final === undefined) throw new Error('only final trainings may play test episodes');
      const began = performance.now();
      let training: PolicyTraining | undefined;
      try {
        if (player !== undefined) {
          const metrics = await player.measure(architecture, testEpisodes(setup, final.repetition), run.signal);
          const seconds = (performance.now() - began) / 1000;
          const episode = isDrawn ? shownEpisode(player.record(architecture, FIRST_TEST)) : undefined;
          return { state: 'complete', metrics, curve: [], seconds, artifacts: await keep(run, undefined, episode) };
        }
        if (!isTrained(control)) throw new Error('policies are trained');
        const checkpoint =
          run.checkpoint === undefined ? undefined : await loadCheckpoint(run, run.checkpoint, 'it starts over');
        const network = resolve(treeOf(setup), architecture);
        const of = { engine, programs, ...final, signal: run.signal, checkpoint };
        training = await openFinalPolicy(setup, control, network, of);
        const { checkpoint: _, ...evaluation } = await estimateByTraining(training, run);
        if (evaluation.state !== 'complete') return evaluation;
        const weights = await training.weights();
        const test = testEpisodes(setup, 0);
        const { metrics } = await testPolicy(control, network, weights, engine, test, run.signal);
        const played = {
          engine,
          network,
          environment: control.environment,
          form: formOf(control.training.trainer),
          weights,
        };
        const episode = isDrawn ? shownEpisode(await recordPolicyEpisode(played, FIRST_TEST)) : undefined;
        return { ...evaluation, metrics, artifacts: await keep(run, weights, episode) };
      } catch (error) {
        throw asTrialFailure(error);
      } finally {
        await training?.dispose();
      }
    },
  };
}

/** What the result of a final training depends on, besides what any has. */
export function identityOfControl({ control, settings }: Setup) {
  if (control === undefined) return undefined;
  const { environment, episodes, recurrent } = settings;
  return { environment, episodes, recurrent, ...control.training };
}
