import { type Command, CommanderError } from 'commander';
import { netsmithVersion } from '../app/versions.ts';
import { codeOf, type ErrorCode, messageOf, StudyStopped, stopped, UserError } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import { type Streams, safeStreams } from '../terminal/output.ts';
import { processStreams } from '../terminal/streams.ts';
import { TrainingFailure } from '../train/failure.ts';
import { addBest } from './best.ts';
import { createProgram, type Shell } from './command.ts';
import { addCompare } from './compare.ts';
import { addCompletion } from './completion.ts';
import { addData } from './data.ts';
import { addDoctor } from './doctor.ts';
import { addEnvironments } from './environments.ts';
import { addEvaluate } from './evaluate.ts';
import { addExport } from './export.ts';
import { addInit } from './init.ts';
import { addLs } from './ls.ts';
import { addMeasure } from './measure.ts';
import { addPredict } from './predict.ts';
import { addProfile } from './profile.ts';
import { addReport } from './report.ts';
import { addResume } from './resume.ts';
import { addRun } from './run.ts';
import { addSamples } from './samples.ts';
import { addScale } from './scale.ts';
import { addSearch } from './search.ts';
import { addShow } from './show.ts';
import { addSpaces } from './spaces.ts';
import { addStatus } from './status.ts';
import { addStrategies } from './strategies.ts';
import { addTrain } from './train.ts';
import { addTrials } from './trials.ts';

/** In the order of --help: the configuration, a study from its beginning to its end, then what stands alone. */
const COMMANDS = [
  addInit,
  addRun,
  addSearch,
  addResume,
  addLs,
  addStatus,
  addTrials,
  addBest,
  addShow,
  addEvaluate,
  addExport,
  addPredict,
  addReport,
  addCompare,
  addMeasure,
  addTrain,
  addScale,
  addProfile,
  addSpaces,
  addSamples,
  addStrategies,
  addData,
  addEnvironments,
  addDoctor,
  addCompletion,
] as const;

/** The program with all its commands. */
export function programOf(shell: Shell, json = false): Command {
  const program = createProgram(shell, netsmithVersion());
  // With --json, `explain` reports the error of the parser as JSON.
  if (json) program.configureOutput({ outputError: () => undefined });
  for (const add of COMMANDS) add(program, shell);
  return program;
}

/**
 * Runs one command line (without `node netsmith`) and returns the exit code: 0 done, 1 failed, 2 bad input (nothing was
 * written), 128 and the number of the signal that interrupted it (130: Ctrl-C).
 */
export async function main(args: readonly string[], given?: Streams): Promise<number> {
  const streams = safeStreams(given ?? processStreams(() => failed()));
  // The process began with the command, unless a program runs the command.
  const began = given === undefined ? 0 : performance.now();
  const shell: Shell = { streams, exitCode: 0, elapsed: () => (performance.now() - began) / 1000 };
  const failed = () => {
    shell.exitCode = 1;
  };
  const json = args.includes('--json');
  try {
    await programOf(shell, json).parseAsync(args, { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    return explain(error, streams, json);
  }
}

function explain(error: unknown, streams: Streams, json: boolean): number {
  const say = (code: ErrorCode, message: string) =>
    streams.err(json ? `${JSON.stringify({ error: { code, message } })}\n` : `netsmith: ${message}\n`);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Without --json, Commander has printed its message already; a request for help has none.
    if (json && error.code !== 'commander.help') say('invalid-input', error.message.replace(/^error: /, ''));
    return 2;
  }
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UserError) {
    say(error.code, printable(error.message));
    return 2;
  }
  // Caused by the machine (a full disk): a stack trace would not help.
  const fault = stopped(error, 'stopped');
  if (fault instanceof StudyStopped) {
    say(fault.code, fault.message);
    return 1;
  }
  // Caused by the network, not by a bug: a stack trace would not help.
  if (error instanceof TrainingFailure) {
    say(error.code, `the training failed: ${error.message}`);
    return 1;
  }
  say(codeOf(error), error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error));
  return 1;
}
