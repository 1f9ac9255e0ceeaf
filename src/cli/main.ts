import { CommanderError } from 'commander';
import { netsmithVersion } from '../app/versions.ts';
import { messageOf, StudyStopped, stopped, UserError } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { TrainingFailure } from '../train/failure.ts';
import { addBest } from './best.ts';
import { createProgram, type Shell } from './command.ts';
import { addCompare } from './compare.ts';
import { addCompletion } from './completion.ts';
import { addData } from './data.ts';
import { addDoctor } from './doctor.ts';
import { addEvaluate } from './evaluate.ts';
import { addExport } from './export.ts';
import { addInit } from './init.ts';
import { Interrupted } from './interrupt.ts';
import { addLs } from './ls.ts';
import { type Streams, safeStreams } from './output.ts';
import { addPredict } from './predict.ts';
import { addReport } from './report.ts';
import { addResume } from './resume.ts';
import { addRun } from './run.ts';
import { addSamples } from './samples.ts';
import { addSearch } from './search.ts';
import { addShow } from './show.ts';
import { addSpaces } from './spaces.ts';
import { addStatus } from './status.ts';
import { addStrategies } from './strategies.ts';
import { processStreams } from './streams.ts';
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
  addTrain,
  addSpaces,
  addSamples,
  addStrategies,
  addData,
  addDoctor,
  addCompletion,
] as const;

/**
 * Runs one command line (without `node netsmith`) and returns the exit code: 0 done, 1 failed, 2 bad input (nothing was
 * written), 128 and the number of the signal that interrupted it (130: Ctrl-C).
 */
export async function main(args: readonly string[], given?: Streams): Promise<number> {
  const streams = safeStreams(given ?? processStreams(() => failed()));
  const shell: Shell = { streams, exitCode: 0 };
  const failed = () => {
    shell.exitCode = 1;
  };
  const program = createProgram(shell, netsmithVersion());
  for (const add of COMMANDS) add(program, shell);
  try {
    await program.parseAsync(args, { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    return explain(error, streams);
  }
}

function explain(error: unknown, streams: Streams): number {
  // Commander has printed its message already; only a request for help or for the version is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) return error.exitCode;
  // By name: a space of the person's own file may bring another copy of the library with it.
  if (error instanceof Error && error.name === UserError.name) {
    streams.err(`netsmith: ${printable(error.message)}\n`);
    return 2;
  }
  // The machine's doing (a full disk): a stack would say nothing.
  const fault = stopped(error, 'stopped');
  if (fault instanceof StudyStopped) {
    streams.err(`netsmith: ${fault.message}\n`);
    return 1;
  }
  // The network's doing, not the program's.
  if (error instanceof TrainingFailure) {
    streams.err(`netsmith: the training failed: ${error.message}\n`);
    return 1;
  }
  streams.err(`netsmith: ${error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error)}\n`);
  return 1;
}
