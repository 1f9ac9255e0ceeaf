import { invalid, StudyStopped, stopped, UserError } from '../../common/errors.ts';

/** SQLite's primary result codes (https://sqlite.org/rescode.html): the file is not what was written. */
const DAMAGE: Readonly<Record<number, string>> = {
  11: 'its contents contradict each other', // CORRUPT
  18: 'it states a length that no value can have', // TOOBIG
  24: 'it is not a database of SQLite 3', // FORMAT
  26: 'it is not a database', // NOTADB
};

/** `file` is not what Netsmith wrote. */
export function damaged(place: string, found: string): UserError {
  return invalid(
    place,
    found,
    'the file is damaged, or another program has changed it: restore the study from a copy (trials/*/metrics.json ' +
      'contain the results of its trials)',
  );
}

/**
 * What SQLite or the file system threw at `place`, as an error that says what to do: UserError where the file is
 * damaged, StudyStopped for failures of the machine. Any other error is returned unchanged, and so is one for lack of
 * permission, as the user can choose another place.
 */
export function translated(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError || error instanceof StudyStopped) return error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') {
    const damage = DAMAGE[errcode & 0xff] ?? (/malformed|file format/.test(error.message) ? DAMAGE[11] : undefined);
    return damage === undefined ? stopped(error, place) : damaged(place, damage);
  }
  // A whole number in the file that JavaScript cannot hold.
  if (code === 'ERR_OUT_OF_RANGE') return damaged(place, 'it has a number that is too large');
  return code === 'EACCES' || code === 'EPERM' ? error : stopped(error, place);
}

/** Runs `body`; what it throws is `translated`. */
export function guarded<T>(place: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw translated(error, place);
  }
}
