import type { Dataset, DatasetInfo } from '../data/dataset.ts';
import { oneShotOf } from '../oneshot/names.ts';
import { showSeconds } from '../report/numbers.ts';
import type { SpaceDefinition } from '../space/index.ts';
import type { RunTime } from '../study/plan.ts';
import { parseDuration } from '../study/quantities.ts';
import { isOwnFile, type StudySettings, trainsTrials } from '../study/spec.ts';
import { isEnough, planTime, type TimePlan } from '../study/time-plan.ts';
import { recipeFor } from '../train/recipe.ts';
import { measureLeading } from './leading-network.ts';
import type { Notes } from './notes.ts';
import type { OwnFiles } from './own-files.ts';
import { rateText } from './plan-rate.ts';
import { checkNames, checkStart, openData } from './setup.ts';
import { fidelitiesOf } from './strategies.ts';

/** A run whose time is planned: its settings, and the data that it was planned by. */
export interface PlannedRun {
  readonly settings: StudySettings;
  readonly dataset: Dataset;
  /** What the study stores of the plan. */
  readonly time: RunTime;
  /** Of the supernet of a one-shot method. */
  readonly supernetSeconds?: number;
}

/** Passes over images that more time would not be used for. */
const MOST_PASSES = 200;
/**
 * A training on a table or on sequences sees this many samples in all, in 10 to 60 passes: more are worse (docs/recipes.md). Classes are
 * learned by heart sooner than numbers.
 */
const MOST_SAMPLES = { classification: 250_000, other: 500_000 };

/** Small sets of texts are learned by heart in a few passes. */
const MOST_TEXT_PASSES = 20;

function mostPassesOf({ kind, input, counts }: DatasetInfo): number {
  if (input.length === 3) return MOST_PASSES;
  if (kind === 'text') return MOST_TEXT_PASSES;
  const samples = MOST_SAMPLES[kind === 'classification' ? kind : 'other'];
  return Math.min(60, Math.max(10, Math.round(samples / counts.train)));
}

/** Epochs that more time would not be used for. */
export function mostEpochsOf(info: DatasetInfo, epochSamples: number): number {
  const passes = mostPassesOf(info);
  return epochSamples === 0 ? passes : Math.max(1, Math.round((passes * info.counts.train) / epochSamples));
}

/** Whether `run` plans the time of a study of these settings: its trials must be trainings. */
export function isPlannable(settings: StudySettings): boolean {
  return settings.time !== undefined && settings.environment === undefined && trainsTrials(settings);
}

/** Whether trials differ in how long they train: a strategy of rising fidelity gives each its epochs. */
function isRising({ strategy, strategyOptions, epochs }: StudySettings): boolean {
  const full = { epochs, data: 1, resolution: 1, width: 1 };
  return !isOwnFile(strategy) && fidelitiesOf(strategy, strategyOptions, full).length > 1;
}

/** A full trial of a strategy of rising fidelity may take as long as this many usual ones. */
const FULL_TRIAL = 3;

/**
 * Opens the data, measures how fast a hand-designed network trains here, and plans the time of the whole command by that. Settings that
 * are not `given` follow from data and time. `elapsed`: seconds of the command so far. Throws UserError where not even one training fits.
 */
export async function planRun(
  settings: StudySettings,
  given: Partial<StudySettings>,
  definition: SpaceDefinition,
  own: OwnFiles,
  notes: Notes,
  elapsed: () => number,
): Promise<PlannedRun> {
  const before = elapsed();
  const dataset = await openData(settings, own, {});
  // On a busy machine a worker process starts about as slowly as this one has.
  const slowness = Math.max(1, before / START_SECONDS);
  const startSeconds = slowness * START_SECONDS + (elapsed() - before);
  checkNames(settings, definition, dataset);
  await checkStart(settings, definition, dataset);
  const { info } = dataset.search;
  const unless = (names: Partial<StudySettings>): Partial<StudySettings> =>
    Object.fromEntries(Object.entries(names).filter(([name]) => !(name in given)));
  const recipe = recipeFor(info, settings.epochs);
  // Averaged SGD has an average of its own.
  const usual = { ...definition.training, ...(settings.optimizer === 'asgd' && { weightAverage: 0 }) };
  const first: StudySettings = { ...settings, ...unless({ ...recipe.settings, ...usual }) };
  const seconds = parseDuration(settings.time ?? '') ?? 0;
  const batchSize = Math.min(first.batchSize, info.counts.train);
  const fixed = { batchSize, mostPasses: mostPassesOf(info), train: info.counts.train };
  const speed = 1 + THREAD * (settings.workers - 1);
  const { names, forecast, rates } = await measureLeading(first, definition, dataset, {
    suffices: ({ sampleSeconds }) => isEnough(speed * FINAL_SHARE * (seconds - elapsed()), { ...fixed, sampleSeconds }),
    probeSeconds: 'learningRate' in given ? 0 : seconds,
  });
  const method = oneShotOf(settings);
  const plan = planTime({
    seconds,
    used: elapsed(),
    startSeconds,
    slowness,
    compileSeconds: forecast.compileSeconds,
    sampleSeconds: forecast.sampleSeconds,
    measureSeconds: forecast.measureSeconds,
    counts: info.counts,
    mostPasses: mostPassesOf(info),
    workers: settings.workers,
    isTable: info.input.length === 1 && info.text === undefined,
    hasSupernet: method !== undefined,
    batchSize,
  });
  const rising = isRising(settings);
  const epochSeconds = plan.epochSamples * forecast.sampleSeconds;
  const ofTrial = Math.max(FULL_TRIAL, Math.round((FULL_TRIAL * plan.trialSeconds) / epochSeconds));
  const epochs = given.epochs ?? (rising ? Math.min(plan.mostEpochs, ofTrial) : plan.trialEpochs);
  const planned: StudySettings = {
    ...settings,
    ...unless({
      ...recipeFor(info, epochs).settings,
      ...usual,
      ...(rates && { learningRate: rates.rate }),
      epochs,
      ...(given.epochs === undefined && { epochSamples: plan.epochSamples }),
      ...(!rising && { trialTime: `${plan.trialSeconds.toFixed(1)}s` }),
      validSamples: plan.validSamples === info.counts.valid ? 0 : plan.validSamples,
      confirm: plan.confirm,
      ...(names.length > 0 && method === undefined && { handDesigned: names }),
      ...(isClimbable(settings) && given.strategy === undefined && CLIMB),
      ...(plan.search === 'none' && { trials: 1 }),
    }),
  };
  const name = names[0] ?? 'a random network';
  const rate = rates && rateText(rates, name);
  notes.note(`Plan: ${planText(plan, name, settings.workers)}${rate === undefined ? '' : `; ${rate}`}.`);
  const { searchUntil, baselineSeconds, closingSeconds } = plan;
  const mostEpochs = given.epochs ?? plan.mostEpochs;
  const time = { seconds, searchUntil, baselineSeconds, closingSeconds, mostEpochs, startSeconds };
  const supernetSeconds = method === undefined ? undefined : plan.searchSeconds - plan.trialSeconds;
  return { settings: planned, dataset, time, ...(supernetSeconds !== undefined && { supernetSeconds }) };
}

/** About what the final training has of the time that is left when networks are measured. */
const FINAL_SHARE = 0.7;

/** The final training is alone and has the cores of all workers. One of them adds at least so much of its speed. */
const THREAD = 0.5;

/** To start Node and load the engine in a worker process; at least, where it was measured. */
export const START_SECONDS = 1.5;

/** A search climbs from the best of the hand-designed networks: with few trials, that is worth more than random ones (docs/search.md). */
const CLIMB: Partial<StudySettings> = {
  strategy: 'local-search',
  strategyOptions: { starts: 1, improvement: 'first' },
};

/** Local search knows one objective. */
function isClimbable({ objective }: StudySettings): boolean {
  return objective === undefined || objective.length === 1;
}

/** `about 9 candidates in 4 min, final training 5 min, baselines as time allows` */
function planText(
  { search, candidates, searchUntil, searchSeconds, finalSeconds, trialSeconds }: TimePlan,
  name: string,
  workers: number,
): string {
  if (search === 'supernet')
    return `a supernet for about ${showSeconds(searchSeconds - trialSeconds)}, a first model of what it derives in ${showSeconds(trialSeconds)}, then its final training of ${showSeconds(finalSeconds)}; more seeds and baselines as time allows`;
  if (search === 'none')
    return `no time for a search: a first model of ${name} in ${showSeconds(trialSeconds)}, then its final training of ${showSeconds(finalSeconds)}, baselines as time allows`;
  const each = search === 'short' ? `, each at most ${showSeconds(trialSeconds)} long` : '';
  const at = workers === 1 ? '' : ` (${workers} at a time)`;
  return `about ${candidates} candidates${at} until ${showSeconds(searchUntil)} after the start${each}, hand-designed networks first; final training about ${showSeconds(finalSeconds)}; more seeds and baselines as time allows`;
}
