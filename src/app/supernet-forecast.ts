import { invalid, UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { Engine } from '../engine/engine.ts';
import { ONE_SHOT } from '../oneshot/index.ts';
import { isArchitectureMethod, oneShotOf } from '../oneshot/names.ts';
import type { SupernetRequest } from '../oneshot/supernet.ts';
import type { Module, Space } from '../space/index.ts';
import { decisions } from '../space/tree/decisions.ts';
import { supernet } from '../space/tree/resolve.ts';
import { childrenOf } from '../space/tree/walk.ts';
import { SUPERNET_EPOCHS } from '../study/spec.ts';
import { MemoryShortage, TrainingFailure } from '../train/failure.ts';
import { type Forecast, forecastOf } from '../train/preflight.ts';
import { openPrograms } from '../train/programs.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import type { Notes } from './notes.ts';
import { forecastText } from './preflight.ts';
import { type Setup, treeOf } from './setup.ts';

/** Batches below this are not proposed: batch norm needs some samples. */
const LEAST_BATCH = 8;

/**
 * Says what the supernet of a study takes on this engine. Throws UserError where the method cannot search the space, and where the supernet
 * does not fit into memory: with the largest batch that does.
 */
export async function forecastSupernet(setup: Setup, engine: Engine, notes: Notes): Promise<void> {
  const { settings, training, dataset } = setup;
  const method = oneShotOf(settings);
  if (method === undefined) return;
  const space = treeOf(setup);
  const place = `space "${space.name}"`;
  checkChoices(space, method);
  const epochs = settings.supernetEpochs ?? SUPERNET_EPOCHS;
  const memory = memoryOfPrograms(memoryOfProcess(settings, 1));
  const options = isArchitectureMethod(method) ? settings.strategyOptions : settings.estimatorOptions;
  const look = (batchSize: number): Promise<Forecast> => {
    const request: SupernetRequest = {
      ...{ engine, programs: openPrograms(engine, { keep: 0, memory }), ...dataset.search, space },
      settings: { ...training, batchSize, epochs },
      ...{ data: settings.dataShare, resolution: settings.resolution },
      rng: (...labels) => rng(settings.seed, 'preflight', ...labels),
    };
    return forecastOf(request, (watched) => ONE_SHOT[method].openLargest(watched, options));
  };
  try {
    const forecast = await look(training.batchSize);
    notes.note(`Estimate (supernet, batches of ${training.batchSize}): ${forecastText(forecast, epochs)}.`);
  } catch (error) {
    if (error instanceof MemoryShortage) throw await withBatch(training.batchSize, error, look);
    if (error instanceof TrainingFailure)
      throw new UserError(`${place}: ${method} cannot train its supernet: ${error.message}`, { cause: error });
    throw error;
  }
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
      `${method} needs a space all of whose decisions do, such as nas-bench-201 or darts`,
    );
  if (choices.size === 0) throw invalid(place, 'has no choice between modules', `${method} needs at least one`);
}

function moduleChoices(module: Module, found = new Set<string>()): ReadonlySet<string> {
  if (module.kind === 'choice') found.add(module.name);
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
