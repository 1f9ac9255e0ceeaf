/** Where notes for the user go: the command line's standard error, a library user's log. */
export interface Notes {
  note(text: string): void;
}
