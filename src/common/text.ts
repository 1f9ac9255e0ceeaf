/**
 * Text from a file or folder name, safe to print: control characters (escape sequences of a terminal among them),
 * bidirectional overrides, line separators and lone surrogates are shown as `\u001b`. So are tabs and line breaks.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Longer values are cut in messages: a wrong value can be a whole file. */
const MOST_SHOWN = 200;

/** Any value as a message shows it: `"x"`, `NaN`, `{"a":1}`, `a function`; never throws, and is never long. */
export function shownValue(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `a function (${value.name})`;
  const text =
    typeof value === 'string' || (typeof value === 'object' && value !== null) ? jsonOf(value) : String(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
}

/** Numbers that JSON has no word for are shown as they are. */
function jsonOf(value: unknown): string {
  try {
    const named = (_: string, one: unknown) =>
      typeof one === 'bigint' || (typeof one === 'number' && !Number.isFinite(one)) ? String(one) : one;
    return JSON.stringify(value, named) ?? 'an object';
  } catch {
    return 'an object that is no JSON';
  }
}
