import { rng } from '../common/random.ts';
import type { Dataset } from '../data/dataset.ts';
import { candidateNetwork, candidateSettings } from '../estimate/train.ts';
import { type Architecture, resolveHyperparameters, type Space, type SpaceDefinition, sample } from '../space/index.ts';
import { type StudySettings, trainSettings } from '../study/spec.ts';
import type { TrainRequest } from '../train/loop.ts';
import { type Forecast, preflight } from '../train/preflight.ts';
import { openPrograms } from '../train/programs.ts';
import type { RateProbe } from '../train/rate-probe.ts';
import { openEngine } from './engine.ts';
import { tryRates } from './plan-rate.ts';
import { handDesignedOf, searchSpaceFrom } from './setup.ts';

/** The hand-designed network that a plan is made for. */
export interface Leading {
  /** Its name, and after it those of the others that are worth a trial; none where the space has no hand-designed networks. */
  readonly names: string[];
  readonly forecast: Forecast;
  /** What a few steps have shown of the learning rate; undefined where it is given, or part of the space. */
  readonly rates: RateProbe | undefined;
}

/** For steps that are only timed: a rate at which no training diverges. */
const TIMED_RATE = 1e-9;

/**
 * Compiles hand-designed networks and trains each for a few steps. For images and texts to continue, whose networks are in the order of their size: the largest for
 * which the time `suffices` leads, and the smaller ones follow. Otherwise the first of the space leads, or a random one where there is
 * none. Then tries its learning rate, within the share of `probeSeconds` that a probe may have.
 */
export async function measureLeading(
  settings: StudySettings,
  definition: SpaceDefinition,
  { search }: Dataset,
  { suffices, probeSeconds }: { suffices(forecast: Forecast): boolean; readonly probeSeconds: number },
): Promise<Leading> {
  const space = searchSpaceFrom(definition, search.info, settings, search.task);
  const tree = space.tree as Space;
  const members = Object.entries(handDesignedOf(definition, settings, space));
  const engine = await openEngine(settings, settings.workers);
  const programs = openPrograms(engine);
  const requestFor = (architecture: Architecture): TrainRequest => {
    const candidate = { space: tree, architecture };
    const { epochs, width } = settings;
    return {
      ...search,
      ...{ engine, programs },
      network: candidateNetwork(candidate, width),
      settings: candidateSettings(trainSettings(settings), candidate, epochs, search.info, search.task),
      rng: (...labels) => rng(settings.seed, 'plan', ...labels),
    };
  };
  const measure = (architecture: Architecture) => {
    const request = requestFor(architecture);
    return preflight({ ...request, settings: { ...request.settings, learningRate: TIMED_RATE } });
  };
  try {
    const [[name, first] = ['', sample(tree, rng(settings.seed, 'plan'))], ...larger] = members;
    const isBySize = search.info.input.length === 3 || search.info.kind === 'language-model';
    const names = isBySize && name !== '' ? [name] : members.map(([member]) => member);
    let [leading, forecast] = [first, await measure(first)];
    for (const [member, architecture] of isBySize ? larger : []) {
      const next = suffices(forecast) ? await measure(architecture) : undefined;
      if (next === undefined || !suffices(next)) break;
      [leading, forecast] = [architecture, next];
      names.unshift(member);
    }
    const isSearched = 'learningRate' in resolveHyperparameters(tree, leading);
    const rates = isSearched ? undefined : await tryRates(requestFor(leading), forecast, probeSeconds);
    return { names, forecast, rates };
  } finally {
    await programs.dispose();
    await engine.dispose();
  }
}
