import type { Rng } from '../../src/common/random.ts';

/** One input, made; `read` gives it to the parser and returns what the parser made of it, as plain data. */
export interface Input {
  /** The input itself, short, for the report of a failure. */
  readonly text: string;
  read(): Promise<unknown>;
}

/** A parser under test, and how inputs for it are made. */
export interface Parser {
  readonly name: string;
  /** The share of all inputs that this parser gets, relative to the others: slow parsers get fewer. */
  readonly weight: number;
  /** `scratch`: an empty folder for files. */
  open(scratch: string): Promise<(random: Rng) => Promise<Input> | Input>;
}
