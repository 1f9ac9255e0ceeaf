import { z } from 'zod';
import { bootstrapInterval, kendall } from '../common/correlation.ts';
import { invalid } from '../common/errors.ts';
import type { PROXY_METRICS } from '../common/metrics.ts';
import { checkOptions } from '../common/options.ts';
import { rng } from '../common/random.ts';
import type { Estimator } from '../estimate/estimator.ts';
import { type Predictor, predictorEstimator, trainPredictor } from '../estimate/predictor/predictor.ts';
import { proxyEstimator } from '../estimate/proxies/estimator.ts';
import type { ProxyName } from '../estimate/proxies/measure.ts';
import type { Table } from '../estimate/tabular/table.ts';
import { trainEstimator } from '../estimate/train.ts';
import type { Problem } from '../strategy/strategy.ts';
import type { Agreement } from '../study/agreement.ts';
import { isEstimated } from '../study/objectives.ts';
import { functionEstimator } from '../study/own-function.ts';
import { isOwnFile, type StudySettings } from '../study/spec.ts';
import type { EarlierTrial } from '../study/store/store.ts';
import { openPrograms } from '../train/programs.ts';
import { modelTools, openEngine } from './engine.ts';
import { memoryOfPrograms } from './memory.node.ts';
import { ownEstimator, ownJudge } from './own-files.ts';
import type { Setup } from './setup.ts';

const proxies = z.strictObject({
  /** Training samples that gradients and activations are taken on. */
  batchSize: z.int().min(2).max(100_000).default(64),
  /** Random architectures that `freerea` is normalised by. */
  sample: z.int().min(2).max(10_000).default(64),
});
const predictor = z.strictObject({
  model: z.enum(['forest', 'gaussian-process', 'mlp-ensemble']).default('forest'),
  features: z.enum(['graph', 'path', 'one-hot']).default('graph'),
});

/** What a study's trials are estimated by, as its settings say. */
export type EstimatorPlan =
  | { readonly kind: 'train' }
  | {
      readonly kind: 'proxies';
      readonly proxies: readonly ProxyName[];
      readonly batchSize: number;
      readonly freereaSample: number;
    }
  | ({ readonly kind: 'predictor'; readonly metric: string } & z.infer<typeof predictor>)
  /** Of a file that the command line names. */
  | { readonly kind: 'own' }
  /** By a function of the program that uses Netsmith as a library, in its process. */
  | { readonly kind: 'function' }
  /** Looked up in a table, in the study's own process (`runOnTable`). */
  | { readonly kind: 'table'; readonly table: Table };

/** Throws UserError for an option that the estimator does not have, and for settings that mean nothing to one that trains nothing. */
export function estimatorOf(settings: StudySettings, { objectives }: Problem, table?: Table): EstimatorPlan {
  if (table !== undefined) return { kind: 'table', table };
  const { estimator, estimatorOptions } = settings;
  const checked = <T>(schema: z.ZodType<T>) => checkOptions('--estimator-options', schema, estimatorOptions);
  const estimated = objectives.filter(isEstimated).map(({ metric }) => metric);
  if (isOwnFile(estimator)) return { kind: 'own' };
  if (estimator !== 'train') checkTrainless(settings);
  switch (estimator) {
    case 'train':
      checked(z.strictObject({}));
      return { kind: 'train' };
    case 'proxies': {
      const { batchSize, sample } = checked(proxies);
      const combined = estimated.includes('freerea');
      if (!combined && estimatorOptions.sample !== undefined)
        throw invalid('--estimator-options', `sample=${sample}`, 'only applies to the objective freerea');
      return {
        kind: 'proxies',
        proxies: estimated.filter((name) => name !== 'freerea') as Exclude<keyof typeof PROXY_METRICS, 'freerea'>[],
        batchSize,
        freereaSample: combined ? sample : 0,
      };
    }
    case 'function':
      checked(z.strictObject({}));
      return { kind: 'function' };
    default:
      return { kind: 'predictor', metric: estimated[0] ?? '', ...checked(predictor) };
  }
}

/** What only a training has. Strategies of rising fidelity are refused with the problem (`problemOf`). */
function checkTrainless({ estimator, stopping, confirm, dataShare, resolution, width }: StudySettings): void {
  const nothing = `cannot be used with --estimator ${estimator}, because nothing is trained`;
  if (stopping !== 'none') throw invalid('--stopping', stopping, nothing);
  if (confirm > 0) throw invalid('--confirm', String(confirm), nothing);
  for (const [flag, share] of Object.entries({
    '--data-share': dataShare,
    '--resolution': resolution,
    '--width': width,
  }))
    if (share !== 1) throw invalid(flag, String(share), nothing);
}

/** The estimator of a worker of this study. `earlier`: what the study began with. */
export async function openEstimator(
  setup: Setup,
  memoryBytes: number,
  earlier: readonly EarlierTrial[],
): Promise<Estimator> {
  const {
    settings,
    estimator,
    dataset: { search: data },
  } = setup;
  switch (estimator.kind) {
    case 'train': {
      const engine = await openEngine(settings, settings.workers);
      const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) });
      return trainEstimator({ engine, programs, data, settings: setup.training });
    }
    case 'proxies': {
      const { kind, ...options } = estimator;
      return proxyEstimator({
        engine: await openEngine(settings, settings.workers),
        data,
        ...options,
        seed: settings.seed,
      });
    }
    case 'predictor':
      return predictorEstimator(await learn(setup, estimator, earlier), estimator.metric);
    case 'own': {
      if (setup.own.estimator === undefined)
        throw new Error('the study needs its estimator file, and no file was given');
      const definition = await ownEstimator(setup.own.estimator);
      let engine: ReturnType<typeof openEngine> | undefined;
      const context = {
        ...{ space: setup.space, data, training: setup.training, objectives: setup.problem.objectives },
        ...{ seed: settings.seed, memoryBytes },
        engine() {
          engine ??= openEngine(settings, settings.workers);
          return engine;
        },
      };
      return definition.open(context, settings.estimatorOptions);
    }
    case 'function':
      if (setup.own.judge === undefined) throw new Error('a function of the program needs no worker processes');
      return functionEstimator(await ownJudge(setup.own.judge));
    case 'table':
      throw new Error('a table needs no worker processes');
  }
}

type PredictorPlan = EstimatorPlan & { readonly kind: 'predictor' };

/** Fewer trials to be ranked say nothing. */
const LEAST_RANKED = 4;

/**
 * How a predictor that learns from every other of the earlier trials ranks the rest; undefined where they are too few to tell. Throws
 * UserError where there is too little to learn from.
 */
export async function tryPredictor(
  setup: Setup,
  plan: PredictorPlan,
  earlier: readonly EarlierTrial[],
): Promise<Agreement | undefined> {
  if (earlier.length === 0)
    throw invalid(
      '--estimator',
      '"predictor"',
      'the predictor learns from earlier studies: name at least one with --prior',
    );
  await learn(setup, plan, earlier);
  const valueIn = ({ metrics }: EarlierTrial) => metrics[plan.metric] ?? Number.NaN;
  const shown = earlier.filter((_, i) => i % 2 === 0);
  const others = earlier.filter((_, i) => i % 2 === 1);
  if (new Set(shown.map(valueIn)).size < 2 || others.length < LEAST_RANKED) return undefined;
  const predict = await learn(setup, plan, shown);
  const predicted = others.map(({ architecture }) => predict(architecture).mean);
  const measured = others.map(valueIn);
  const tau = kendall(predicted, measured);
  if (!Number.isFinite(tau)) return undefined;
  return {
    estimate: 'a predictor of half the earlier trials',
    truth: 'the other half',
    pairs: others.length,
    tau,
    interval: bootstrapInterval(kendall, predicted, measured),
  };
}

function learn(
  { space, settings }: Setup,
  { metric, model, features }: PredictorPlan,
  earlier: readonly EarlierTrial[],
): Promise<Predictor> {
  const known = earlier.map(({ architecture, metrics }) => ({ architecture, value: metrics[metric] ?? Number.NaN }));
  return trainPredictor(space, known, { model, features }, rng(settings.seed, 'predictor'), modelTools());
}
