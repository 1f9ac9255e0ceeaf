import { invalid, UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { Engine } from '../engine/engine.ts';
import { keepsLimits } from '../oneshot/cost/goals.ts';
import { limitKeeper } from '../oneshot/cost/keep-limits.ts';
import { ONE_SHOT } from '../oneshot/index.ts';
import { isArchitectureMethod, oneShotOf, oneShotOptionsOf } from '../oneshot/names.ts';
import type { SupernetRequest } from '../oneshot/supernet.ts';
import { plural, showCount, showSeconds } from '../report/numbers.ts';
import type { Module, Space } from '../space/index.ts';
import { decisions } from '../space/tree/decisions.ts';
import { derive, type OptionWeights } from '../space/tree/derive.ts';
import { supernet } from '../space/tree/resolve.ts';
import { childrenOf } from '../space/tree/walk.ts';
import { sampleWithin } from '../strategy/limits.ts';
import type { Problem } from '../strategy/strategy.ts';
import { parseDuration } from '../study/quantities.ts';
import { type StudySettings, supernetEpochsOf } from '../study/spec.ts';
import { MemoryShortage, TrainingFailure } from '../train/failure.ts';
import { type Forecast, forecastOf } from '../train/preflight.ts';
import { openPrograms } from '../train/programs.ts';
import { someSamples } from '../train/samples.ts';
import { costGoals } from './device/cost-goals.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import type { Notes } from './notes.ts';
import { forecastText } from './preflight.ts';
import { type Setup, treeOf } from './setup.ts';

/** What measuring, and what a method does besides its steps, may take of the time of a supernet. */
const REST_SHARE = 0.5;
/** Kept of the time, because steps differ in how long they take. */
const MARGIN = 0.1;
/** Batches below this are not proposed: batch norm needs some samples. */
const LEAST_BATCH = 8;

/** What a supernet gets of the time of a search. */
const SUPERNET_SHARE = 0.6;
/** What the training of a derived architecture gets of it. */
const DERIVED_SHARE = 0.3;

/**
 * Says what the supernet of a study takes on this engine. With a time, the epochs of the supernet have as many samples as fit, and there are
 * fewer of them where measuring after each would take most of the time; these settings are returned, for the study to store. `seconds`: of
 * the supernet, where they are planned. Throws UserError where the method cannot search the space, and where the supernet does not fit into
 * memory: with the largest batch that does.
 */
export async function planSupernet(
  setup: Setup,
  engine: Engine,
  notes: Notes,
  seconds?: number,
): Promise<Partial<StudySettings>> {
  const { settings, training, dataset } = setup;
  const method = oneShotOf(settings);
  if (method === undefined) return {};
  const space = treeOf(setup);
  const place = `space "${space.name}"`;
  checkChoices(space, method);
  if (isArchitectureMethod(method)) checkLimits(settings, setup.problem, space);
  const epochs = supernetEpochsOf(settings);
  const memory = memoryOfPrograms(memoryOfProcess(settings, 1));
  const options = oneShotOptionsOf(settings);
  const { time, supernetSamples, trialTime } = settings;
  const whole = time === undefined ? undefined : parseDuration(time);
  const limit = seconds ?? (whole === undefined ? undefined : SUPERNET_SHARE * whole);
  const { valid: all } = dataset.search;
  const valid = settings.validSamples > 0 ? someSamples(all, settings.validSamples) : all;
  const look = (batchSize: number): Promise<Forecast> => {
    const request: SupernetRequest = {
      ...{ engine, programs: openPrograms(engine, { keep: 0, memory }), ...dataset.search, valid, space },
      settings: { ...training, batchSize, epochs },
      ...{ data: settings.dataShare, resolution: settings.resolution },
      rng: (...labels) => rng(settings.seed, 'preflight', ...labels),
    };
    return forecastOf(request, (watched) => ONE_SHOT[method].openLargest(watched, options));
  };
  try {
    const forecast = await look(training.batchSize);
    if (limit === undefined || supernetSamples !== undefined) {
      notes.note(`Estimate (supernet, batches of ${training.batchSize}): ${forecastText(forecast, epochs)}.`);
      return {};
    }
    const planned = fitted(setup, forecast, epochs, limit);
    const of = planned.samples === 0 ? 'all samples' : `${showCount(planned.samples)} samples`;
    const fewer =
      planned.epochs < epochs
        ? ` in place of ${epochs}, because each takes ${showSeconds(forecast.restSeconds)} besides its steps`
        : '';
    notes.note(
      `Plan: ${plural(planned.epochs, 'epoch')} of the supernet${fewer}, each with ${of}, in about ${showSeconds(limit)}.`,
    );
    const derived = whole !== undefined && trialTime === undefined && isArchitectureMethod(method);
    return {
      supernetSamples: planned.samples,
      ...(planned.epochs < epochs && { supernetEpochs: planned.epochs }),
      ...(derived && { trialTime: `${(DERIVED_SHARE * whole).toFixed(1)}s` }),
    };
  } catch (error) {
    if (error instanceof MemoryShortage) throw await withBatch(training.batchSize, error, look);
    if (error instanceof TrainingFailure)
      throw new UserError(`${place}: ${method} cannot train its supernet: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The epochs, at most those asked for, and the training samples in each (0: all), with which the supernet takes about these seconds. */
function fitted(
  { settings, training, dataset }: Setup,
  { compileSeconds, sampleSeconds, restSeconds }: Forecast,
  asked: number,
  seconds: number,
): { readonly epochs: number; readonly samples: number } {
  const usable = (1 - MARGIN) * seconds - compileSeconds;
  const all = dataset.search.info.counts.train * settings.dataShare;
  // An epoch of all samples may take less than its rest.
  const trainSeconds = Math.min(restSeconds * (1 / REST_SHARE - 1), all * sampleSeconds);
  const epochs = Math.min(asked, Math.max(1, Math.floor(usable / (restSeconds + trainSeconds))));
  const samples = Math.max(training.batchSize, Math.floor((usable / epochs - restSeconds) / sampleSeconds));
  return { epochs, samples: samples >= all ? 0 : samples };
}

/** Throws UserError for a space with other decisions than those between modules, and for one without any of these. */
function checkChoices(space: Space, method: string): void {
  const place = `space "${space.name}"`;
  const choices = moduleChoices(supernet(space));
  const other = decisions(space).find(({ name, domain }) => domain.kind !== 'inputs' && !choices.has(name));
  if (other !== undefined)
    throw invalid(
      place,
      `decision "${other.name}" does not choose between modules`,
      space.options.search === false
        ? `${method} needs a space all of whose decisions do: add --space-options search=true`
        : `${method} needs a space all of whose decisions do, such as nas-bench-201 or darts`,
    );
  if (choices.size === 0) throw invalid(place, 'has no choice between modules', `${method} needs at least one`);
}

/** Throws UserError where no architecture keeps the limits. */
function checkLimits(settings: StudySettings, problem: Problem, space: Space): void {
  const goals = costGoals(settings, problem, space);
  const weights = alike(space);
  if (keepsLimits(goals, limitKeeper(space, goals)(weights, derive(space, weights)))) return;
  if (problem.limits.length > 0) sampleWithin(problem, 0);
  const limits = goals.limits.map(({ cost, max }) => `${cost} <= ${max}`).join(', ');
  throw invalid(
    `limits ${limits}`,
    `no architecture was found in space "${space.name}" within them`,
    'raise the limits',
  );
}

/** Weights of options that are all alike. */
const alike = (space: Space): OptionWeights =>
  Object.fromEntries(
    decisions(space).flatMap(({ name, domain }) => {
      const options = domain.kind === 'values' ? domain.values.length : domain.kind === 'inputs' ? domain.from : 0;
      return [[name, Array.from({ length: options }, () => 1 / options)] as const];
    }),
  );

function moduleChoices(module: Module, found = new Set<string>()): ReadonlySet<string> {
  if (module.kind === 'choice') found.add(module.name);
  // A supernet puts out all nodes of a cell, where that is left open.
  if (module.kind === 'dag' && typeof module.output === 'object') found.add(module.output.name);
  for (const child of childrenOf(module)) moduleChoices(child, found);
  return found;
}

/** The error for a supernet that does not fit, with the largest batch that would. */
async function withBatch(
  batchSize: number,
  error: MemoryShortage,
  look: (batchSize: number) => Promise<Forecast>,
): Promise<UserError> {
  for (let smaller = Math.floor(batchSize / 2); smaller >= LEAST_BATCH; smaller = Math.floor(smaller / 2)) {
    const fits = await look(smaller).then(
      () => true,
      (again: unknown) => {
        if (again instanceof MemoryShortage) return false;
        throw again;
      },
    );
    if (fits)
      return invalid(
        '--batch-size',
        String(batchSize),
        `${error.message}; a supernet with --batch-size ${smaller} fits`,
      );
  }
  return invalid('--batch-size', String(batchSize), `${error.message}; no batch of at least ${LEAST_BATCH} fits`);
}
