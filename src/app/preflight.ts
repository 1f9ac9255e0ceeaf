import { rng } from '../common/random.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { candidateNetwork, candidateSettings } from '../estimate/train.ts';
import { showBytes, showCount, showSeconds } from '../report/numbers.ts';
import { type Architecture, sample } from '../space/index.ts';
import { sampleWithin, withinLimits } from '../strategy/limits.ts';
import type { StudySettings } from '../study/spec.ts';
import { MemoryShortage, TrainingFailure } from '../train/failure.ts';
import type { TrainRequest } from '../train/loop.ts';
import { type Forecast, preflight } from '../train/preflight.ts';
import { openPrograms } from '../train/programs.ts';
import { memoryOfProcess, memoryOfPrograms, notEnoughMemory } from './memory.node.ts';
import type { Notes } from './notes.ts';
import { type Setup, treeOf } from './setup.ts';

/** Random members of the space that a search is forecast by. */
const MEMBERS = 8;

/** What one training takes. Throws UserError with the numbers where it does not fit into memory. */
export function forecastTraining(request: TrainRequest, settings: StudySettings): Promise<Forecast> {
  return preflight(request).catch((error: unknown) => {
    if (!(error instanceof MemoryShortage)) throw error;
    throw notEnoughMemory(settings, 1, 'training the network', dataText(request.info), error);
  });
}

/**
 * Says what trials of a search take at most on this engine, by the largest of a few random members within the limits. One
 * that does not fit is announced; throws UserError where the smallest does not fit either.
 */
export async function forecastSearch(setup: Setup, engine: Engine, notes: Notes): Promise<void> {
  const { settings, problem } = setup;
  const memory = memoryOfPrograms(memoryOfProcess(settings, settings.workers));
  const requestOf = trialRequests(setup, { engine, programs: openPrograms(engine, { keep: 0, memory }) });
  const members = membersBySize(setup);
  const [largest, smallest] = [members[0], members.at(-1)];
  if (largest === undefined || smallest === undefined) return;
  const shortage = (what: string, error: MemoryShortage) =>
    notEnoughMemory(settings, settings.workers, what, dataText(setup.dataset.search.info), error);
  const name = (which: string) => `${which} of ${members.length} sampled networks`;
  try {
    const forecast = await preflight(requestOf(largest));
    const { params = 0 } = problem.costs(largest);
    const takes = forecastText(forecast, settings.epochs);
    notes.note(`Estimate (${name('largest')}, ${showCount(params)} parameters): ${takes}.`);
  } catch (error) {
    // A member that cannot be trained is a failed trial to come, and says nothing of the others.
    if (!(error instanceof TrainingFailure)) throw error;
    if (!(error instanceof MemoryShortage)) return;
    notes.note(`Warning: the ${name('largest')} does not fit: ${error.message}. Such trials will fail.`);
    await preflight(requestOf(smallest)).catch((again: unknown) => {
      if (again instanceof MemoryShortage) throw shortage(`training ${name('the smallest')}`, again);
      if (!(again instanceof TrainingFailure)) throw again;
    });
  }
}

/** Random members that keep the limits and can be built, those first that keep most for the backward pass. */
function membersBySize(setup: Setup): Architecture[] {
  const { settings, problem, training, dataset } = setup;
  const space = treeOf(setup);
  const random = rng(settings.seed, 'preflight');
  const samples = Array.from({ length: MEMBERS }, () => sample(space, random));
  const isRare = !samples.some((one) => withinLimits(problem, one));
  const drawn = isRare ? samples.map((_, i) => sampleWithin(problem, i)) : samples;
  const sizes = new Map<Architecture, number>();
  for (const architecture of drawn) {
    try {
      candidateSettings(training, { space, architecture }, settings.epochs, dataset.search.info, dataset.search.task);
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
  setup: Setup,
  on: Pick<TrainRequest, 'engine'> & Required<Pick<TrainRequest, 'programs'>>,
): (architecture: Architecture) => TrainRequest {
  const { settings, training, dataset } = setup;
  const { search } = dataset;
  const space = treeOf(setup);
  return (architecture) => ({
    ...on,
    ...search,
    network: candidateNetwork({ space, architecture }, settings.width),
    settings: candidateSettings(training, { space, architecture }, settings.epochs, search.info, search.task),
    data: settings.dataShare,
    resolution: settings.resolution,
    rng: (...labels) => rng(settings.seed, 'preflight', ...labels),
  });
}

/** `the table of 14,000 rows` */
function dataText({ input, counts, ownTask, text }: DatasetInfo): string {
  const samples = showCount(counts.train + counts.valid);
  if (ownTask !== undefined) return `a dataset of ${samples} samples`;
  if (text !== undefined) return `a dataset of ${samples} texts`;
  return input.length === 3 ? `a dataset of ${samples} images` : `a table of ${samples} rows`;
}

/** `310 MiB of memory and 46.0 s an epoch, 7 min 40 s in all` */
export function forecastText({ memoryBytes, compileSeconds, epochSeconds }: Forecast, epochs: number): string {
  const all = epochs === 1 ? '' : `, ${showSeconds(compileSeconds + epochs * epochSeconds)} in total`;
  return `${showBytes(memoryBytes)} of memory, ${showSeconds(epochSeconds)} per epoch${all}`;
}
