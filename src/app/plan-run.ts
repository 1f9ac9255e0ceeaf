import { rng } from '../common/random.ts';
import type { Dataset, DatasetInfo } from '../data/dataset.ts';
import { candidateNetwork, candidateSettings } from '../estimate/train.ts';
import { showSeconds } from '../report/numbers.ts';
import { type Space, type SpaceDefinition, sample } from '../space/index.ts';
import { fidelitiesOf } from '../strategy/index.ts';
import type { RunTime } from '../study/plan.ts';
import { parseDuration } from '../study/quantities.ts';
import { isOwnFile, type StudySettings, trainSettings, trainsTrials } from '../study/spec.ts';
import { planTime, type TimePlan } from '../study/time-plan.ts';
import { type Forecast, preflight } from '../train/preflight.ts';
import { recipeFor } from '../train/recipe.ts';
import type { TrainSettings } from '../train/settings.ts';
import { openEngine } from './engine.ts';
import type { Notes } from './notes.ts';
import type { OwnFiles } from './own-files.ts';
import { dataRequest, handDesignedOf, openData, searchSpaceFrom } from './setup.ts';

/** A run whose time is planned: its settings, and the data that it was planned by. */
export interface PlannedRun {
  readonly settings: StudySettings;
  readonly dataset: Dataset;
  /** What the study stores of the plan. */
  readonly time: RunTime;
}

/** Passes over images that more time would not be used for. */
const MOST_PASSES = 200;
/**
 * A training on a table or on sequences sees this many samples in all, in 10 to 60 passes: more are worse (docs/recipes.md). Classes are
 * learned by heart sooner than numbers.
 */
const MOST_SAMPLES = { classification: 250_000, other: 500_000 };

function mostPassesOf({ kind, input, counts }: DatasetInfo): number {
  if (input.length === 3) return MOST_PASSES;
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
  return settings.time !== undefined && trainsTrials(settings);
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
  const dataset = await openData(dataRequest(settings), settings, own, {});
  const readSeconds = elapsed() - before;
  const { info } = dataset.search;
  const unless = (names: Partial<StudySettings>): Partial<StudySettings> =>
    Object.fromEntries(Object.entries(names).filter(([name]) => !(name in given)));
  const recipe = recipeFor(info, settings.epochs);
  const first: StudySettings = { ...settings, ...unless(recipe.settings) };
  const { name, forecast } = await measureFirst(first, definition, dataset);
  const seconds = parseDuration(settings.time ?? '') ?? 0;
  const plan = planTime({
    seconds,
    used: elapsed(),
    startSeconds: START_SECONDS + readSeconds,
    compileSeconds: forecast.compileSeconds,
    sampleSeconds: forecast.sampleSeconds,
    measureSeconds: forecast.measureSeconds,
    counts: info.counts,
    mostPasses: mostPassesOf(info),
    workers: settings.workers,
    isTable: info.input.length === 1,
    batchSize: Math.min(first.batchSize, info.counts.train),
  });
  const rising = isRising(settings);
  const epochSeconds = plan.epochSamples * forecast.sampleSeconds;
  const ofTrial = Math.max(FULL_TRIAL, Math.round((FULL_TRIAL * plan.trialSeconds) / epochSeconds));
  const epochs = given.epochs ?? (rising ? Math.min(plan.mostEpochs, ofTrial) : plan.mostEpochs);
  const planned: StudySettings = {
    ...settings,
    ...unless({
      ...recipeFor(info, epochs).settings,
      epochs,
      ...(given.epochs === undefined && { epochSamples: plan.epochSamples }),
      ...(!rising && { trialTime: `${plan.trialSeconds.toFixed(1)}s` }),
      validSamples: plan.validSamples === info.counts.valid ? 0 : plan.validSamples,
      confirm: plan.confirm,
      handDesigned: definition.handDesigned !== undefined,
      ...(plan.search === 'none' && { trials: 1 }),
    }),
  };
  notes.note(`Plan: ${planText(plan, name, settings.workers)}.`);
  const { searchUntil, baselineSeconds, closingSeconds } = plan;
  const mostEpochs = given.epochs ?? plan.mostEpochs;
  const time = { seconds, searchUntil, baselineSeconds, closingSeconds, mostEpochs };
  return { settings: planned, dataset, time };
}

/** To start Node and load the engine in a worker process. */
export const START_SECONDS = 1.5;

/** Compiles the first hand-designed network, or a random one where the space has none, and trains it for a few steps. */
async function measureFirst(
  settings: StudySettings,
  definition: SpaceDefinition,
  { search }: Dataset,
): Promise<{ readonly name: string; readonly forecast: Forecast }> {
  const space = searchSpaceFrom(definition, search.info, settings, search.task);
  const tree = space.tree as Space;
  const [[name, architecture] = ['a random network', sample(tree, rng(settings.seed, 'plan'))]] = Object.entries(
    handDesignedOf(definition, settings, space),
  );
  const engine = await openEngine(settings, settings.workers);
  try {
    const candidate = { space: tree, architecture };
    const training: TrainSettings = candidateSettings(
      trainSettings(settings),
      candidate,
      settings.epochs,
      search.info,
      search.task,
    );
    const forecast = await preflight({
      ...search,
      engine,
      network: candidateNetwork(candidate, settings.width),
      settings: training,
      rng: (...labels) => rng(settings.seed, 'plan', ...labels),
    });
    return { name, forecast };
  } finally {
    await engine.dispose();
  }
}

/** `about 9 candidates in 4 min, final training 5 min, baselines as time allows` */
function planText(
  { search, candidates, searchUntil, finalSeconds, trialSeconds }: TimePlan,
  name: string,
  workers: number,
): string {
  if (search === 'none')
    return `no time for a search: a first model of ${name} in ${showSeconds(trialSeconds)}, then its final training of ${showSeconds(finalSeconds)}, baselines as time allows`;
  const each = search === 'short' ? `, each ${showSeconds(trialSeconds)} long` : '';
  const at = workers === 1 ? '' : ` (${workers} at a time)`;
  return `about ${candidates} candidates${at} until ${showSeconds(searchUntil)} after the start${each}, hand-designed networks first; final training about ${showSeconds(finalSeconds)}; more seeds and baselines as time allows`;
}
