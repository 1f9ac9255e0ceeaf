/** The bytes of a table's file as UTF-8 text with line feeds, or a refusal that says what the file is instead. */
import { isUtf8 } from 'node:buffer';
import { invalid } from '../../common/errors.ts';
import { thousands } from '../split.ts';

/** How files begin that are taken for tables, in Latin-1, and what to do with them. */
const FORMATS: readonly (readonly [first: string | RegExp, what: string, cure: string])[] = [
  ['PK\x03\x04', 'an Excel workbook or another ZIP file', 'save it as CSV (in Excel: "CSV UTF-8")'],
  ['\xd0\xcf\x11\xe0', 'an old Excel workbook (.xls)', 'save it as CSV (in Excel: "CSV UTF-8")'],
  [/^PAR1/, 'a Parquet file', 'save it as CSV'],
  [/^ARROW1/, 'an Arrow or Feather file', 'save it as CSV'],
  [/^SQLite format 3/, 'an SQLite database', 'save the table as CSV'],
  [/^\x89HDF/, 'an HDF5 file', 'save the table as CSV'],
  [/^%PDF-/, 'a PDF', 'the table must be CSV'],
  [/^(BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!)/, 'a compressed file other than gzip', 'unpack it first'],
  [
    /^(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|head|body)/i,
    'a web page or XML',
    'the download may have failed; the table must be CSV',
  ],
  [/^(\xef\xbb\xbf)?\s*[[{]\s*["{[\]}]/, 'JSON', 'save it as CSV'],
  [/^(\xef\xbb\xbf)?\s*@relation\s/im, 'an ARFF file', 'save it as CSV'],
];

/** Throws UserError, with `place`, for another format, bytes that are not text, and text in an encoding that is not known. */
export function tableText(place: string, bytes: Uint8Array): Uint8Array {
  const start = Buffer.from(bytes.subarray(0, 2000)).toString('latin1');
  for (const [first, what, cure] of FORMATS) {
    if (typeof first === 'string' ? start.startsWith(first) : first.test(start))
      throw invalid(place, `it is ${what}`, cure);
  }
  return utf8Lines(place, bytes);
}

/**
 * Bytes as UTF-8 whose lines end in line feeds: UTF-16 is converted. Throws UserError, with `place` and the line, for NUL bytes and for what
 * is neither of the two encodings.
 */
export function utf8Lines(place: string, bytes: Uint8Array): Uint8Array {
  const decoded = utf16(place, bytes) ?? bytes;
  const zero = decoded.indexOf(0);
  if (zero >= 0) {
    throw invalid(
      `${place}, line ${thousands(lineAt(decoded, zero))}`,
      'found a NUL byte, which is not text',
      'save it as UTF-8',
    );
  }
  if (!isUtf8(decoded)) {
    throw invalid(`${place}, line ${thousands(firstBadLine(decoded))}`, 'not UTF-8 text', 'save it as UTF-8');
  }
  return withLineFeeds(decoded);
}

/**
 * UTF-16 as UTF-8, by its byte order mark, or by the zeros of its Latin letters. Throws UserError, with the line, for half of a character
 * (a lone surrogate).
 */
function utf16(place: string, bytes: Uint8Array): Uint8Array | undefined {
  const [a, b] = bytes;
  const zeros = (parity: number) =>
    bytes.subarray(0, 200).reduce((sum, byte, k) => sum + (byte === 0 && k % 2 === parity ? 1 : 0), 0);
  const half = Math.min(bytes.length, 200) / 4;
  const little =
    (a === 0xff && b === 0xfe && !(bytes[2] === 0 && bytes[3] === 0)) || (zeros(1) > half && zeros(0) === 0);
  const big = (a === 0xfe && b === 0xff) || (zeros(0) > half && zeros(1) === 0);
  if (!little && !big) return undefined;
  const decoder = new TextDecoder(little ? 'utf-16le' : 'utf-16be', { fatal: true });
  const text = attempt(() => decoder.decode(bytes));
  if (text !== undefined) return new TextEncoder().encode(text);
  const swapped = little ? Buffer.from(bytes) : Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
  const read = swapped.toString('utf16le');
  // What is well-formed but for its length ends within a character.
  const lone = read.search(/\p{Surrogate}/u);
  const line = read.slice(0, lone < 0 ? read.length : lone).split('\n').length;
  throw invalid(`${place}, line ${thousands(line)}`, 'half of a character (not UTF-16 text)', 'save it as UTF-8');
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Carriage returns, alone or before a line feed, as line feeds. */
function withLineFeeds(bytes: Uint8Array): Uint8Array {
  const first = bytes.indexOf(13);
  if (first < 0) return bytes;
  const out = new Uint8Array(bytes.length);
  out.set(bytes.subarray(0, first));
  let at = first;
  for (let k = first; k < bytes.length; k++) {
    const byte = bytes[k] ?? Number.NaN;
    if (byte === 13 && bytes[k + 1] === 10) continue;
    out[at++] = byte === 13 ? 10 : byte;
  }
  return out.subarray(0, at);
}

function lineAt(bytes: Uint8Array, end: number): number {
  let line = 1;
  for (let k = 0; k < end; k++) if (bytes[k] === 10) line++;
  return line;
}

function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  return line;
}
