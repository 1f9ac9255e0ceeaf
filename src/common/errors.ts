/**
 * An error that the user can fix: it states the place, what was found, and the rule. The command line prints its message
 * without a stack and exits with code 2. Nothing has been changed when it is thrown.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Samples cannot be read because a file is damaged or missing; this is not the fault of a candidate. */
export class DataError extends UserError {}

/**
 * The disk, the folder or the machine is at fault, not a candidate: the study stops, its running trials are paused, and
 * `resume` produces the same trials as an undisturbed study. The command line prints the message without a stack and exits
 * with code 1.
 */
export class StudyStopped extends Error {
  override readonly name = 'StudyStopped';
}

/** What the operating system answers when the machine is at fault, and what a person then has to know. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk cannot be read or written (input/output error)',
  EROFS: 'the file system is read-only',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
  ESTALE: 'the file system is no longer available',
  EACCES: 'permission is denied',
  EPERM: 'the operation is not permitted',
};

/** Primary result codes of SQLite (sqlite.org/rescode.html) that say the same. */
const SQLITE: Readonly<Record<number, string>> = {
  3: 'access is denied',
  5: 'another process has locked the database for too long',
  6: 'another process has locked the database for too long',
  8: 'the database is read-only',
  10: SYSTEM.EIO as string,
  13: SYSTEM.ENOSPC as string,
  14: 'the database cannot be opened',
  15: 'another process has locked the database for too long',
};

/** `no space is left on the disk (ENOSPC)`, where this error or what caused it is the machine's fault; undefined for any other. */
export function environmentFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const fault = typeof errcode === 'number' ? SQLITE[errcode & 0xff] : SYSTEM[String(code)];
  if (fault === undefined) return environmentFault(error.cause);
  return `${fault} (${typeof errcode === 'number' ? `SQLite: ${error.message}` : code})`;
}

/**
 * The error as a StudyStopped that names `place` (`file "runs/mine/study.db"`), where the machine is at fault; any other
 * error as it is.
 */
export function stopped(error: unknown, place: string): unknown {
  if (error instanceof StudyStopped) return error;
  const fault = environmentFault(error);
  return fault === undefined ? error : new StudyStopped(`${place}: ${fault}`, { cause: error });
}

/** `space "mine": choice "k" has 1 option; a choice needs at least 2` */
export function invalid(place: string, found: string, rule: string): UserError {
  return new UserError(`${place}: ${found}; ${rule}`);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
