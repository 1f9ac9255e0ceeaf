import { printable } from '../common/text.ts';

/** What was decided about columns, collected so that many columns with the same fate make one sentence. */
export interface Notes {
  /** `about` follows the column's name: `left out, it numbers the rows`. */
  add(column: string, about: string): void;
  /** `Columns "a", "b": left out, it numbers the rows.` */
  sentences(): string[];
}

/** Columns that a sentence names. */
const NAMED = 5;

export function columnNotes(): Notes {
  const byText = new Map<string, string[]>();
  return {
    add(column, about) {
      const columns = byText.get(about) ?? [];
      if (columns.at(-1) !== column) byText.set(about, [...columns, column]);
    },
    sentences() {
      return [...byText].map(([about, names]) => {
        const listed = names
          .slice(0, NAMED)
          .map((name) => `"${printable(name)}"`)
          .join(', ');
        const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
        return `Column${names.length === 1 ? '' : 's'} ${listed}${more}: ${about}.`;
      });
    },
  };
}
