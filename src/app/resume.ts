import { isAbsolute, relative, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import type { StudyPlan } from '../study/plan.ts';
import { SETTING_NAMES, type SettingName, type StudySettings } from '../study/spec.ts';
import type { Store } from '../study/store/store.ts';
import { openStudyStore } from '../study/study.node.ts';
import { deviceOf } from './device/meter.ts';
import { checkDevice } from './engine.ts';
import type { Notes } from './notes.ts';
import { measuringFrom, namesInCode, type OwnCode } from './own-code.ts';
import { DATA_PATHS, namedAgain, OWN_FILES } from './own-files.ts';
import { checkRunSettings, type Setup } from './setup.ts';
import { planOf, planToJson, setUpAgain } from './study.ts';

/** What may differ from one session of a study to the next: where its data lie, where it ends, what it runs on. */
export const CHANGEABLE: readonly SettingName[] = [
  ...DATA_PATHS,
  'trials',
  'time',
  'until',
  'confirm',
  'workers',
  'threads',
  'device',
  'memory',
  'layout',
  'deviceCommand',
  'deviceTimeout',
];

/** Throws UserError, with the rule, where a study has other settings than those, the ones that may change aside. */
export function checkSameSettings(
  dir: string,
  found: StudySettings,
  wanted: StudySettings,
  changeable: readonly SettingName[],
  rule: string,
): void {
  const fixed = SETTING_NAMES.filter((name) => !changeable.includes(name));
  // A study stores what `auto` became when it was created.
  const leftOpen = (name: SettingName) => name === 'classWeights' && wanted.classWeights === 'auto';
  const other = fixed.find((name) => !leftOpen(name) && !isDeepStrictEqual(found[name], wanted[name]));
  if (other === undefined) return;
  const [is, should] = [found[other], wanted[other]].map((value) => JSON.stringify(value) ?? 'not set');
  throw invalid(`study "${dir}"`, `${other} is ${is}, not ${should}`, rule);
}

/**
 * Opens a study for writing, with some settings changed, and without some of its images. Throws UserError if its
 * data have changed, and if it needs code that is not given.
 */
export async function reopen(
  dir: string,
  given: Readonly<Record<string, unknown>>,
  notes: Notes,
  { without = [], code = {} }: { readonly without?: readonly string[]; readonly code?: OwnCode } = {},
): Promise<{ readonly store: Store; readonly setup: Setup }> {
  const store = await openStudyStore(dir, 'write');
  try {
    const plan = planOf(await store.study(), dir);
    const needed = OWN_FILES.filter((name) => !namesInCode(code).includes(name));
    const own = namedAgain(`study "${dir}"`, plan.settings, given, needed);
    const settings = leaveOut(plan, checkRunSettings(plan.settings, { ...given, ...own }), without);
    checkCommand(dir, plan, given);
    const setup = await setUpAgain(plan, dir, settings, { without: without.length > 0, own, code });
    const measuring = await measuringFrom(`study "${dir}"`, settings, own, code, setup);
    const device = await deviceOf(settings);
    if (plan.device !== undefined && device !== plan.device)
      notes.note(
        `The study measured latencies on ${plan.device} so far and now on ${device}: they are not comparable.`,
      );
    const { length: done } = await store.trials('search');
    if (given.trials !== undefined && Number(given.trials) < done) {
      throw invalid('--trials', String(given.trials), `the study already has ${done} trials`);
    }
    const block =
      setup.estimator.kind === 'table' || setup.estimator.kind === 'function'
        ? undefined
        : (await checkDevice(setup.settings)).block;
    if (plan.block !== undefined && block !== undefined && plan.block !== block) {
      const [then, now] = [plan.block, block].map((size) => (size === 0 ? 'NCHW' : `blocks of ${size} channels`));
      notes.note(
        `The study used the tensor layout ${then} so far and now uses ${now}: results differ in their last digits.`,
      );
    }
    // Stored before anything runs: a killed session is resumed with the new settings.
    const data = without.length > 0 ? setup.dataset.search.info : plan.data;
    await store.revise(planToJson({ ...plan, data, settings: setup.settings }));
    return { store, setup: { ...setup, measuring } };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Throws UserError unless the command that times networks is named again: a stored study may come from anybody, and runs no command. */
function checkCommand(dir: string, { settings }: StudyPlan, given: Readonly<Record<string, unknown>>): void {
  const { deviceCommand: stored } = settings;
  if (stored === undefined || typeof given.deviceCommand === 'string') return;
  throw invalid(
    `study "${dir}"`,
    `its networks are timed by the command "${printable(stored)}"`,
    'a stored study runs no command, so name it again: --device-command "..."',
  );
}

/**
 * The settings with some images left out. The size and channels of the images are then fixed: what is left must not suggest others.
 * Throws UserError unless the study is of an image folder.
 */
function leaveOut({ data }: StudyPlan, settings: StudySettings, without: readonly string[]): StudySettings {
  if (without.length === 0) return settings;
  const { dataDir, exclude = [] } = settings;
  if (settings.data !== 'image-folder' || dataDir === undefined)
    throw invalid('--without', `the dataset is ${settings.data}`, 'only images of an image-folder can be skipped');
  const [channels, imageSize] = data.input;
  return {
    ...settings,
    imageSize,
    ...((channels === 1 || channels === 3) && { imageChannels: channels }),
    exclude: [...new Set([...exclude, ...without.map((file) => within(dataDir, file))])],
  };
}

/** The path of a file within the data's folder, whether it is given so, as seen from here, or absolute. */
function within(dataDir: string, file: string): string {
  const path = relative(dataDir, resolve(file));
  const outside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
  const found = outside ? file : path;
  return sep === '/' ? found : found.replaceAll(sep, '/');
}
