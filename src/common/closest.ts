import { UserError } from './errors.ts';
import { shownValue } from './text.ts';

/** More names than these are not listed beside a suggestion. */
const LISTED = 12;

/**
 * The error for a name that is none of the known ones: `unknown strategy "tep"; did you mean "tpe"? It must be one of random, ...`.
 * `what` is what was named, with its place before it where it has one; `others` says what may stand in the place of a name.
 */
export function unknownName(what: string, name: string, known: readonly string[], others?: string): UserError {
  const meant = closest(name, known);
  const list = `must be one of ${known.join(', ')}${others === undefined ? '' : `, or ${others}`}`;
  const short = others === undefined ? '' : ` It may also be ${others}`;
  const rule =
    known.length === 0
      ? 'there are none'
      : meant === undefined
        ? `it ${list}`
        : `did you mean "${meant}"?${known.length > LISTED ? short : ` It ${list}`}`;
  return new UserError(`${what} ${shownValue(name)}; ${rule}`);
}

/** The known name that was most likely meant: at most a third of its characters are other ones. Undefined where none is near. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) =>
    text
      .slice(0, 100)
      .toLowerCase()
      .replaceAll(/[-_\s]/g, '');
  const [best] = known
    .map((one) => ({ one, distance: distanceOf(plain(name), plain(one)) }))
    .filter(({ one, distance }) => distance <= Math.max(1, Math.floor(plain(one).length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best?.one;
}

/** Letters put in, left out, exchanged, or swapped with the next (optimal string alignment). */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const at = (from: readonly number[], column: number) => from[column] ?? Number.POSITIVE_INFINITY;
      const other = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(above, j) + 1,
          at(row, j - 1) + 1,
          at(above, j - 1) + other,
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, above] = [above, row];
  }
  return above[b.length] ?? 0;
}
