import type { Command } from 'commander';
import { invalid } from '../common/errors.ts';
import type { Store } from '../study/store/store.ts';
import { openStudy } from '../study/study.node.ts';
import { define, outputOf, type Shell } from './command.ts';
import type { SettingName } from './config.ts';
import { checkDevice } from './engine.ts';
import { addSettingsOfStudy, givenSettings } from './flags.ts';
import type { Output } from './output.ts';
import { searchToItsEnd, tellResult } from './search.ts';
import { checkRunSettings, type Setup } from './setup.ts';
import { planOf, planToJson, setUpAgain } from './study.ts';

/** What may differ from one session of a study to the next: where its data lie, where it ends, what it runs on. */
export const CHANGEABLE: readonly SettingName[] = [
  'dataDir',
  'trials',
  'time',
  'until',
  'confirm',
  'workers',
  'threads',
  'device',
  'memory',
  'layout',
];

/** `netsmith resume DIR`: { study, trials, best } */
export function addResume(program: Command, shell: Shell): void {
  const command = define(
    program,
    'resume <dir>',
    'Go on with a study: one that was stopped or killed, or with a larger budget',
    ['netsmith resume runs/digits-small-cnn-1', 'netsmith resume runs/digits-small-cnn-1 --trials 50 --workers 2'],
  );
  addSettingsOfStudy(command, CHANGEABLE).action(async (dir: string, _options: unknown, command: Command) => {
    const output = outputOf(command, shell);
    const { store, setup } = await reopen(dir, givenSettings(command), output);
    const end = await searchToItsEnd(dir, store, setup, output);
    await tellResult(dir, end, output, shell);
  });
}

/** Opens a study for writing, with some of its settings given anew. Throws UserError when its data are others now. */
export async function reopen(
  dir: string,
  given: Readonly<Record<string, unknown>>,
  output: Output,
): Promise<{ readonly store: Store; readonly setup: Setup }> {
  const store = await openStudy(dir, 'write');
  try {
    const plan = planOf(await store.study(), dir);
    const setup = await setUpAgain(plan, dir, checkRunSettings(plan.settings, given));
    const { length: done } = await store.trials('search');
    if (given.trials !== undefined && Number(given.trials) < done) {
      throw invalid('--trials', String(given.trials), `the study has ${done} trials already`);
    }
    const block = setup.estimator.kind === 'table' ? undefined : (await checkDevice(setup.settings)).block;
    if (plan.block !== undefined && block !== undefined && plan.block !== block) {
      const [then, now] = [plan.block, block].map((size) => (size === 0 ? 'NCHW' : `blocks of ${size} channels`));
      output.note(`The study began with tensors in ${then}; here it is ${now}: results differ in their last digits.`);
    }
    // A session that is killed is gone on with as it was: the new settings are the study's from now on.
    await store.revise(planToJson({ ...plan, settings: setup.settings }));
    return { store, setup };
  } catch (error) {
    await store.close();
    throw error;
  }
}
