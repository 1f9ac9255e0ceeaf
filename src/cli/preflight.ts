import { invalid } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { candidateNetwork, candidateSettings } from '../estimate/train.ts';
import { showBytes, showCount, showSeconds } from '../report/numbers.ts';
import { type Architecture, sample } from '../space/index.ts';
import { withinLimits } from '../strategy/limits.ts';
import { MemoryShortage, TrainingFailure } from '../train/failure.ts';
import type { TrainRequest } from '../train/loop.ts';
import { type Forecast, preflight } from '../train/preflight.ts';
import { openPrograms } from '../train/programs.ts';
import { openEngine } from './engine.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import type { Output } from './output.ts';
import type { Setup } from './setup.ts';

/** Random members of the space that a search is forecast by. */
const MEMBERS = 8;

/** Looks ahead and says what one training takes. Throws UserError with the numbers where it does not fit. */
export async function forecastTraining(request: TrainRequest, output: Output): Promise<void> {
  const forecast = await preflight(request).catch((error: unknown) => {
    throw error instanceof MemoryShortage ? doesNotFit('the network', error) : error;
  });
  output.note(`Training takes about ${forecastText(forecast, request.settings.epochs)}.`);
}

/**
 * Says what trials of a search take at most, by the largest of a few random members within the limits. One that does not
 * fit is announced; throws UserError where the smallest does not fit either, or where the device is not there.
 */
export async function forecastSearch(setup: Setup, output: Output): Promise<void> {
  const { settings, problem } = setup;
  const engine = await openEngine(settings, settings.workers);
  try {
    const memory = memoryOfPrograms(memoryOfProcess(settings, settings.workers));
    const requestOf = trialRequests(setup, { engine, programs: openPrograms(engine, { keep: 0, memory }) });
    const members = membersBySize(setup);
    const [largest, smallest] = [members[0], members.at(-1)];
    if (largest === undefined || smallest === undefined) return;
    try {
      const { params = 0 } = problem.costs(largest);
      const forecast = await preflight(requestOf(largest));
      const of = `The largest of ${members.length} random members (${showCount(params)} parameters)`;
      output.note(`${of} takes about ${forecastText(forecast, settings.epochs)}.`);
    } catch (error) {
      if (!(error instanceof MemoryShortage)) throw error;
      output.note(`The largest of ${members.length} random members does not fit: ${error.message}. Such trials fail.`);
      await preflight(requestOf(smallest)).catch((again: unknown) => {
        throw again instanceof MemoryShortage ? doesNotFit(`the smallest of ${members.length} members`, again) : again;
      });
    }
  } catch (error) {
    // A member that cannot be trained is a failed trial to come, and says nothing of the others.
    if (!(error instanceof TrainingFailure)) throw error;
  } finally {
    await engine.dispose();
  }
}

/** Random members that keep the limits and can be built, those first that keep most for the backward pass. */
function membersBySize({ settings, problem, space, training, dataset }: Setup): Architecture[] {
  const random = rng(settings.seed, 'preflight');
  const drawn = Array.from({ length: MEMBERS }, () => sample(space, random));
  const sizes = new Map<Architecture, number>();
  for (const architecture of drawn) {
    try {
      candidateSettings(training, { space, architecture }, settings.epochs, dataset.search.info);
      if (!withinLimits(problem, architecture)) continue;
      sizes.set(architecture, problem.costs(architecture).activationBytes ?? 0);
    } catch {
      // It would be a failed trial.
    }
  }
  return [...sizes].sort(([, a], [, b]) => b - a).map(([architecture]) => architecture);
}

/** What a trial of an architecture trains. */
function trialRequests(
  { settings, space, training, dataset: { search } }: Setup,
  on: Pick<TrainRequest, 'engine'> & Required<Pick<TrainRequest, 'programs'>>,
): (architecture: Architecture) => TrainRequest {
  return (architecture) => ({
    ...on,
    ...search,
    network: candidateNetwork({ space, architecture }, settings.width),
    settings: candidateSettings(training, { space, architecture }, settings.epochs, search.info),
    data: settings.dataShare,
    resolution: settings.resolution,
    rng: (...labels) => rng(settings.seed, 'preflight', ...labels),
  });
}

function doesNotFit(what: string, { message }: MemoryShortage) {
  return invalid('--memory', `${what} does not fit`, message);
}

/** `310 MiB of memory and 46.0 s an epoch, 7 min 40 s in all` */
function forecastText({ memoryBytes, compileSeconds, epochSeconds }: Forecast, epochs: number): string {
  const all = epochs === 1 ? '' : `, ${showSeconds(compileSeconds + epochs * epochSeconds)} in all`;
  return `${showBytes(memoryBytes)} of memory and ${showSeconds(epochSeconds)} an epoch${all}`;
}
