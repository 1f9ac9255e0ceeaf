import { createHash } from 'node:crypto';
import { invalid, type UserError } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { thousands } from '../split.ts';
import { bmpHeader } from './bmp.ts';
import { readPart, readRegular } from './files.node.ts';
import {
  atMost,
  checkSize,
  isBmp,
  isDeep,
  MAX_FILE_BYTES,
  OPTIONS,
  openImage,
  reasonOf,
  TOGETHER,
} from './image.node.ts';

/** How the files of these formats begin, as Latin-1 text. */
const SIGNATURES = [
  /^\xff\xd8\xff/,
  /^\x89PNG/,
  /^GIF8/,
  /^RIFF.{4}WEBP/s,
  /^(II[*+]\0|MM\0[*+])/,
  /^.{4}ftyp/s,
  /^BM/,
];

export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly color: boolean;
  readonly alpha: boolean;
  /** More than 8 bits a sample, as libvips names it (`ushort`, `float`). */
  readonly deep: string | undefined;
  /** Above 1: an animation, or several pages. */
  readonly pages: number;
}

export interface CheckedImage {
  readonly header: ImageHeader;
  /** SHA-256 of the file; empty if it was not requested. */
  readonly hash: Uint8Array;
}

/** What is wrong with a file, without its name. `at`: the byte offset, where one is to blame. */
interface Problem {
  readonly found: string;
  readonly rule: string;
  readonly at?: number;
}

const REPLACE = 'replace or remove the file';
const FORMATS = 'it must be a PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF image';

class UnreadableImage extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.found);
    this.problem = problem;
  }
}

/**
 * Looks at every file: whether it begins as an image does, what its header says, and, with `whole`, a hash of
 * its bytes; where its end is not that of a whole file, or does not show it, it is decoded.
 * Throws UserError that names the files which are no images or cannot be read.
 */
export async function checkImages(place: string, files: readonly string[], whole: boolean): Promise<CheckedImage[]> {
  const checked: CheckedImage[] = [];
  await collect(place, files, async (file, k) => {
    checked[k] = await checkImage(file, whole);
  });
  return checked;
}

/** Runs `job` for every file; throws one UserError that names the files for which it fails. */
export async function collect(
  place: string,
  files: readonly string[],
  job: (file: string, k: number) => Promise<void>,
): Promise<void> {
  const problems = new Map<number, Problem>();
  await atMost(TOGETHER, files, async (file, k) => {
    try {
      await job(file, k);
    } catch (error) {
      const problem =
        error instanceof UnreadableImage
          ? error.problem
          : { found: `it cannot be read (${reasonOf(error)})`, rule: REPLACE };
      problems.set(k, problem);
    }
  });
  if (problems.size > 0) throw refusal(place, files, problems);
}

/** Files that are named in an error. */
const NAMED = 5;

function refusal(place: string, files: readonly string[], problems: ReadonlyMap<number, Problem>): UserError {
  const sorted = [...problems].sort(([a], [b]) => a - b);
  const [first] = sorted;
  if (first !== undefined && sorted.length === 1) {
    const [k, { found, rule, at }] = first;
    const offset = at === undefined ? '' : `, byte offset ${thousands(at)}`;
    return invalid(`image "${printable(files[k] as string)}"${offset}`, found, rule);
  }
  const named = sorted.slice(0, NAMED).map(([k, { found }]) => `"${printable(files[k] as string)}" (${found})`);
  const more = sorted.length > NAMED ? ` and ${thousands(sorted.length - NAMED)} more` : '';
  const found = `${thousands(sorted.length)} of ${thousands(files.length)} images cannot be read: ${named.join(', ')}${more}`;
  return invalid(place, found, 'replace or remove these files');
}

async function checkImage(file: string, whole: boolean): Promise<CheckedImage> {
  const { bytes: start, size } = await readPart(file, 0, 512);
  const text = Buffer.from(start).toString('latin1', 0, 12);
  if (!SIGNATURES.some((signature) => signature.test(text))) {
    const found =
      size === 0
        ? 'the file is empty'
        : `it starts with the bytes ${Buffer.from(start).toString('hex', 0, Math.min(start.length, 4))}`;
    throw new UnreadableImage({ found, rule: FORMATS, at: 0 });
  }
  if (size > MAX_FILE_BYTES) {
    throw new UnreadableImage({
      found: `it has ${thousands(size)} bytes`,
      rule: `the limit is ${thousands(MAX_FILE_BYTES)}`,
    });
  }
  const bytes = whole ? await readRegular(file, MAX_FILE_BYTES) : undefined;
  const header = isBmp(start) ? bmpHeaderOf(start, size) : await headerOf(bytes ?? file);
  try {
    checkSize(header, start, size);
  } catch (error) {
    throw new UnreadableImage({ found: reasonOf(error), rule: REPLACE });
  }
  if (bytes === undefined) return { header, hash: new Uint8Array(0) };
  if (!endsWhole(bytes)) await decodeWhole(bytes);
  return { header, hash: createHash('sha256').update(bytes).digest() };
}

function bmpHeaderOf(start: Uint8Array, size: number): ImageHeader {
  const { width, height, masks, bits } = bmpHeader(start, size);
  return { width, height, color: true, alpha: bits > 8 && masks[3] !== 0, deep: undefined, pages: 1 };
}

async function headerOf(input: Uint8Array | string): Promise<ImageHeader> {
  const { default: sharp } = await import('sharp');
  const metadata = await sharp(input, OPTIONS).metadata();
  const { width, height, space, depth, compression, hasAlpha = false, pages = 1 } = metadata;
  if (compression === 'hevc')
    throw new UnreadableImage({ found: 'it is a HEIC image', rule: 'save it as JPEG or PNG' });
  if (depth !== 'uchar' && !isDeep(depth)) {
    throw new UnreadableImage({
      found: `its pixel values have the type ${depth}`,
      rule: 'save it with unsigned 8-bit or 16-bit values',
    });
  }
  const deep = depth === 'uchar' ? undefined : depth;
  return { width, height, color: space !== 'b-w' && space !== 'grey16', alpha: hasAlpha, deep, pages };
}

/** Whether the last bytes are those of a whole file: true for PNG, JPEG, GIF and WebP with nothing missing. */
function endsWhole(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (bytes[0]) {
    case 0x89:
      return text.toString('latin1', bytes.length - 8, bytes.length - 4) === 'IEND';
    case 0xff:
      return bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
    case 0x47:
      return bytes.at(-1) === 0x3b;
    case 0x52:
      return text.readUInt32LE(4) + 8 <= bytes.length;
    default:
      return isBmp(bytes);
  }
}

/** Decodes a file whole and drops the pixels. Throws Error when it cannot be. */
async function decodeWhole(bytes: Uint8Array): Promise<void> {
  // 8 by 8 pixels: a JPEG is then decoded by its coarsest coefficients, and all of it is read still.
  await (await openImage(bytes)).resize(8, 8, { fit: 'fill' }).raw().toBuffer();
}
