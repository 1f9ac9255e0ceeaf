import stringWidth from 'string-width';
import { largest } from '../common/extremes.ts';
import type { Jsonable } from '../common/json.ts';
import { printable } from '../common/text.ts';
import type { Row, Screen } from './screen.ts';

/** Where a command writes. `out` is for results alone; everything else goes to `err`. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
  /** Whether `err` is a terminal, where a live view makes sense. */
  readonly terminal: boolean;
  /** The terminal, where there is one. */
  readonly screen?: Screen;
}

/** Output of a command: results as text or JSON, and notes unless `--quiet` is set. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Where a picture can be drawn that changes; undefined: there are lines alone. */
  readonly screen: Screen | undefined;
  /** The last line of each live picture, if there is to be one. */
  footer?(): Row;
  /** A note for the user, on standard error. */
  note(text: string): void;
  /** The command's result, on standard output: the value with --json, else the text. */
  result<T>(value: T & Jsonable<T>, text: string): void;
}

export function createOutput(streams: Streams, options: { readonly json?: boolean; readonly quiet?: boolean }): Output {
  const { json = false, quiet = false } = options;
  return {
    json,
    quiet,
    screen: quiet ? undefined : streams.screen,
    note: (text) => {
      if (!quiet) streams.err(`${text}\n`);
    },
    result: (value, text) => streams.out(`${json ? JSON.stringify(value, null, 2) : text}\n`),
  };
}

/**
 * Streams that a name or a message from outside cannot steer: control characters are shown as `\u001b` on every line. That is how
 * JSON escapes them too, so its values stay the same.
 */
export function safeStreams(streams: Streams): Streams {
  const safe = (text: string) => text.split('\n').map(printable).join('\n');
  return { ...streams, out: (text) => streams.out(safe(text)), err: (text) => streams.err(safe(text)) };
}

/** Columns of a terminal. A no-break space is as wide as a space, which is measured in a fiftieth of the time. */
const widthOf = (text: string): number => stringWidth(text.replaceAll('\u00a0', ' '));

/** Lines of cells, columns aligned by their width in a terminal, numbers to the right. A cell stays on its line. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => printable(String(cell))));
  const measured = cells.map((row) => row.map(widthOf));
  const widths = head.map((_, column) => largest(measured.map((row) => row[column] ?? 0)));
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return cells
    .map((row, i) =>
      row
        .map((cell, column) => {
          const space = ' '.repeat((widths[column] ?? 0) - (measured[i]?.[column] ?? 0));
          return right[column] ? space + cell : cell + space;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
