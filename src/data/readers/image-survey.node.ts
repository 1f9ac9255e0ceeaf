import { invalid } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { statisticsSample } from '../assemble.ts';
import type { DataRequest, ImageDecoding } from '../dataset.ts';
import { thousands } from '../split.ts';
import { readRegular } from './files.node.ts';
import {
  type Decoder,
  deepImage,
  type ImageShape,
  imageDecoder,
  MAX_FILE_BYTES,
  openImage,
  rangeOf,
  TOGETHER,
  valuesFor,
} from './image.node.ts';
import { type CheckedImage, collect, type ImageHeader } from './image-check.node.ts';

/** Bytes of decoded images that stay in memory. */
const CACHE_BYTES = 256 * 1024 * 1024;
/** Training images from which size, colors, mean and deviation are taken. */
export const SAMPLE = 1000;
/** Images with transparency among these, from which the background is chosen. */
const TRANSPARENT = 200;
/** If all images together have at most this many pixels, each is decoded before a search: 3 to 5 seconds on 2 cores. */
const DECODED_PIXELS = 500e6;

/** How images become samples: the requested shape, or one that suits a sample of the training images, and what they need. */
export async function chooseDecoder(
  place: string,
  train: readonly string[],
  checked: readonly CheckedImage[],
  request: DataRequest,
): Promise<{ decoder: Decoder; decoding: ImageDecoding | undefined; notes: string[] }> {
  const { imageSize, imageChannels } = request;
  if (imageSize !== undefined && !(Number.isInteger(imageSize) && imageSize >= 4 && imageSize <= 1024)) {
    throw invalid(place, `imageSize is ${imageSize}`, 'it must be a whole number of pixels from 4 to 1,024');
  }
  const everyone = Int32Array.from(train, (_, i) => i);
  const sample = Array.from(statisticsSample(everyone, SAMPLE, request.seed));
  const notes: string[] = [];
  if (sample.length < train.length) {
    notes.push(`Image statistics (mean, deviation, ...) are computed from ${thousands(SAMPLE)} training images.`);
  }
  const headers = sample.map((i) => (checked[i] as CheckedImage).header);
  const files = sample.map((i) => train[i] as string);
  const size = imageSize ?? suitableSize(headers);
  notes.push(
    `Images are resized to ${size}x${size} pixels (aspect ratio not kept; median shorter side: ${medianSide(headers)}).`,
  );
  const several = checked.filter(({ header }) => header.pages > 1).length;
  if (several > 0)
    notes.push(`${thousands(several)} of the images have several frames or pages; only the first is used.`);
  const decoding = await chooseDecoding(place, files, headers, notes);
  const color = imageChannels === undefined ? headers.some((header) => header.color) : imageChannels === 3;
  const shape: ImageShape = [color ? 3 : 1, size, size];
  const decoder = imageDecoder(shape, decoding ?? {}, CACHE_BYTES);
  if (!color || imageChannels !== undefined || !(await allGray(place, files, decoder)))
    return { decoder, decoding, notes };
  return {
    decoder: imageDecoder([1, size, size], decoding ?? {}, CACHE_BYTES),
    decoding,
    notes: [...notes, 'The images are stored in color but are gray: 1 channel is used.'],
  };
}

/** The side that all images share, where it is small; otherwise the median of the shorter sides, a multiple of 8 from 16 to 64. */
function suitableSize(headers: readonly ImageHeader[]): number {
  const side = medianSide(headers);
  if (side >= 8 && side <= 64 && headers.every(({ width, height }) => width === side && height === side)) return side;
  return Math.min(64, Math.max(16, 8 * Math.round(side / 8)));
}

function medianSide(headers: readonly ImageHeader[]): number {
  const sides = headers.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  return sides[sides.length >> 1] ?? Number.NaN;
}

async function chooseDecoding(
  place: string,
  files: readonly string[],
  headers: readonly ImageHeader[],
  notes: string[],
): Promise<ImageDecoding | undefined> {
  const values = await deepValues(place, files, headers, notes);
  const transparent = files.filter((_, k) => headers[k]?.alpha === true && headers[k]?.deep === undefined);
  const background = await backgroundFor(place, transparent.slice(0, TRANSPARENT), notes);
  if (values === undefined && background === undefined) return undefined;
  return { ...(background !== undefined && { background }), ...(values !== undefined && { values }) };
}

/** The values that are black and white in images of more than 8 bits; undefined where there are none, or 16 bits are in full use. */
async function deepValues(
  place: string,
  files: readonly string[],
  headers: readonly ImageHeader[],
  notes: string[],
): Promise<readonly [number, number] | undefined> {
  const kinds = new Set(headers.flatMap(({ deep }) => deep ?? []));
  const [kind] = kinds;
  if (kind === undefined) return undefined;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  await collect(
    place,
    files.filter((_, k) => headers[k]?.deep !== undefined),
    async (file) => {
      const [least, most] = rangeOf((await deepImage(await readRegular(file, MAX_FILE_BYTES))).values);
      [low, high] = [Math.min(low, least), Math.max(high, most)];
    },
  );
  if (kinds.size > 1) {
    throw invalid(
      place,
      `the images have pixel values of different types: ${[...kinds].join(', ')}`,
      'one type besides 8-bit is allowed',
    );
  }
  const values = valuesFor(kind, [low, high]);
  if (kind === 'ushort' && values[1] === 65535) return undefined;
  const [shown, found] = [values, [low, high]].map((pair) => pair.map((value) => +value.toPrecision(4)).join(' to '));
  notes.push(
    `Images with more than 8 bits per value (${kind}) have values from ${found}; ${shown} is rescaled to 0 to 255.`,
  );
  return values;
}

/** Names of the backgrounds, the first of which is taken where several do as well. */
const BACKGROUNDS = { white: 255, black: 0, 'middle gray': 128 } as const;
/** A pixel whose brightness is nearer to the background's can hardly be seen. */
const VISIBLE = 32;

/**
 * What transparent images are laid on: white, black or gray, whichever hides the smallest share of their pixels, so that a black
 * drawing on nothing does not become black on black. Undefined where none is transparent.
 */
async function backgroundFor(place: string, files: readonly string[], notes: string[]): Promise<number | undefined> {
  const shares = new Float64Array(256);
  let transparent = 0;
  await collect(place, files, async (file) => {
    const image = await openImage(await readRegular(file, MAX_FILE_BYTES));
    const pixels = await image
      .resize(32, 32, { fit: 'fill' })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer();
    let clear = false;
    const mine = new Float64Array(256);
    for (let at = 0; at < pixels.length; at += 4) {
      const [r = 0, g = 0, b = 0, alpha = 0] = pixels.subarray(at, at + 4);
      const gray = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
      mine[gray] = (mine[gray] ?? Number.NaN) + alpha;
      clear ||= alpha < 250;
    }
    if (!clear) return;
    transparent++;
    for (let gray = 0; gray < 256; gray++) shares[gray] = (shares[gray] ?? Number.NaN) + (mine[gray] ?? Number.NaN);
  });
  if (transparent === 0) return undefined;
  const hidden = (background: number) =>
    shares.reduce((sum, share, gray) => sum + (Math.abs(gray - background) < VISIBLE ? share : 0), 0);
  const names = Object.keys(BACKGROUNDS) as (keyof typeof BACKGROUNDS)[];
  const best = names.reduce((a, b) => (hidden(BACKGROUNDS[b]) < hidden(BACKGROUNDS[a]) ? b : a));
  notes.push(`Transparent pixels are filled with ${best}, the background with the best contrast.`);
  return BACKGROUNDS[best];
}

/** Whether no color image of the sample has a colored pixel. Stops at the first that has. */
async function allGray(place: string, files: readonly string[], decoder: Decoder): Promise<boolean> {
  const area = decoder.shape[1] * decoder.shape[2];
  for (let at = 0; at < files.length; at += TOGETHER) {
    let colored = false;
    await collect(place, files.slice(at, at + TOGETHER), async (file) => {
      const pixels = await decoder.decode(file);
      for (let p = 0; p < area && !colored; p++) {
        colored = pixels[p] !== pixels[p + area] || pixels[p] !== pixels[p + 2 * area];
      }
    });
    if (colored) return false;
  }
  return true;
}

/**
 * Decodes what can be decoded in a few seconds: all files or, of many pixels, a sample of the training images, which are the
 * first `train` of the files. Says which of these are of one color. Throws UserError for files that cannot be decoded,
 * and for training images that are all the same.
 */
export async function survey(
  place: string,
  files: readonly string[],
  train: number,
  checked: readonly CheckedImage[],
  decoder: Decoder,
): Promise<string[]> {
  const pixels = checked.reduce((sum, { header }) => sum + header.width * header.height, 0);
  const whole = pixels <= DECODED_PIXELS;
  const looked = whole ? files : files.slice(0, Math.min(train, SAMPLE));
  const constant: string[] = [];
  const of = Math.min(train, looked.length);
  await collect(place, looked, async (file, k) => {
    const decoded = await decoder.decode(file);
    if (k < of && isConstant(decoded, decoder.shape)) constant.push(file);
  });
  if (await allSame(looked.slice(0, of), decoder)) {
    throw invalid(place, `all ${thousands(of)} training images are identical after decoding`, 'they must differ');
  }
  if (constant.length === 0) return [];
  const named = constant
    .sort()
    .slice(0, 3)
    .map((file) => `"${printable(file)}"`);
  const rest = constant.length > 3 ? ' and others' : '';
  return [
    `${thousands(constant.length)} of ${thousands(of)} training images have a single color: ${named.join(', ')}${rest}.`,
  ];
}

/** Stops at the first that differs: the second, as a rule. */
async function allSame(files: readonly string[], decoder: Decoder): Promise<boolean> {
  const [first, ...others] = files;
  if (first === undefined || others.length === 0) return false;
  const one = await decoder.decode(first);
  for (const other of others) if (Buffer.compare(one, await decoder.decode(other)) !== 0) return false;
  return true;
}

/** Whether all pixels are equal, channel by channel. */
function isConstant(pixels: Uint8Array, [channels, height, width]: ImageShape): boolean {
  const area = height * width;
  for (let c = 0; c < channels; c++) {
    const plane = pixels.subarray(c * area, (c + 1) * area);
    if (plane.some((value) => value !== plane[0])) return false;
  }
  return true;
}
