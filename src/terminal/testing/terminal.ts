import stringWidth from 'string-width';
import type { Screen } from '../screen.ts';

/** A terminal without a window: it understands what a live view writes, and shows the visible rows. */
export interface FakeTerminal extends Screen {
  columns: number;
  rows: number;
  /** All rows since the start, without trailing spaces and empty rows at the end. */
  shown(): string[];
  resize(columns: number): void;
}

/** Rows are kept without a limit, so that what scrolled away is seen, too. Throws Error for an escape that it does not know. */
export function fakeTerminal(columns: number, rows = 40): FakeTerminal {
  let lines: string[] = [''];
  let [row, column] = [0, 0];
  const listeners = new Set<() => void>();
  const terminal: FakeTerminal = {
    isTTY: true,
    columns,
    rows,
    write(text) {
      for (const [token, parameter = '', command] of text.matchAll(TOKENS)) {
        if (command !== undefined) perform(parameter, command);
        else if (token === '\n') newLine();
        else put(token);
      }
      return true;
    },
    shown: () => lines.map((line) => line.trimEnd()).filter((_, i, all) => all.slice(i).some((rest) => rest !== '')),
    resize(width) {
      terminal.columns = width;
      // As terminals do: what is too long for the new width wraps into a new row.
      const wrapped = lines.map((line) => wrap(line.trimEnd(), width));
      row = wrapped.slice(0, row).flat().length;
      lines = wrapped.flat();
      for (const listener of listeners) listener();
    },
    onResize(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };

  function newLine(): void {
    row++;
    column = 0;
    while (lines.length <= row) lines.push('');
  }

  function put(character: string): void {
    const width = stringWidth(character);
    if (column + width > terminal.columns) newLine();
    const line = lines[row] ?? '';
    const before = line.slice(0, column).padEnd(column);
    lines[row] = before + character + line.slice(column + character.length);
    column += character.length;
  }

  function perform(parameter: string, command: string): void {
    const count = Number(parameter || 1);
    switch (command) {
      case 'A':
        row = Math.max(0, row - count);
        break;
      case 'B':
        row += count;
        break;
      case 'G':
        column = count - 1;
        break;
      case 'K':
        lines[row] = parameter === '2' ? '' : (lines[row] ?? '').slice(0, column);
        break;
      case 'J':
        lines = [...lines.slice(0, row), (lines[row] ?? '').slice(0, column)];
        break;
      case 'm': // colors
      case 'h': // modes: synchronized output, cursor
      case 'l':
        break;
      default:
        throw new Error(`escape ${parameter}${command}`);
    }
  }
  return terminal;
}

function wrap(line: string, width: number): string[] {
  const parts = [];
  for (let at = 0; at === 0 || at < line.length; at += width) parts.push(line.slice(at, at + width));
  return parts;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it looks for
const TOKENS = /\u001b\[\??(\d*)([A-Za-z])|\n|[^\n]/gsu;
