import type { Command } from 'commander';
import { usedBefore, withTime } from '../app/evaluation/run.ts';
import { CHANGEABLE, reopen } from '../app/resume.ts';
import { readStudy } from '../app/study.ts';
import type { Store } from '../study/store/store.ts';
import { nameOf } from '../study/store/transitions.ts';
import type { Output } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettingsOfStudy, addTrainingFiles, givenSettings } from './flags.ts';
import { finishRun, searchOfRun } from './run.ts';
import { tellResult } from './search.ts';

interface ResumeOptions {
  readonly without?: readonly string[];
  readonly retryFailed: boolean;
}

/** `netsmith resume DIR`: { study, trials, best }; of a study that `run` began, what `run` gives */
export function addResume(program: Command, shell: Shell): void {
  const command = define(program, 'resume <dir>', 'Resume a stopped or killed study, or extend its budget', [
    'netsmith resume runs/digits-residual-cnn-1',
    'netsmith resume runs/digits-residual-cnn-1 --trials 50 --workers 2',
    'netsmith resume runs/photos-residual-cnn-1 --without cats/7.png',
    'netsmith resume runs/digits-residual-cnn-1 --retry-failed --workers 1',
  ])
    .option('--without <file...>', 'image-folder: skip these images (damaged or removed files)')
    .option(
      '--strategy <file>',
      'the file that exports your own strategy; needed again if the study was created with one',
    )
    .option(
      '--estimator <file>',
      'the file that exports your own estimator; needed again if the study was created with one',
    )
    .option(
      '--measure <file>',
      'the file that exports your own measures; needed again if the study was created with one',
    )
    .option('--retry-failed', 'retrain failed trials from scratch; they keep their numbers', false);
  addSettingsOfStudy(addTrainingFiles(command), CHANGEABLE).action(
    async (dir: string, options: ResumeOptions, command: Command) => {
      const output = outputOf(command, shell);
      const { store, setup } = await reopen(dir, givenSettings(command), output, {
        ...(options.without && { without: options.without }),
      });
      if (options.retryFailed) await retryFailed(store, output);
      const given = givenSettings(command);
      const { afterwards: stored } = await readStudy(dir);
      const afterwards = stored && withTime(stored, given.time);
      const earlier = await usedBefore(store);
      const elapsed = () => earlier + shell.elapsed();
      const end = await searchOfRun(dir, store, setup, afterwards ?? {}, output, elapsed);
      if (afterwards === undefined) await tellResult(dir, end, output, shell);
      else await finishRun(dir, setup, end, afterwards, output, shell, elapsed);
    },
  );
}

/**
 * Queues failed trials again. The strategy already knows that they failed, and gets their new results too, as it does of
 * trials that it did not ask for; a rung of rising fidelity that went on without one does not wait for it.
 */
async function retryFailed(store: Store, output: Output): Promise<void> {
  const failed = (await store.trials()).filter(({ state }) => state === 'failed');
  await store.retry(failed);
  output.note(failed.length === 0 ? 'No trial has failed.' : `Retrying: ${failed.map(nameOf).join(', ')}.`);
}
