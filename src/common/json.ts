import { invalid } from './errors.ts';

/** Plain JSON data. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * What `JSON.stringify` writes whole, whatever interfaces it is made of: `f<T>(value: T & Jsonable<T>)` takes such values, and neither
 * functions nor typed arrays.
 */
export type Jsonable<T> = T extends Json | undefined
  ? T
  : T extends ArrayBufferView | bigint | symbol | ((...args: never[]) => unknown)
    ? never
    : { readonly [K in keyof T]: Jsonable<T[K]> };

/** The deepest nesting that is read: far beyond any file that Netsmith writes, far below what overflows the stack. */
const MAX_DEPTH = 200;

/**
 * Reads JSON from a file or database that may have been edited. Throws UserError, with `place`, for
 * text that is not JSON or that nests deeper than `most` levels (default 200).
 */
export function parseJson(text: string, place: string, most: number = MAX_DEPTH): Json {
  // A short text cannot nest that deeply.
  if (text.length > most && depthOf(text) > most)
    throw invalid(place, 'is nested too deeply', `at most ${most} levels are allowed`);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const where = /\(line (\d+) column (\d+)\)/.exec(error instanceof Error ? error.message : '');
    const found = where === null ? 'is not valid JSON' : `is not valid JSON at line ${where[1]}, column ${where[2]}`;
    throw invalid(place, found, 'it must be JSON');
  }
}

/** The deepest nesting of brackets outside strings. Otherwise broken JSON may be counted wrongly; it is refused later. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}

/** Freezes plain data all the way down and returns it. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value) && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
