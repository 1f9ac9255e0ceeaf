import { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import stringWidth from 'string-width';
import { printable } from '../common/text.ts';
import { showSeconds } from '../report/numbers.ts';

/** A terminal: what a picture that changes is drawn on. */
export interface Screen {
  readonly isTTY: true;
  /** Undefined where the terminal does not tell; then it counts as 80 by 24. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  write(text: string): boolean;
  /** Returns what takes the listener away again. */
  onResize(listener: () => void): () => void;
}

/** Monotonic milliseconds. */
export type Now = () => number;

/** A picture at the bottom of a terminal, and above it the lines that stay. */
export interface Live {
  /** Something has changed: draws, unless that was done a moment ago. */
  changed(): void;
  /** A line that stays, above the picture; long ones go over several rows. */
  say(text: string): void;
  /** Takes the picture away. */
  close(): void;
}

/** Draws are at least so far apart; what changes in between is drawn by the next tick. */
const LEAST_MS = 80;
const TICK_MS = 250;

/** `picture` gives the lines for a terminal of `columns` columns; each must fit (`clip`). */
export function openLive(screen: Screen, picture: (columns: number) => readonly string[], now: Now): Live {
  const log = createLogUpdate(streamOf(screen), { defaultWidth: 80, defaultHeight: 24 });
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn: readonly string[] = [];
  const draw = () => {
    drawnAt = now();
    // In the last column many terminals would begin a new row.
    const lines = picture((screen.columns ?? 80) - 1);
    // A picture that is higher than the terminal cannot be taken back.
    drawn = lines.slice(0, Math.max(1, (screen.rows ?? 24) - 1));
    log(drawn.join('\n'));
  };
  const timer = setInterval(draw, TICK_MS);
  const offResize = screen.onResize(() => {
    // The terminal has wrapped the old lines to its new width, so that the picture is higher than it was.
    const columns = Math.max(1, screen.columns ?? 80);
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0);
    screen.write(rows === 0 ? '' : `\u001b[${rows}A\u001b[G\u001b[J`);
    log.done();
    draw();
  });
  return {
    changed() {
      if (now() - drawnAt >= LEAST_MS) draw();
    },
    say(text) {
      log.clear();
      screen.write(`${text.split('\n').map(printable).join('\n')}\n`);
      draw();
    },
    close() {
      clearInterval(timer);
      offResize();
      log.clear();
      log.done();
    },
  };
}

/** The terminal as a stream of Node, which is what log-update draws on. */
function streamOf(screen: Screen): NodeJS.WritableStream {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      screen.write(String(text));
      done();
    },
  });
  return Object.defineProperties(stream, {
    isTTY: { value: true },
    columns: { get: () => screen.columns },
    rows: { get: () => screen.rows },
  });
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * The text in at most `columns` columns of a terminal, cut with an ellipsis; wide characters count as two. Nothing in it can steer the
 * terminal.
 */
export function clip(unsafe: string, columns: number): string {
  const text = printable(unsafe);
  if (stringWidth(text) <= columns) return text;
  let [cut, width] = ['', 0];
  for (const { segment } of graphemes.segment(text)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** Padded with spaces to `columns` columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}

/** `████░░░░`: a fraction from 0 to 1 in `cells` cells. Full only when all is done. */
export function bar(share: number, cells: number): string {
  const bounded = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  const full = bounded === 1 ? cells : Math.min(cells - 1, Math.floor(bounded * cells));
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** A line of a picture: a name, a bar where there is a share, and what it says. */
export interface Row {
  readonly name: string;
  readonly share?: number;
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Rows under a heading, names and bars below one another, each line within the columns. */
export function drawRows(heading: string, rows: readonly Row[], columns: number): string[] {
  const names = Math.min(Math.max(0, ...rows.map(({ name }) => stringWidth(name))), Math.floor(columns * 0.4));
  const cells = Math.min(24, Math.max(4, Math.floor((columns - 30) / 4)));
  return [
    colors.bold(clip(heading, columns)),
    ...rows.map(({ name, share, text, paint = (plain: string) => plain }) => {
      const parts = [pad(clip(name, names), names), ...(share === undefined ? [] : [bar(share, cells)]), text];
      return paint(clip(parts.join('  '), columns));
    }),
  ];
}

/** `about 2 min 10 s left (1 min 20 s so far)`: the most useful part comes first, since narrow terminals cut the end. */
export function timeText(elapsed: number, left: number | undefined): string {
  return left === undefined || left <= 0
    ? showSeconds(elapsed)
    : `about ${roughly(left)} left (${showSeconds(elapsed)} so far)`;
}

/** An estimate, without a precision that it has not: `8 s`, `2 min 10 s`, `1 h 5 min`. */
export function roughly(seconds: number): string {
  const step = seconds < 60 ? 1 : 10;
  return showSeconds(Math.max(1, Math.round(seconds / step) * step)).replace(/\.0 s$/, ' s');
}

/** Seconds left when this fraction has taken `elapsed` seconds; undefined when it is too early to estimate. */
export function secondsLeftOf(share: number, elapsed: number): number | undefined {
  return share > 0 && elapsed > 0 ? (elapsed / share) * (1 - share) : undefined;
}
