/** The settings of a study in an environment: which there are, what they are unless given, and which others do not apply. */
import { z } from 'zod';
import { invalid } from '../common/errors.ts';
import { shownValue } from '../common/text.ts';
import { presetOf, TRAINER_NAMES } from '../control/presets.ts';
import { isGenomeSpace } from '../space/genome/definition.ts';
import { STRATEGIES, type StrategyDefinition } from '../strategy/index.ts';
import { optionValue, say, whole } from './setting-types.ts';

export const CONTROL_SETTINGS = {
  environment: say(
    z.string().min(1).optional(),
    'control',
    'find a policy for this environment, in place of a network for data: a name (`netsmith environments` lists them), a .ts or .js file that exports one, or a command such as "python3 walk.py"',
  ),
  trainer: say(
    z.enum(TRAINER_NAMES, { error: `must be one of ${TRAINER_NAMES.join(', ')}` }).optional(),
    'control',
    'how policies learn from rewards (default: ppo; dqn for mountain-car)',
  ),
  trainerOptions: say(
    z.record(z.string(), optionValue).optional(),
    'control',
    'options of the trainer, over those that the environment has by default: lanes=16,learningRate=0.001',
  ),
  envSteps: say(
    whole(1, 1e10).optional(),
    'control',
    'environment steps that each policy is trained for (default: that of the environment, 100000 for your own)',
  ),
  episodes: say(
    whole(1, 100_000).optional(),
    'control',
    'episodes that trials are measured on, which no training plays (default: 20; 1 where all episodes are the same)',
  ),
  recurrent: say(
    z.boolean().optional(),
    'control',
    'let policies remember: GRU and LSTM layers, genomes with cycles (default: where observations hide a part of the state)',
  ),
} as const;

type Raw = Readonly<Record<string, unknown>>;

const isRecord = (found: unknown): found is Raw => found !== null && typeof found === 'object' && !Array.isArray(found);

/** Whether settings, of which some may not be given yet, are those of a search over genomes, which are played and not trained. */
export function isOfGenomes({ environment, space, strategy }: Raw): boolean {
  if (environment === undefined) return false;
  if (typeof space === 'string') return isGenomeSpace(space);
  const known: Readonly<Record<string, StrategyDefinition>> = STRATEGIES;
  // A program gives a strategy together with its options.
  const name = isRecord(strategy) ? strategy.strategy : strategy;
  return typeof name === 'string' && Object.hasOwn(known, name) && known[name]?.needsGenome === true;
}

/** What a study in an environment has where nothing is given. Idempotent: it is applied to stored settings, too. */
export function withControlDefaults(raw: Raw): Raw {
  const { environment } = raw;
  if (typeof environment !== 'string') return raw;
  const preset = presetOf(environment);
  const space = raw.space ?? (isOfGenomes(raw) ? 'neat' : 'policy');
  const { episodes = preset.episodes, recurrent = preset.recurrent } = raw;
  const common = { ...raw, space, episodes, recurrent };
  if (isOfGenomes(raw)) {
    const given = isRecord(raw.spaceOptions) ? raw.spaceOptions : {};
    const known = { ...preset.genome, ...(recurrent === true && { recurrent: true }) };
    return { ...common, spaceOptions: { ...known, ...given }, objective: raw.objective ?? ['fitness'] };
  }
  const { trainer = preset.trainer, envSteps = preset.envSteps, epochs = preset.epochs } = raw;
  const given = raw.trainerOptions ?? {};
  const trainerOptions = trainer === preset.trainer && isRecord(given) ? { ...preset.trainerOptions, ...given } : given;
  return { ...common, trainer, envSteps, epochs, trainerOptions };
}

/** Settings that are about samples, or about how a network is trained on them. */
const ABOUT_SAMPLES = [
  ...([
    'data',
    'dataDir',
    'validData',
    'testData',
    'label',
    'regression',
    'imageSize',
    'imageChannels',
    'exclude',
    'task',
    'initFrom',
  ] as const),
  ...(['text', 'tokens', 'vocabulary', 'textLength'] as const),
  ...([
    'validShare',
    'trainSamples',
    'validSamples',
    'benchmark',
    'latencies',
    'handDesigned',
    'loss',
    'metric',
  ] as const),
  ...(['dataShare', 'resolution', 'width', 'trialTime', 'supernetEpochs', 'supernetSamples', 'startFrom'] as const),
] as const;
const OF_GRADIENTS = ['trainer', 'trainerOptions', 'envSteps'] as const;

/**
 * Throws UserError, with the flag, for settings that contradict one another: those of an environment without one, and those of data with
 * one. `defaults`: of every setting. `training`: the names of the settings of supervised training.
 */
export function checkControlSettings(
  settings: Raw,
  defaults: Raw,
  training: readonly string[],
  flagOf: (name: string) => string,
): void {
  const given = (name: string) =>
    settings[name] !== undefined && JSON.stringify(settings[name]) !== JSON.stringify(defaults[name]);
  const refuse = (name: string, rule: string) => invalid(flagOf(name), shownValue(settings[name]), rule);
  const { environment, space, estimator } = settings;
  if (environment === undefined) {
    const own = Object.keys(CONTROL_SETTINGS).find(given);
    if (own !== undefined) throw refuse(own, 'must be given together with --environment');
    return;
  }
  const ofSamples = ABOUT_SAMPLES.find(given);
  if (ofSamples !== undefined) throw refuse(ofSamples, 'does not apply to an environment, which has no samples');
  const isOfTraining = (name: string) => name !== 'epochs' && name !== 'classWeights' && given(name);
  const ofTraining = training.find(isOfTraining);
  if (ofTraining !== undefined)
    throw refuse(ofTraining, 'is about training on samples; policies are trained by --trainer-options');
  if (estimator !== 'train' && estimator !== 'predictor')
    throw refuse('estimator', 'an environment is searched with train (the default) or predictor');
  const ofHead = ['value', 'deviations'].find(
    (name) => isRecord(settings.spaceOptions) && name in settings.spaceOptions,
  );
  if (space === 'policy' && ofHead !== undefined)
    throw invalid('--space-options', ofHead, 'follows from the trainer and the actions of the environment');
  if (!isOfGenomes(settings)) {
    if (settings.recurrent === true && settings.trainer === 'dqn')
      throw refuse('recurrent', '--trainer dqn trains no policies with a memory');
    return;
  }
  const ofGradients = [...OF_GRADIENTS, 'epochs'].find(given);
  if (ofGradients !== undefined) throw refuse(ofGradients, `the genomes of space ${space} are not trained`);
}
