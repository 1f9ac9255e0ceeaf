import { brand, type ErrorCode, NetsmithError } from '../common/errors.ts';

/**
 * A network that cannot be trained: it cannot be built for this task, or its loss is not finite any more. The message is
 * the reason as a sentence; an estimator lets the trial fail with it.
 */
export class TrainingFailure extends NetsmithError {
  static {
    brand(TrainingFailure, 'TrainingFailure');
  }
  override readonly name: string = 'TrainingFailure';
  readonly code: ErrorCode = 'training-failed';
}

/** A network whose training needs more memory than its process may still take. Both in bytes. */
export class MemoryShortage extends TrainingFailure {
  static {
    brand(MemoryShortage, 'MemoryShortage');
  }
  override readonly name = 'MemoryShortage';
  override readonly code = 'out-of-memory';
  readonly neededBytes: number;
  readonly leftBytes: number;

  constructor(neededBytes: number, leftBytes: number) {
    const left = leftBytes < MEBIBYTE ? 'nothing is left' : `${mebibytes(leftBytes)} are left`;
    super(`training needs about ${mebibytes(neededBytes)} of memory, but ${left} of the memory limit of this process`);
    this.neededBytes = neededBytes;
    this.leftBytes = leftBytes;
  }
}

const MEBIBYTE = 2 ** 20;

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE).toLocaleString('en-GB')} MiB`;
}
