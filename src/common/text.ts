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
