import { invalid, messageOf, StudyStopped, UserError } from '../../common/errors.ts';

/** SQLite's primary result codes (https://sqlite.org/rescode.html): the file is not what was written. */
const DAMAGE = new Set([
  11, // CORRUPT
  18, // TOOBIG: a length in the file beyond all bounds
  24, // FORMAT
  26, // NOTADB
]);

/** What the machine refuses. */
const REFUSED: Readonly<Record<number, string>> = {
  3: 'access is denied',
  5: 'another process holds it for too long',
  6: 'another process holds it for too long',
  8: 'it cannot be written to',
  10: 'the disk does not answer as it should',
  13: 'the disk is full',
  14: 'it cannot be opened',
  15: 'another process holds it for too long',
};

const REFUSED_BY_SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  EIO: 'the disk does not answer as it should',
  EROFS: 'the file system can only be read',
  ESTALE: 'the file system is gone',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
};

/** `file` is not what Netsmith wrote. */
export function damaged(place: string, found: string): UserError {
  return invalid(
    place,
    found,
    'the file is damaged, or something other than Netsmith has changed it: restore the study from a copy (trials/*/metrics.json ' +
      'hold what its trials measured)',
  );
}

/**
 * What SQLite or the file system threw at `place`, as an error that says what to do: UserError where the file is
 * damaged, StudyStopped where the machine is at fault. Any other error is returned as it is.
 */
export function translated(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError || error instanceof StudyStopped) return error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') {
    const primary = errcode & 0xff;
    if (DAMAGE.has(primary) || /malformed|file format/.test(error.message)) return damaged(place, error.message);
    const refused = REFUSED[primary];
    return refused === undefined ? error : stopped(place, refused, error);
  }
  // A whole number in the file that JavaScript cannot hold.
  if (code === 'ERR_OUT_OF_RANGE') return damaged(place, error.message);
  const refused = typeof code === 'string' ? REFUSED_BY_SYSTEM[code] : undefined;
  return refused === undefined ? error : stopped(place, refused, error);
}

/** Runs `body`; what it throws is `translated`. */
export function guarded<T>(place: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw translated(error, place);
  }
}

function stopped(place: string, reason: string, error: unknown): StudyStopped {
  return new StudyStopped(`${place}: ${reason} (${messageOf(error)})`, { cause: error });
}
