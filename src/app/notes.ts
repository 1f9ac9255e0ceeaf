/** Where sentences for people go that are no result: the command line's standard error, a library user's log. */
export interface Notes {
  note(text: string): void;
}
