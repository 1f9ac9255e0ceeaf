/** One input of `../shared/cases`, and what Netsmith must make of it. */
export interface Case {
  /** The file or folder, inside `cases`. */
  readonly input: string;
  /** Further arguments of the command line. */
  readonly args?: readonly string[];
  readonly expect: {
    /** At least this accuracy on the test part, in [0, 1]. */
    readonly accuracy?: number;
    /** At least this r2 on the test part (with `--regression` in `args`). */
    readonly r2?: number;
    /** One of the notes matches. */
    readonly note?: RegExp;
    /** Exit code 2, and the message matches. */
    readonly refused?: RegExp;
    /** The number of classes that are read. */
    readonly classes?: number;
  };
}
