import type { Command } from 'commander';
import { benchmarkPresets } from '../app/benchmarks.ts';
import { bestToJson } from '../app/best.ts';
import type { EarlyExports } from '../app/evaluation/first-model.ts';
import { hint } from '../app/invocation.ts';
import { againWords, OWN_FILES, ownFilesOf } from '../app/own-files.ts';
import { openProgress } from '../app/progress.ts';
import { newStudy, runToEnd, type StudyOptions, withWayOn } from '../app/search.ts';
import type { Setup } from '../app/setup.ts';
import { loadAnySpace } from '../app/space-file.ts';
import { type ReadStudy, readStudy } from '../app/study.ts';
import type { StudyEnd, StudyEvent } from '../study/events.ts';
import { SETTING_NAMES, type SettingName, type StudySettings } from '../study/spec.ts';
import type { Store } from '../study/store/store.ts';
import { checkNewStudy } from '../study/study.node.ts';
import { Interrupted, interruptible } from '../terminal/interrupt.ts';
import type { Output } from '../terminal/output.ts';
import { endText } from '../terminal/search-end.ts';
import { bestText } from './best.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettings, configOption, DATA, readSettings } from './flags.ts';

/** `netsmith search`: { study, trials, best } */
export function addSearch(program: Command, shell: Shell): void {
  addStudyOptions(
    define(
      program,
      'search',
      'Search a space for the best network for your data, or the best policy for an environment',
      [
        'netsmith search photos --image-size 64 --time 30m',
        'netsmith search houses.csv --label price --trials 40',
        'netsmith search --data cifar-10 --data-dir data/cifar-10-batches-bin --space nas-bench-201 --space-options cells=1 \\',
        '    --strategy aging-evolution --strategy-options population=20,sample=5 --trials 100 --epochs 3 --workers 2',
        'netsmith search --estimator proxies --strategy aging-evolution --trials 300',
        'netsmith search --estimator proxies --objective naswot,params --strategy nsga2',
        'netsmith search --benchmark nas-bench-201 --data cifar-10 --strategy tpe --time 12000s --seed 1',
        'netsmith search --strategy tpe --trials 40 --prior runs/digits-residual-cnn-1 runs/digits-residual-cnn-2',
        'netsmith search --estimator predictor --strategy evolution --prior runs/digits-residual-cnn-1',
        'netsmith search --environment acrobot --strategy tpe --trials 30',
        'netsmith search --environment xor --strategy neat --until success=1',
        'netsmith search --environment ./mine.ts --env-steps 50000 --workers 2',
        'netsmith search photos --objective accuracy,latency --device-target command --device-command "ssh board ./time.sh {model}"',
      ],
    ),
  ).action(async (_: string | undefined, options: StudyOptions, command: Command) => {
    const output = outputOf(command, shell);
    const { dir, store, setup } = await newStudyOfCommand(
      await readSettings(command, benchmarkPresets),
      options,
      output,
    );
    const end = await searchToItsEnd(dir, store, setup, output);
    await tellResult(dir, end, output, shell);
  });
}

/** The options of `search` and `run`. */
export function addStudyOptions(
  command: Command,
  names: readonly SettingName[] = SETTING_NAMES,
  presets: Readonly<Partial<Record<SettingName, string>>> = {},
): Command {
  return addSettings(command.argument(...DATA), names, presets)
    .option('--out <folder>', 'folder of the study (default: the next free runs/NAME-N)')
    .option('--prior <folder...>', 'warm-start from the trials of earlier studies of the same space')
    .addOption(configOption());
}

/** `newStudy` of the space that the settings name, which may be a file. */
export async function newStudyOfCommand(settings: StudySettings, options: StudyOptions, output: Output) {
  if (options.out !== undefined) checkNewStudy(options.out);
  return newStudy(settings, await loadAnySpace(settings.space), { own: ownFilesOf(settings), ...options }, output);
}

/** How a search ended, and what the process exits with if that was an interruption. */
export type SearchEnd = StudyEnd & { readonly interrupted?: Interrupted };

/** A search within a command that has a time limit. */
interface InTime {
  /** Of search in all, in place of those of the settings. */
  readonly seconds?: number;
  readonly early?: EarlyExports;
}

/**
 * Runs a study that is open for writing until its budget is spent or Ctrl-C, and closes it. Trials run in processes of
 * their own, each of which builds what it needs from the study's settings; those of a table are looked up in this one. Throws
 * DataError and StudyStopped as `runStudy`, with how to continue.
 */
export async function searchToItsEnd(
  dir: string,
  store: Store,
  setup: Setup,
  output: Output,
  { seconds, early }: InTime = {},
): Promise<SearchEnd> {
  const view = await openProgress(setup, store, output, seconds);
  const say = () => view.say('Stopping after the current epoch (progress is saved). Press Ctrl-C again to quit now.');
  try {
    return await interruptible(say, async (signal) => {
      const onEvent = (event: StudyEvent) => {
        view.onEvent(event);
        early?.onEvent(event);
      };
      const end = await runToEnd(dir, store, setup, { signal, onEvent, ...(seconds !== undefined && { seconds }) });
      await early?.finish();
      return end.reason === 'interrupted' && signal.reason instanceof Interrupted
        ? { ...end, interrupted: signal.reason }
        : end;
    });
  } catch (error) {
    throw withWayOn(error, dir, setup.settings);
  } finally {
    view.close();
    await store.close();
  }
}

/** The result of `search` and `resume`, and how to continue. */
export async function tellResult(dir: string, end: SearchEnd, output: Output, shell: Shell): Promise<void> {
  const study = await readStudy(dir);
  output.note(endText(end, study));
  if (end.reason === 'interrupted') tellInterrupted(dir, study, end, output, shell);
  else if (end.best.length > 0) output.note(`Next: ${hint('evaluate', dir, ...againWords(study.settings))}`);
  else {
    const reason = study.trials.find((trial) => trial.reason !== undefined)?.reason;
    output.note(`No trial is complete${reason === undefined ? '' : `; the first failed with: ${reason}`}`);
    shell.exitCode = 1;
  }
  output.result(bestToJson(dir, study), bestText(study));
}

export function tellInterrupted(
  dir: string,
  { settings }: Pick<ReadStudy, 'settings'>,
  { interrupted }: SearchEnd,
  output: Output,
  shell: Shell,
): void {
  output.note(`Resume with: ${hint('resume', dir, ...againWords(settings, OWN_FILES))}`);
  shell.exitCode = interrupted?.exitCode ?? 130;
}
