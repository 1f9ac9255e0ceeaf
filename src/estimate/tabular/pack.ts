/**
 * Columns of numbers in few bytes. A pack is the gzip of: the length of a header (4 bytes, little-endian), the header (JSON),
 * then one column after another. A column holds fixed-point numbers, `round(value * 10^decimals)`, as byte planes: the
 * lowest byte of every row, then the next of every row, and so on, which gzip makes smaller than whole numbers.
 */
import { invalid } from '../../common/errors.ts';
import { inflate } from '../../common/inflate.ts';

export interface PackColumn {
  readonly name: string;
  readonly values: readonly number[];
  /** Digits after the point that are kept. */
  readonly decimals: number;
}

export interface Pack {
  /** Notes of the packer: source, license, order of the rows. */
  readonly about: string;
  readonly rows: number;
  /** Throws Error for a name that the pack does not have. */
  column(name: string): Float64Array;
}

interface Header {
  readonly about: string;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly decimals: number; readonly bytes: number }[];
}

/** The pack, before it is compressed. Values must be finite and at least 0, and at most 2^48 in fixed point. */
export function packColumns(about: string, columns: readonly PackColumn[]): Uint8Array {
  const rows = columns[0]?.values.length ?? 0;
  const fixed = columns.map(({ name, values, decimals }) => {
    const numbers = values.map((value) => Math.round(value * 10 ** decimals));
    const wrong = numbers.find((number) => !(number >= 0 && number < 2 ** 48));
    if (wrong !== undefined) throw invalid(`column "${name}"`, `holds ${wrong}`, 'must be from 0 to 2^48');
    const most = numbers.reduce((a, b) => Math.max(a, b), 0);
    return { name, decimals, numbers, bytes: Math.max(1, Math.ceil(Math.log2(most + 1) / 8)) };
  });
  const header: Header = {
    about,
    rows,
    columns: fixed.map(({ name, decimals, bytes }) => ({ name, decimals, bytes })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const packed = new Uint8Array(4 + text.length + rows * fixed.reduce((sum, { bytes }) => sum + bytes, 0));
  new DataView(packed.buffer).setUint32(0, text.length, true);
  packed.set(text, 4);
  let at = 4 + text.length;
  for (const { numbers, bytes } of fixed)
    for (let byte = 0; byte < bytes; byte++)
      for (const number of numbers) packed[at++] = Math.floor(number / 256 ** byte) % 256;
  return packed;
}

/** What a pack holds. */
export async function openPack(gzipped: Uint8Array<ArrayBuffer>): Promise<Pack> {
  const packed = await inflate(gzipped, 'gzip');
  const length = new DataView(packed.buffer).getUint32(0, true);
  const { about, rows, columns } = JSON.parse(new TextDecoder().decode(packed.subarray(4, 4 + length))) as Header;
  return {
    about,
    rows,
    column(name) {
      let at = 4 + length;
      for (const { name: other, decimals, bytes } of columns) {
        if (other === name) return unpack(packed.subarray(at, at + rows * bytes), rows, 10 ** decimals);
        at += rows * bytes;
      }
      throw new Error(`the pack has no column "${name}"`);
    },
  };
}

function unpack(planes: Uint8Array, rows: number, scale: number): Float64Array {
  const values = new Float64Array(rows);
  for (let start = 0, weight = 1; start < planes.length; start += rows, weight *= 256)
    for (let row = 0; row < rows; row++)
      values[row] = (values[row] ?? Number.NaN) + (planes[start + row] ?? Number.NaN) * weight;
  return values.map((number) => number / scale);
}
