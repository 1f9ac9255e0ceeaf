/** Text files as they are: UTF-8 or UTF-16, gzipped or not. */
import { invalid } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { readUnpacked } from './files.node.ts';
import { utf8Lines } from './table-bytes.node.ts';

/** Formats that people take for plain text, by their first bytes in Latin-1. */
const NO_TEXT: readonly (readonly [first: string, what: string])[] = [
  ['PK\x03\x04', 'a ZIP file, such as a Word document or an e-book'],
  ['%PDF-', 'a PDF'],
  ['{\\rtf', 'a document in Rich Text Format'],
  ['\xd0\xcf\x11\xe0', 'an old Office document'],
  ...['BZh', '\xfd7zXZ', '\x28\xb5\x2f\xfd', '7z\xbc\xaf', 'Rar!'].map(
    (first) => [first, 'a compressed file other than gzip'] as const,
  ),
];

/**
 * The text of a file; its lines end in line feeds. Throws UserError that names the file, and where one is known the line, for a file that
 * cannot be read, is empty, is of another format, or is not UTF-8 or UTF-16.
 */
export async function readText(path: string): Promise<string> {
  const place = `file "${printable(path)}"`;
  const bytes = await readUnpacked(path);
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  const format = NO_TEXT.find(([first]) => start.startsWith(first));
  if (format !== undefined) throw invalid(place, `it is ${format[1]}`, 'must be plain text (UTF-8)');
  const text = new TextDecoder().decode(utf8Lines(place, bytes));
  if (text.trim() === '') throw invalid(place, 'it has no text', 'must have some');
  return text;
}
