/**
 * Signs of known failures where a step trains one path: the effective rank of the features of a few fixed paths, and how far a training step
 * on one of them moves the loss of another. Cost, an epoch: two training steps and one forward pass for each path, `PATH_SHARE` of
 * the epoch; at least two paths. A copy of the state is there meanwhile.
 */
import type { Rng } from '../common/random.ts';
import { part } from '../data/samples.ts';
import type { Feeds, Program } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { RandomInput } from '../network/network.ts';
import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { sample } from '../space/tree/vary.ts';
import { noiseFor } from '../train/batch-steps.ts';
import type { TrainingBatches } from '../train/batches.ts';
import type { Guards } from '../train/checkpoint.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { effectiveRank } from './effective-rank.ts';
import { scalars } from './mixture-methods.ts';
import type { PathMeter } from './path-meter.ts';
import type { AfterEpoch, SupernetRequest } from './supernet.ts';

/** The part of an epoch's steps that may be spent, and the paths that are watched. */
const PATH_SHARE = 0.05;
const [LEAST_PATHS, MOST_PATHS] = [2, 4];

/** How many paths are watched, by the number of steps in an epoch. */
export function watchedPaths(stepsPerEpoch: number): number {
  return Math.min(MOST_PATHS, Math.max(LEAST_PATHS, Math.floor((PATH_SHARE / 2) * stepsPerEpoch)));
}

/** What trains a path. */
export interface PathSteps {
  /** The step of the weights, and what chooses its path. */
  readonly program: Program;
  readonly built: {
    readonly randomInputs: readonly RandomInput[];
    feedsOf(architecture: Architecture): Record<string, HostTensor>;
  };
  readonly batches: TrainingBatches;
  readonly stepsPerEpoch: number;
  readonly meter: Pick<PathMeter, 'batchSize' | 'features'>;
  /** Options of decisions that an architecture may lack although the supernet chooses them. */
  further?(random: Rng): Architecture;
}

/** What takes these guards after each epoch. */
export async function watchPaths(
  request: SupernetRequest,
  { program, built, batches, stepsPerEpoch, meter, further }: PathSteps,
) {
  const { engine, space, settings, signal, valid } = request;
  const streams: SupernetRequest['rng'] = (...labels) => request.rng('guards', ...labels);
  const paths = differentPaths(watchedPaths(stepsPerEpoch), (i) => ({
    ...further?.(streams('further', i)),
    ...sample(space, streams('path', i)),
  }));
  const batch = structuredClone(await batches.epoch(0, streams).prepare());
  // Growing drop path drops nothing (progress 0).
  const noise = noiseFor(built.randomInputs, streams('noise'), 0)();
  const feeds = paths.map((path): Feeds => ({ ...batch, ...noise, ...built.feedsOf(path) }));
  const order = streams('samples').shuffle(Array.from({ length: valid?.count ?? 0 }, (_, i) => i));
  const samples = valid && part(valid, Int32Array.from(order.slice(0, meter.batchSize)));

  /** With the optimizer as it is, but always at the learning rate of the settings, so that epochs can be compared. */
  async function interference({ state, history }: AfterEpoch): Promise<Guards['interference']> {
    if (paths.length < 2) return undefined;
    const number = (history.length + 1) * stepsPerEpoch + 1;
    const step = scalars(optimizerOf(settings).scalars(settings.learningRate, number));
    const entries = await state.read();
    const [before, after]: [number[], number[]] = [[], []];
    for (const [i, own] of feeds.entries()) {
      signal?.throwIfAborted();
      const next = (i + 1) % feeds.length;
      const copy = engine.createState(entries);
      // A step returns the loss from before its update.
      const lossOf = async (one: Feeds) => (await program.run({ ...one, ...step }, copy)).loss?.data[0] ?? Number.NaN;
      try {
        before[i] = await lossOf(own);
        after[next] = await lossOf(feeds[next] ?? own);
      } finally {
        copy.dispose();
      }
    }
    const changes = before.map((loss, i) => (after[i] ?? Number.NaN) / loss - 1);
    if (!changes.every(Number.isFinite)) return undefined;
    return { pairs: changes.length, change: mean(changes), magnitude: mean(changes.map(Math.abs)) };
  }

  /** The mean over the paths. */
  async function rank({ state }: AfterEpoch): Promise<Guards['effectiveRank']> {
    const found: { readonly value: number; readonly of: number }[] = [];
    for (const [i, path] of paths.entries()) {
      signal?.throwIfAborted();
      const features = samples && (await meter.features(state, path, samples, streams('features', i)));
      const one = features && effectiveRank(features);
      if (one !== undefined) found.push(one);
    }
    const [first] = found;
    return first && { value: mean(found.map(({ value }) => value)), of: first.of };
  }

  return async (epoch: AfterEpoch): Promise<Guards> => {
    const [moved, used] = [await interference(epoch), await rank(epoch)];
    return { ...(used && { effectiveRank: used }), ...(moved && { interference: moved }) };
  };
}

/** As many as there are, if they are fewer; drawn at most 20 times as often. */
function differentPaths(count: number, draw: (i: number) => Architecture): readonly Architecture[] {
  const found = new Map<string, Architecture>();
  for (let i = 0; i < 20 * count && found.size < count; i++) {
    const path = draw(i);
    found.set(architectureKey(path), path);
  }
  return [...found.values()];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
