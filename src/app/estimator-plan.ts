import { z } from 'zod';
import { invalid } from '../common/errors.ts';
import type { PROXY_METRICS } from '../common/metrics.ts';
import { options } from '../common/options.ts';
import type { ProxyName } from '../estimate/proxies/measure.ts';
import type { Table } from '../estimate/tabular/table.ts';
import type { OneShotDefinition } from '../oneshot/definition.ts';
import { ONE_SHOT } from '../oneshot/index.ts';
import {
  ARCHITECTURE_METHODS,
  isArchitectureMethod,
  oneShotOf,
  WEIGHT_METHODS,
  type WeightMethod,
} from '../oneshot/names.ts';
import type { Problem } from '../strategy/strategy.ts';
import { isOfGenomes } from '../study/control-settings.ts';
import { isEstimated } from '../study/objectives.ts';
import { isOwnFile, type StudySettings } from '../study/spec.ts';
import { checkDeviceLimits, costsNamed } from './device/cost-goals.ts';

const proxies = z.strictObject({
  /** Training samples that gradients and activations are taken on. */
  batchSize: z.int().min(2).max(100_000).default(64),
  /** Random architectures that `freerea` is normalized by. */
  sample: z.int().min(2).max(10_000).default(64),
  /** Seconds that trainings will have: `freerea` is weighed by the steps that fit. 0: it is not. */
  trainSeconds: z.number().min(0).max(1e7).default(0),
});
const predictor = z.strictObject({
  model: z.enum(['forest', 'gaussian-process', 'mlp-ensemble', 'graph-network']).default('forest'),
  features: z.enum(['graph', 'path', 'one-hot']).default('graph'),
});

/** What a study's trials are estimated by, as its settings say. */
export type EstimatorPlan =
  | { readonly kind: 'train' }
  /** Genomes, which hold their weights, play the episodes of the validation. */
  | { readonly kind: 'played' }
  | {
      readonly kind: 'proxies';
      readonly proxies: readonly ProxyName[];
      readonly batchSize: number;
      readonly freereaSample: number;
      readonly trainSeconds?: number;
    }
  | ({ readonly kind: 'predictor'; readonly metric: string } & z.infer<typeof predictor>)
  /** Measured with the weights of a supernet that this one-shot method trains. */
  | { readonly kind: 'shared'; readonly method: WeightMethod }
  /** An estimator from a file that the command line names. */
  | { readonly kind: 'own' }
  /** By a function of the program that uses Netsmith as a library, in its process. */
  | { readonly kind: 'function' }
  /** Looked up in a table, in the study's own process (`runOnTable`). */
  | { readonly kind: 'table'; readonly table: Table };

/** Throws UserError for an option that the estimator does not have, and for settings that have no effect where nothing is trained. */
export function estimatorOf(settings: StudySettings, { objectives, limits }: Problem, table?: Table): EstimatorPlan {
  if (table !== undefined) return { kind: 'table', table };
  const { estimator, estimatorOptions } = settings;
  const checked = <T>(schema: z.ZodType<T>) => options(schema, estimatorOptions, '--estimator-options');
  const estimated = objectives.filter(isEstimated).map(({ metric }) => metric);
  checkOneShot(settings);
  checkCostOptions(settings, { objectives, limits });
  if (isOwnFile(estimator)) return { kind: 'own' };
  const method = WEIGHT_METHODS.find((name) => name === estimator);
  if (method !== undefined) {
    ONE_SHOT[method].check(estimatorOptions);
    checkShared(settings);
    return { kind: 'shared', method };
  }
  if (estimator !== 'train') checkTrainless(settings);
  switch (estimator) {
    case 'train':
      checked(z.strictObject({}));
      return isOfGenomes(settings) ? { kind: 'played' } : { kind: 'train' };
    case 'proxies': {
      const { batchSize, sample, trainSeconds } = checked(proxies);
      const combined = estimated.includes('freerea');
      for (const [name, value] of Object.entries({ sample, trainSeconds }))
        if (!combined && estimatorOptions[name] !== undefined)
          throw invalid('--estimator-options', `${name}=${value}`, 'only applies to the objective freerea');
      return {
        kind: 'proxies',
        proxies: estimated.filter((name) => name !== 'freerea') as Exclude<keyof typeof PROXY_METRICS, 'freerea'>[],
        batchSize,
        freereaSample: combined ? sample : 0,
        ...(trainSeconds > 0 && { trainSeconds }),
      };
    }
    case 'function':
      checked(z.strictObject({}));
      return { kind: 'function' };
    default:
      return { kind: 'predictor', metric: estimated[0] ?? '', ...checked(predictor) };
  }
}

/** Throws UserError for settings that do not go together with a supernet, or that need one. */
function checkOneShot({
  strategy,
  strategyOptions,
  startFrom,
  estimator,
  stopping,
  handDesigned,
  supernetEpochs,
  supernetSamples,
}: StudySettings): void {
  if (startFrom === 'supernet') checkStart(strategy, strategyOptions);
  const method = oneShotOf({ strategy, estimator });
  for (const [flag, value] of Object.entries({
    '--supernet-epochs': supernetEpochs,
    '--supernet-samples': supernetSamples,
  }))
    if (method === undefined && value !== undefined)
      throw invalid(flag, String(value), `only applies to one-shot methods: ${Object.keys(ONE_SHOT).join(', ')}`);
  if (method === undefined || method !== strategy) return;
  const refuse = (flag: string, found: string) =>
    invalid(flag, found, `cannot be used with --strategy ${strategy}, which trains the architecture that it finds`);
  if (estimator !== 'train') throw refuse('--estimator', `"${estimator}"`);
  if (stopping !== 'none') throw refuse('--stopping', stopping);
  if (handDesigned !== undefined) throw refuse('--hand-designed', handDesigned.join(','));
}

/** Options of one-shot methods that say how much costs count, and what must be there for them to count. */
const COST_OPTIONS = {
  costWeight: 'objective',
  costExponent: 'objective',
  limitWeight: 'limit',
  limitExponent: 'limit',
} as const;

/** Throws UserError for a weight of costs where the study names none. */
function checkCostOptions(settings: StudySettings, problem: Pick<Problem, 'objectives' | 'limits'>): void {
  const { strategy, strategyOptions } = settings;
  if (!isArchitectureMethod(strategy)) return;
  checkDeviceLimits(settings);
  const { objectives, limits } = costsNamed(settings, problem);
  for (const [name, kind] of Object.entries(COST_OPTIONS)) {
    const value = strategyOptions[name];
    const counts = (kind === 'limit' ? limits : objectives).length > 0;
    if (value === undefined || counts) continue;
    const rule =
      kind === 'limit' ? 'a limit: --max-flops N' : 'a cost among the objectives: --objective accuracy,flops';
    throw invalid('--strategy-options', `${name}=${value}`, `only applies with ${rule}`);
  }
}

/** Throws UserError where no supernet has the weights of the architecture that is trained. */
function checkStart(strategy: string, options: StudySettings['strategyOptions']): void {
  const refuse = (rule: string) => invalid('--start-from', '"supernet"', rule);
  if (!isArchitectureMethod(strategy))
    throw refuse(`only applies to strategies that train what a supernet derives: ${ARCHITECTURE_METHODS.join(', ')}`);
  const method: OneShotDefinition = ONE_SHOT[strategy];
  const other = method.otherShapes?.(options);
  if (other !== undefined) throw refuse(`cannot be used with --strategy ${strategy}, ${other}`);
}

/** What only trainings of candidates have; the supernet is trained, and what is confirmed. */
function checkShared({ estimator, stopping, trialTime, width }: StudySettings): void {
  const nothing = `cannot be used with --estimator ${estimator}, because candidates are not trained`;
  if (stopping !== 'none') throw invalid('--stopping', stopping, nothing);
  if (trialTime !== undefined) throw invalid('--trial-time', trialTime, nothing);
  if (width !== 1) throw invalid('--width', String(width), nothing);
}

/** What only a training has. Strategies of rising fidelity are refused with the problem (`problemOf`). */
function checkTrainless(settings: StudySettings): void {
  const { estimator, stopping, confirm, dataShare, resolution, width, trialTime, validSamples } = settings;
  const nothing = `cannot be used with --estimator ${estimator}, because nothing is trained`;
  if (stopping !== 'none') throw invalid('--stopping', stopping, nothing);
  // Of the best that a predictor finds, trainings have the same metrics; `problemOf` says how they are trained.
  if (confirm > 0 && estimator !== 'predictor') throw invalid('--confirm', String(confirm), nothing);
  if (trialTime !== undefined) throw invalid('--trial-time', trialTime, nothing);
  if (validSamples > 0) throw invalid('--valid-samples', String(validSamples), nothing);
  for (const [flag, share] of Object.entries({
    '--data-share': dataShare,
    '--resolution': resolution,
    '--width': width,
  }))
    if (share !== 1) throw invalid(flag, String(share), nothing);
}
