/**
 * Shortens each absolute path in a text to its last name, so that private folders are not revealed.
 * Knows paths of POSIX and Windows and `file:` URLs, in quotation marks (then also with spaces) or bare.
 */
export function withoutFolders(text: string): string {
  if (WHOLE.test(text)) return lastName(text);
  return (
    text
      // A shell's word has an apostrophe as '\\'' within.
      .replace(/"[^"\n]*"|'(?:[^'\n]|'\\'')*'|`[^`\n]*`/g, (quoted) => {
        const inner = quoted.slice(1, -1);
        const [mark] = quoted;
        return WHOLE.test(inner) ? `${mark}${lastName(inner)}${mark}` : quoted;
      })
      .replace(BARE, '')
  );
}

const ROOT = String.raw`(?:file:\/\/)?(?:[A-Za-z]:[\\/]|[\\/]{1,2})`;
/** Nothing but a path: a root and a name, with folders between them or not. */
const WHOLE = new RegExp(String.raw`^${ROOT}[^\\/\s][^\n]*$`);
/** The folders of a path within a sentence; at least one, as a slash may also mean something else. */
const BARE = new RegExp(String.raw`(?<![\w.:/\\<])${ROOT}(?:[^\\/\s"'<>|:*?]+[\\/])+(?=[^\\/\s])`, 'g');

function lastName(path: string): string {
  return path.split(/[\\/]/).findLast((name) => name !== '') ?? path;
}

/** Plain data with all its texts so. */
export function valuesWithoutFolders<T>(value: T): T {
  return map(value) as T;
}

function map(value: unknown): unknown {
  if (typeof value === 'string') return withoutFolders(value);
  if (Array.isArray(value)) return value.map(map);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, map(one)]));
}
