/**
 * Every code that an error of Netsmith can have. Codes are stable: programs may branch on them, where messages are for
 * people and may change. docs/errors.md says when each occurs and what to do.
 */
export const ERROR_CODES = [
  'invalid-input',
  'unreadable-data',
  'study-stopped',
  'training-failed',
  'out-of-memory',
  'trial-failed',
  'stale-writer',
  'invalid-graph',
  'interrupted',
  'unexpected',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** On the prototype of a class of errors: its name, the same in every copy of the package. */
const BRAND = Symbol.for('netsmith.error');

const brandOf = (prototype: object): unknown => Object.getOwnPropertyDescriptor(prototype, BRAND)?.value;

/**
 * Makes `instanceof type` true for the errors of the class of this name in any copy of the package: a file of the
 * user's own may import another copy than the one that runs it.
 */
export function brand(type: { readonly prototype: object }, name: string): void {
  Object.defineProperty(type.prototype, BRAND, { value: name });
}

/** The base of all that Netsmith throws on purpose. Any other error is a defect of Netsmith or of the user's own code. */
export abstract class NetsmithError extends Error {
  static {
    brand(NetsmithError, 'NetsmithError');
  }

  /** Also true for an error of another copy of the package. A class without a brand (a subclass of the user's) is compared as usual. */
  // biome-ignore-start lint/complexity/noThisInStatic: `this` is the class on the right of instanceof, a subclass too
  static override [Symbol.hasInstance](value: unknown): boolean {
    const wanted = brandOf(this.prototype);
    if (wanted === undefined) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== 'object' || value === null) return false;
    for (let at: unknown = value; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at))
      if (brandOf(at) === wanted) return true;
    return false;
  }
  // biome-ignore-end lint/complexity/noThisInStatic: see above

  abstract readonly code: ErrorCode;
}

/** Whether Netsmith threw this on purpose; also true for an error of another copy of the package. */
export function isNetsmithError(error: unknown): error is NetsmithError {
  return error instanceof NetsmithError;
}

/** The code of anything that was thrown: `unexpected` for an error that Netsmith did not throw on purpose. */
export function codeOf(error: unknown): ErrorCode {
  return isNetsmithError(error) ? error.code : 'unexpected';
}

/**
 * An error that the user can fix: it states the place, what was found, and the rule. The command line prints its message
 * without a stack and exits with code 2. Nothing has been changed when it is thrown.
 */
export class UserError extends NetsmithError {
  static {
    brand(UserError, 'UserError');
  }
  override readonly name: string = 'UserError';
  readonly code: ErrorCode = 'invalid-input';
}

/** Samples cannot be read because a file is damaged or missing; this is not the fault of a candidate. */
export class DataError extends UserError {
  static {
    brand(DataError, 'DataError');
  }
  override readonly name = 'DataError';
  override readonly code = 'unreadable-data';
}

/**
 * The disk, the folder or the machine failed, not a candidate: the study stops, its running trials are paused, and
 * `resume` produces the same trials as an undisturbed study. The command line prints the message without a stack and exits
 * with code 1.
 */
export class StudyStopped extends NetsmithError {
  static {
    brand(StudyStopped, 'StudyStopped');
  }
  override readonly name = 'StudyStopped';
  readonly code = 'study-stopped';
}

/** Error codes of the operating system for failures of the machine, and what the user has to know. */
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
  return `${fault} (${typeof errcode === 'number' ? `SQLite error ${errcode}` : code})`;
}

/**
 * The error as a StudyStopped that names `place` (`file "runs/mine/study.db"`), for failures of the machine; any other
 * error as it is.
 */
export function stopped(error: unknown, place: string): unknown {
  if (error instanceof StudyStopped) return error;
  const fault = environmentFault(error);
  return fault === undefined ? error : new StudyStopped(`${place}: ${fault}`, { cause: error });
}

/** `space "mine": choice "k" has 1 option; a choice needs at least 2` */
export function invalid(place: string, found: string, rule: string): UserError {
  return new UserError(`${cut(place)}: ${cut(found)}; ${rule}`);
}

/** Places and values can hold text of a whole file; what tells them apart is at the beginning and the end. */
function cut(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 400)}...${text.slice(-100)}` : text;
}

/** What the operating system says of a path that cannot be used as asked, beside the faults of the machine. */
const PATHS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EEXIST: 'it exists already',
  ENOTEMPTY: 'the folder is not empty',
  ELOOP: 'it is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'the name is too long',
  EBUSY: 'another program is using it',
  EXDEV: 'it lies on another file system',
  ETXTBSY: 'another program is running it',
  ENOTFOUND: 'the server cannot be found',
  EAI_AGAIN: 'the name of the server cannot be looked up',
  ECONNREFUSED: 'the server refuses the connection',
  ECONNRESET: 'the connection was lost',
  ETIMEDOUT: 'the server does not answer',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    'Node runs no TypeScript under node_modules; copy the file into your project',
  EPIPE: 'the reader has closed the pipe',
  ERR_INVALID_ARG_VALUE: 'no path can hold this text',
};

/** The message of anything that was thrown. An error of the operating system is reworded and keeps its code: `permission is denied (EACCES)`. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isNetsmithError(error) || !('code' in error)) return error.message;
  const code = String(error.code);
  const known = SYSTEM[code] ?? PATHS[code];
  return known === undefined ? error.message : `${known} (${code})`;
}
