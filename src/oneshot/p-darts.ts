/**
 * P-DARTS. Chen et al. 2019, arXiv:1904.12760, section 3: the search of first-order DARTS in three stages. Each trains a supernet of its own
 * from fresh weights: a deeper one, in which each choice keeps only the options that were strongest at the end of the stage before. In a
 * stage the weights learn alone at first; what comes out of a skip has dropout, at a rate that falls within the stage. The architecture
 * derived has at most two skips in a normal cell.
 *
 * The paper's stages have 5, 11 and 17 cells; here the last one has as many as the space, the others the same shares of it (5/17 and 11/17,
 * or as many as it takes for the same decisions). A space without an option `cells` has the same depth in all stages.
 *
 * Differs: dropout is of whole channels of a sample, not of single elements; the rate of the paper's 25 epochs is stretched over those
 * of a stage; gradients of the architecture are not clipped. Cost: each step computes all options that are left.
 */
import { z } from 'zod';
import { invalid, UserError } from '../common/errors.ts';
import { SKIP_DROPOUT } from '../network/mixture.ts';
import type { Space } from '../space/space.ts';
import { decisions } from '../space/tree/decisions.ts';
import { withSpaceOptions } from '../space/tree/define.ts';
import { supernet } from '../space/tree/resolve.ts';
import type { Checkpoint, EpochRecord } from '../train/checkpoint.ts';
import { TrainingFailure } from '../train/failure.ts';
import { costOptions } from './cost/settings.ts';
import { defineOneShot } from './definition.ts';
import { deriveCapped } from './genotype.ts';
import {
  type KeptOptions,
  largestOptions,
  modulesIn,
  overAllOptions,
  strongestOptions,
  withOptions,
} from './kept-options.ts';
import { describeWeights, type MixtureRequest, openMixtureSupernet } from './mixture.ts';
import { FIRST_ORDER } from './mixture-methods.ts';
import type { Supernet, SupernetRequest } from './supernet.ts';

const share = (value: number) => z.number().gt(0).max(1).default(value);
const rate = (value: number) => z.number().min(0).lt(1).default(value);
const schema = z.strictObject({
  operations2: z.int().min(2).default(5),
  operations3: z.int().min(2).default(3),
  depth1: share(5 / 17),
  depth2: share(11 / 17),
  skipDropout1: rate(0),
  skipDropout2: rate(0.4),
  skipDropout3: rate(0.7),
  skipCap: z.int().min(0).default(2),
  warmupShare: rate(0.4),
  archLearningRate: z.number().gt(0).max(1).default(6e-4),
  archWeightDecay: z.number().min(0).max(1).default(1e-3),
  ...costOptions,
});
export type ProgressiveOptions = z.infer<typeof schema>;

const PLACE = 'one-shot method "p-darts"';
const STAGES = 3;
/** How fast the rate of dropout falls, and the epochs of a stage that this is for. */
const [DECAY, PUBLISHED_EPOCHS] = [0.2, 25];
/** A weight for options that were dropped: below that of a skip which gives way (`deriveCapped`). */
const BELOW_ALL = -2;
/** Of a share of epochs. */
const ROUNDING = 1e-6;

/** What is known of a stage before the search. */
export interface Stage {
  /** Counted from 0; its first epoch too. */
  readonly number: number;
  readonly first: number;
  readonly epochs: number;
  /** The epochs at its beginning that train the weights alone. */
  readonly warmup: number;
  /** At most this many options of a choice are left. */
  readonly operations: number;
  /** Same decisions as the space of the search, and perhaps fewer cells. */
  readonly space: Space;
  /** The rate of dropout after skips at its begin. */
  readonly skipDropout: number;
}

/** The stages of a search; they share the epochs evenly. Throws UserError if there are fewer epochs than stages. */
export function stagesOf(space: Space, epochs: number, options: ProgressiveOptions): readonly Stage[] {
  if (epochs < STAGES)
    throw invalid(PLACE, `there are ${epochs} epochs`, `must be at least ${STAGES}, one for each stage`);
  const { operations2, operations3, depth1, depth2, skipDropout1, skipDropout2, skipDropout3 } = options;
  if (operations3 > operations2)
    throw invalid(
      PLACE,
      `option operations3 is ${operations3}`,
      `must be at most operations2, which is ${operations2}`,
    );
  if (depth1 > depth2) throw invalid(PLACE, `option depth1 is ${depth1}`, `must be at most depth2, which is ${depth2}`);
  const each = [
    { operations: Number.POSITIVE_INFINITY, depth: depth1, skipDropout: skipDropout1 },
    { operations: operations2, depth: depth2, skipDropout: skipDropout2 },
    { operations: operations3, depth: 1, skipDropout: skipDropout3 },
  ];
  return each.map(({ depth, ...own }, number) => {
    const [first, end] = [number, number + 1].map((n) => Math.ceil((n * epochs) / STAGES)) as [number, number];
    const warmup = Math.floor(options.warmupShare * (end - first));
    return { ...own, number, first, epochs: end - first, warmup, space: ofDepth(space, depth) };
  });
}

/** The space with this share of its cells, or with the least number above at which it has the same decisions. */
function ofDepth(space: Space, depth: number): Space {
  const { cells } = space.options;
  if (typeof cells !== 'number') return space;
  const wanted = JSON.stringify(decisions(space));
  for (let fewer = Math.max(1, Math.round(depth * cells)); fewer < cells; fewer++) {
    const found = withCells(space, fewer);
    if (found !== undefined && JSON.stringify(decisions(found)) === wanted) return found;
  }
  return space;
}

/** Undefined where the space cannot have so few. */
function withCells(space: Space, cells: number): Space | undefined {
  try {
    return withSpaceOptions(space, { cells });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The rate of dropout after skips in an epoch of a stage, counted from 0: it falls linearly in the warm-up, then exponentially. */
export function skipDropoutAt({ epochs, warmup, skipDropout }: Stage, epoch: number): number {
  if (epoch < warmup) return (skipDropout * (epochs - epoch - 1)) / epochs;
  return skipDropout * Math.exp((-DECAY * PUBLISHED_EPOCHS * (epoch - warmup)) / epochs);
}

/**
 * Opens the search of a space. Its epochs are those of all stages: the first epoch of a stage opens that stage's supernet and disposes of
 * the one before. Its tensors are those of the present stage; records name it, and have the weights of all options, 0 for those dropped.
 * Throws as `openMixtureSupernet`, and as `stagesOf`.
 */
export async function openProgressiveSupernet(
  { checkpoint, ...request }: SupernetRequest,
  options: ProgressiveOptions = schema.parse({}),
): Promise<Supernet> {
  const { space, settings } = request;
  const stages = stagesOf(space, settings.epochs, options);
  const history: EpochRecord[] = [...(checkpoint?.history ?? [])];
  const stageAt = (epoch: number) => stages.findLast(({ first }) => first <= epoch) as Stage;

  let stage = stageAt(Math.max(0, history.length - 1));
  let current = await openStage(stage, checkpoint);

  function openStage(one: Stage, from?: Checkpoint): Promise<Supernet> {
    const kept = keptOptions(space, stages.slice(0, one.number + 1), history);
    const own = history.slice(one.first).map((record, i) => ({ ...record, epoch: i + 1 }));
    return openMixtureSupernet({
      ...stageRequest(request, options, one, kept),
      ...(from && { checkpoint: { ...from, history: own } }),
    });
  }

  return {
    history,
    get batchSize() {
      return current.batchSize;
    },
    get stepsPerEpoch() {
      return current.stepsPerEpoch;
    },
    get memoryBytes() {
      return current.memoryBytes;
    },
    async epoch() {
      const wanted = stageAt(history.length);
      if (wanted !== stage) {
        await current.dispose();
        current = await openStage(wanted);
        stage = wanted;
      }
      const record = { ...(await current.epoch()), epoch: history.length + 1 };
      history.push(record);
      return record;
    },
    checkpoint: async () => ({ ...(await current.checkpoint()), history: [...history] }),
    measure: (samples) => current.measure(samples),
    dispose: () => current.dispose(),
  };
}

/** The supernet of one stage as a search by itself; `checkpoint` is that of the stage. */
function stageRequest(
  { checkpoint: _, ...request }: SupernetRequest,
  options: ProgressiveOptions,
  stage: Stage,
  kept: KeptOptions,
): MixtureRequest {
  const { space, settings } = request;
  const { number, first, epochs, warmup } = stage;
  const derived = deriveCapped(space, options.skipCap, 'normal');
  return {
    ...request,
    settings: { ...settings, epochs },
    network: withOptions(supernet(stage.space), kept),
    architecture: {
      ...{ learningRate: options.archLearningRate, weightDecay: options.archWeightDecay, warmup },
      ...{ costWeight: options.costWeight, limitWeight: options.limitWeight, costForm: options.costForm },
    },
    method: {
      step: FIRST_ORDER,
      choices: { kind: 'mixture', skipDropout: true },
      scalars: (progress) => ({ [SKIP_DROPOUT]: skipDropoutAt(stage, Math.floor(progress * epochs + ROUNDING)) }),
    },
    // A sample stays in its half.
    rng: (...labels) => (labels[0] === 'halves' ? request.rng(...labels) : request.rng('stage', number, ...labels)),
    describe(weights) {
      const genotype = derived(overAllOptions(space, weights, kept, BELOW_ALL));
      return { ...describeWeights(space, overAllOptions(space, weights, kept), genotype), stage: number + 1 };
    },
    onStep: (epoch, step, loss) => request.onStep?.(first + epoch, step, loss),
  };
}

/** The largest supernet that a search can come to, of one stage alone: by modules, and with the largest options that may be left. */
export async function openLargestStage(request: SupernetRequest, options: ProgressiveOptions): Promise<Supernet> {
  const largest = stagesOf(request.space, request.settings.epochs, options)
    .map((stage) => {
      const network = supernet(stage.space);
      const kept = largestOptions(network, stage.operations);
      return { stage, kept, modules: modulesIn(withOptions(network, kept)) };
    })
    .reduce((a, b) => (b.modules > a.modules ? b : a));
  return openMixtureSupernet(stageRequest(request, options, largest.stage, largest.kept));
}

/** What is left of each choice in the last of these stages, by the records at the ends of those before. */
function keptOptions(space: Space, stages: readonly Stage[], history: readonly EpochRecord[]): KeptOptions {
  return stages.slice(1).reduce<KeptOptions>((kept, { first, operations }) => {
    const weights = history[first - 1]?.mixture?.weights;
    if (weights === undefined) throw new TrainingFailure(`the checkpoint has no mixture weights of epoch ${first}`);
    return strongestOptions(space, weights, kept, operations);
  }, {});
}

export const pDarts = defineOneShot(
  {
    name: 'p-darts',
    description: 'DARTS in three stages of ever more cells and ever fewer options, with few skips (Chen et al. 2019).',
    finds: 'architecture',
  },
  schema,
  openProgressiveSupernet,
  { openLargest: openLargestStage },
);
