import { open, readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { invalid, messageOf } from '../../common/errors.ts';
import type { DatasetInfo } from '../dataset.ts';
import { checkedIndex, type Source } from '../samples.ts';

/** Channels, height, width. */
export type ImageShape = readonly [channels: 1 | 3, height: number, width: number];

/** Names of files that are taken for images. */
export const IMAGE_NAME = /\.(png|jpe?g|webp|gif|tiff?|avif)$/i;

/** How the files of these formats begin, as Latin-1 text. */
const SIGNATURES = [/^\xff\xd8\xff/, /^\x89PNG/, /^GIF8/, /^RIFF.{4}WEBP/s, /^II\*\0/, /^MM\0\*/, /^.{4}ftyp/s];

/** Images decoded at the same time. */
const TOGETHER = 8;

export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
}

/** Side lengths as the files' headers say (before they are turned upright), and whether they have colours. */
export async function imageHeaders(files: readonly string[]): Promise<ImageHeader[]> {
  const headers: ImageHeader[] = [];
  await atMost(TOGETHER, files, async (file, k) => {
    const { width, height, space } = await attempt(file, () => sharp(file).metadata());
    headers[k] = { width, height, colour: space !== 'b-w' && space !== 'grey16' };
  });
  return headers;
}

/**
 * One image, 8 bits, [C, H, W]: turned upright (EXIF), laid on black where transparent, made grey or colour, and stretched
 * to the shape. What a folder of images is trained on and what `predict` feeds come through here.
 * Throws UserError that names the file when it cannot be decoded.
 */
export async function decodeImage(file: string, [channels, height, width]: ImageShape): Promise<Uint8Array> {
  const pixels = await attempt(file, async () =>
    sharp(await readFile(file), { failOn: 'error' })
      .autoOrient()
      .flatten({ background: '#000' })
      .resize(width, height, { fit: 'fill' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer(),
  );
  const area = height * width;
  if (pixels.length !== channels * area)
    throw new Error(`image "${file}": ${pixels.length / area} channels, not ${channels}`);
  if (channels === 1) return new Uint8Array(pixels.buffer, pixels.byteOffset, area);
  const planes = new Uint8Array(channels * area);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) planes[c * area + i] = pixels[i * channels + c] as number;
  }
  return planes;
}

/** One image in the raw units of a dataset, [C, H, W]: its shape, and 8-bit values stretched to its range. */
export async function readImage(file: string, info: Pick<DatasetInfo, 'input' | 'range'>): Promise<Float32Array> {
  const [channels, height, width] = info.input;
  if ((channels !== 1 && channels !== 3) || height === undefined || width === undefined) {
    throw invalid(
      `image "${file}"`,
      `the input is [${info.input.join(', ')}]`,
      'only [1 or 3, height, width] takes images',
    );
  }
  const [low, high] = info.range ?? [0, 255];
  const pixels = await decodeImage(file, [channels, height, width]);
  return Float32Array.from(pixels, (value) => low + (value * (high - low)) / 255);
}

/** Throws UserError unless every file begins as an image does: cheap enough to do before a search. */
export function checkSignatures(files: readonly string[]): Promise<void> {
  return atMost(64, files, checkSignature);
}

async function checkSignature(file: string): Promise<void> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(12), 0, 12, 0);
  const start = buffer.toString('latin1', 0, bytesRead);
  if (SIGNATURES.some((signature) => signature.test(start))) return;
  const found =
    bytesRead === 0
      ? 'the file is empty'
      : `it begins with the bytes ${buffer.toString('hex', 0, Math.min(bytesRead, 4))}`;
  throw invalid(`image "${file}", byte offset 0`, found, 'it must be a PNG, JPEG, WebP, GIF, TIFF or AVIF image');
}

/** Decoded images, up to so many bytes. One may be shared by several sources. */
export interface ImageCache {
  readonly images: Map<string, Uint8Array>;
  bytesLeft: number;
}

/**
 * Images decoded when they are read. The first that fit stay in the cache for good: every epoch reads every image once in
 * a new order, and a cache that evicts would then lose most of what it holds just before it is wanted.
 */
export function imageSource(
  files: readonly string[],
  targets: Float32Array,
  shape: ImageShape,
  cache: ImageCache,
): Source {
  const elements = shape[0] * shape[1] * shape[2];
  const image = async (file: string) => {
    const known = cache.images.get(file);
    if (known) return known;
    const decoded = await decodeImage(file, shape);
    if (cache.bytesLeft >= elements && !cache.images.has(file)) {
      cache.images.set(file, decoded);
      cache.bytesLeft -= elements;
    }
    return decoded;
  };
  return {
    count: files.length,
    targets,
    async read(indices, inputs, wanted) {
      await atMost(TOGETHER, indices, async (_, k) => {
        const i = checkedIndex(indices, k, files.length);
        inputs.set(await image(files[i] as string), k * elements);
        wanted[k] = targets[i] as number;
      });
    },
  };
}

/** Runs `job` for every item, at most `limit` at a time: so many photographs are in memory at once. */
async function atMost<T>(
  limit: number,
  items: readonly T[],
  job: (item: T, k: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let k = next++; k < items.length; k = next++) await job(items[k] as T, k);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}

async function attempt<T>(file: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const reason = messageOf(error).replace(/\s+/g, ' ').trim();
    throw invalid(`image "${file}"`, `it cannot be decoded (${reason})`, 'replace or remove the file');
  }
}
