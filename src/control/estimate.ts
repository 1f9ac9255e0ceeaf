/** Estimators of candidates in an environment: policies that a method trains, and genomes that need no training. */
import { UserError } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { estimateByTraining, loadCheckpoint } from '../estimate/by-training.ts';
import { type EstimateRun, type Estimator, TrialFailure } from '../estimate/estimator.ts';
import type { NeatSpace } from '../space/genome/neat.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Space } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve } from '../space/tree/resolve.ts';
import type { Checkpoint } from '../train/checkpoint.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { Programs } from '../train/programs.ts';
import type { Environment, Lanes } from './environment.ts';
import { type EpisodeRecording, recordEpisode } from './episodes.ts';
import { playGenome, writeAction } from './genome-episode.ts';
import { genomeNetwork } from './genome-network.ts';
import { episodeNumbers, meanOf, type PlayMetrics } from './train/play.ts';
import type { PolicyRequest, PolicyTraining } from './train/request.ts';
import { openPolicyTraining, type TrainerChoice } from './train/trainers.ts';

export interface PolicyEstimatorOptions {
  readonly engine: Engine;
  /** Where this engine's programs are kept from one candidate to the next. */
  readonly programs?: Programs;
  readonly environment: Environment;
  /** `epochs`: those of the fidelity take their place. */
  readonly training: TrainerChoice;
  /** Episodes that candidates are measured on, and by which the epoch is chosen whose weights count. */
  readonly valid: Samples;
}

/** Opens the training of a network in the study's environment: of a trial, or for good. */
export function openPolicy(
  { engine, programs, environment, training, valid }: PolicyEstimatorOptions,
  network: Module,
  epochs: number,
  run: Pick<PolicyRequest, 'rng' | 'signal'>,
  checkpoint: Checkpoint | undefined,
): Promise<PolicyTraining> {
  return openPolicyTraining(
    { ...training, epochs },
    {
      ...{ engine, network, environment, valid, ...run },
      ...(programs && { programs }),
      ...(checkpoint && { checkpoint }),
    },
  );
}

/** What a policy's own training, or its environment, is to blame for fails its trial alone. */
export function asTrialFailure(error: unknown): unknown {
  return error instanceof TrainingFailure || error instanceof UserError
    ? new TrialFailure(error.message, { cause: error })
    : error;
}

/**
 * Estimates a candidate by training it within the environment steps of its fidelity, and by greedy episodes that no training plays. The
 * metrics are those of the epoch with the largest return on these episodes, whose weights are kept. Every epoch is reported with a
 * checkpoint. Throws TrialFailure for a network that cannot be trained, and for what the environment answers.
 */
export function policyEstimator(options: PolicyEstimatorOptions): Estimator {
  return {
    async estimate({ space, architecture }, run) {
      run.signal.throwIfAborted();
      let training: PolicyTraining | undefined;
      try {
        const checkpoint =
          run.checkpoint === undefined ? undefined : await loadCheckpoint(run, run.checkpoint, 'it starts over');
        const network = resolve(space, architecture);
        const of = { rng: (...labels: readonly (string | number)[]) => run.rng(...labels), signal: run.signal };
        training = await openPolicy(options, network, run.fullFidelity.epochs, of, checkpoint);
        return await estimateByTraining(training, run);
      } catch (error) {
        throw asTrialFailure(error);
      } finally {
        await training?.dispose();
      }
    },
  };
}

/** Genomes in an environment, one after another: lanes are opened once, and a process with them. */
export interface GenomePlayer {
  /** Means over the episodes of these numbers. Throws UserError for a genome that is none, and for what the environment answers. */
  measure(architecture: unknown, samples: Samples, signal?: AbortSignal): Promise<PlayMetrics>;
  /** The episode of this number. */
  record(architecture: unknown, number: number): EpisodeRecording;
  close(): void;
}

export function genomePlayer(environment: Environment, space: NeatSpace): GenomePlayer {
  let lanes: Lanes | undefined;
  return {
    async measure(architecture, samples, signal) {
      const network = genomeNetwork(space.check(architecture), space.shape);
      lanes ??= environment.open(1);
      const played = [];
      for (const number of await episodeNumbers(samples)) {
        signal?.throwIfAborted();
        played.push(playGenome(network, lanes, environment.action, rng('episode', number)));
      }
      return meanOf(played);
    },
    record(architecture, number) {
      const network = genomeNetwork(space.check(architecture), space.shape);
      const act = (seen: Float32Array, actions: Float32Array) =>
        writeAction(environment.action, network.activate(seen), actions);
      return recordEpisode(environment, { act }, ['episode', number]);
    },
    close: () => lanes?.close(),
  };
}

/** Estimates genomes: nothing is trained, as they hold their weights. Throws TrialFailure for what the environment answers. */
export function genomeEstimator(
  environment: Environment,
  space: NeatSpace,
  valid: Samples,
): Estimator<Space | SearchSpace> {
  const player = genomePlayer(environment, space);
  return {
    async estimate({ architecture }, run: EstimateRun) {
      const began = performance.now();
      try {
        const metrics: Metrics = await player.measure(architecture, valid, run.signal);
        return { state: 'complete', metrics, curve: [], seconds: (performance.now() - began) / 1000 };
      } catch (error) {
        throw asTrialFailure(error);
      }
    },
  };
}
