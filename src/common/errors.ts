/**
 * An error that a person can mend: it says where, which rule, and the value that broke it. The command line prints its
 * message without a stack and exits with code 2. Nothing has been changed when it is thrown.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The environment is at fault (a full disk, a study that was moved away): nothing failed, and trials go back to waiting. */
export class StudyStopped extends Error {
  override readonly name = 'StudyStopped';
}

/** `space "mine": choice "k" has 1 option; a choice needs at least 2` */
export function invalid(place: string, found: string, rule: string): UserError {
  return new UserError(`${place}: ${found}; ${rule}`);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
