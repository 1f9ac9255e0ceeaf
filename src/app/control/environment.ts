/** The environment of a study: opened by its name, from a user's file, or as a process, and described as data. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { unknownName } from '../../common/closest.ts';
import { invalid, messageOf, UserError } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import type { Environment } from '../../control/environment.ts';
import { ENVIRONMENTS, type EnvironmentName } from '../../control/index.ts';
import { presetOf, type TrainerName } from '../../control/presets.ts';
import { probe } from '../../control/probe.ts';
import { processEnvironment } from '../../control/process/environment.node.ts';
import { environmentData } from '../../control/train/on-environment.ts';
import { episodes } from '../../control/train/play.ts';
import { formOf, settingsOf, type TrainerChoice } from '../../control/train/trainers.ts';
import type { Dataset, Samples } from '../../data/dataset.ts';
import { isGenomeSpace } from '../../space/genome/definition.ts';
import type { StudySettings } from '../../study/spec.ts';
import { lineIn, ownEnvironment } from '../own-exports.ts';
import { isEnvironmentCommand, isOwnFileOf, type OwnFiles } from '../own-files.ts';

/** What a study in an environment is set up with. */
export interface OpenedEnvironment {
  readonly environment: Environment;
  /** Undefined for genomes, which are not trained. */
  readonly training: TrainerChoice | undefined;
  readonly dataset: Dataset;
}

/** The first test episode: no validation has as many. */
export const FIRST_TEST = 1_000_000;
/** Episodes of a test, where they differ. */
const TEST_EPISODES = 100;

/**
 * Opens the environment that the settings name; undefined where they name none. Its episodes are the study's samples: those of the
 * validation, and others for the test; those of a training have streams of their own. `checked`: another process has just probed it. Throws
 * UserError, with place, rule and value, for an environment that breaks its rules and a trainer that does not suit it.
 */
export async function openEnvironment(
  settings: StudySettings,
  own: OwnFiles,
  checked: boolean,
): Promise<OpenedEnvironment | undefined> {
  const { environment: name, recurrent = false, episodes: count = presetOf('').episodes } = settings;
  if (name === undefined) return undefined;
  const environment = await environmentNamed(name, own);
  const training = trainingOf(settings);
  if (training !== undefined) settingsOf(training, environment);
  const form = training === undefined ? 'genome' : formOf(training.trainer);
  const isImage = environment.observation.shape.length === 3;
  if (recurrent && isImage && training !== undefined)
    throw invalid('--recurrent', 'true', `policies that read images have no memory; ${environment.name} shows images`);
  const tested = presetOf(name).episodes === 1 ? 1 : TEST_EPISODES;
  const counts = { train: 0, valid: count, test: tested };
  const data = environmentData(environment, form, recurrent && training !== undefined, counts);
  const isOwn = own.environment !== undefined;
  const checksum = isOwn && !checked ? checksumOf(name, environment) : undefined;
  const info = { ...data, ...(checksum !== undefined && { checksums: { search: checksum } }) };
  return {
    environment,
    training,
    dataset: {
      search: { info, train: episodes(0, 0), valid: episodes(0, count) },
      openTest: async () => episodes(FIRST_TEST, tested),
    },
  };
}

/** The test episodes of a study. Trained policies all play the first ones; what needs no training plays others in each repetition. */
export function testEpisodes({ dataset }: { readonly dataset: Dataset }, repetition: number): Samples {
  const { test } = dataset.search.info.counts;
  return episodes(FIRST_TEST + repetition * test, test);
}

/** How the settings train policies; undefined for genomes. */
function trainingOf(settings: StudySettings): TrainerChoice | undefined {
  const { space, epochs, trainerOptions: options = {} } = settings;
  if (isGenomeSpace(space)) return undefined;
  const { trainer = presetOf('').trainer, envSteps = presetOf('').envSteps } = settings;
  return { trainer: trainer satisfies TrainerName, options, envSteps, epochs };
}

async function environmentNamed(name: string, own: OwnFiles): Promise<Environment> {
  if (Object.hasOwn(ENVIRONMENTS, name)) return ENVIRONMENTS[name as EnvironmentName];
  const isCommand = isEnvironmentCommand(name);
  if (!isCommand && !isOwnFileOf('environment', name)) throw unknownEnvironment(name);
  if (own.environment === undefined) {
    const what = isCommand ? 'command' : 'file';
    throw new UserError(`--environment: the ${what} "${printable(name)}" must be named on the command line`);
  }
  return isCommand ? processEnvironment({ command: own.environment }) : ownEnvironment(own.environment);
}

const unknownEnvironment = (name: string): UserError =>
  unknownName(
    '--environment:',
    printable(name),
    Object.keys(ENVIRONMENTS),
    'a .ts or .js file that exports an environment, or a command ("python3 walk.py")',
  );

/** Throws UserError for a name that no environment has, and for a command that does not describe one. The command is run. */
export function checkEnvironmentName(name: string): void {
  if (Object.hasOwn(ENVIRONMENTS, name)) return;
  if (isEnvironmentCommand(name)) processEnvironment({ command: name });
  else if (!isOwnFileOf('environment', name)) throw unknownEnvironment(name);
}

/** Says whether an environment of the user's own is still the same. Errors of its code become UserErrors with the line. */
function checksumOf(name: string, environment: Environment): string {
  try {
    const { description: _, success: __, open: ___, ...facts } = environment;
    const seen = probe(environment);
    return createHash('sha256').update(JSON.stringify(facts)).update(seen).digest('hex');
  } catch (error) {
    if (error instanceof UserError) throw error;
    const line = existsSync(name) ? lineIn(name, error) : '';
    throw new UserError(`--environment: "${basename(name)}"${line}: ${messageOf(error).trim()}`, { cause: error });
  }
}
