/**
 * Netsmith in a browser: everything of `netsmith`, and the data that need no file. Searches run with a store in memory, workers in this
 * page, and a function of your own or a table as the judge of candidates (docs/library.md). It bundles with Vite and imports
 * nothing of Node.
 *
 * @packageDocumentation
 */
export { openDigits } from './data/digits/digits.ts';
export * from './index.ts';
