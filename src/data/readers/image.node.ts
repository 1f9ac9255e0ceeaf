import type { Sharp, SharpOptions } from 'sharp';
import { invalid, messageOf } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import type { DatasetInfo, ImageDecoding } from '../dataset.ts';
import { checkedIndex, type Source } from '../samples.ts';
import { thousands } from '../split.ts';
import { bmpHeader, decodeBmp } from './bmp.ts';
import { readRegular } from './files.node.ts';

/** Channels, height, width. */
export type ImageShape = readonly [channels: 1 | 3, height: number, width: number];

/** Images decoded at the same time. */
export const TOGETHER = 8;

/** Pixels of an image that is read: a header may promise any number. */
const MAX_PIXELS = 2 ** 28;
/** Pixels of a side: as many as a JPEG can have. */
const MAX_SIDE = 65_535;
/** Bytes of an image file that is read. */
export const MAX_FILE_BYTES = 2 ** 30;

/** A damaged image is an error, not a picture that is gray from the middle down. */
export const OPTIONS: SharpOptions = { failOn: 'error', limitInputPixels: MAX_PIXELS };

/** Sample formats of more than 8 bits that keep their values when they are decoded, and the ones whose maximum is not known. */
const DEEP = ['ushort', 'uint', 'int', 'float', 'double'];

export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d;
}

/** The depths that `deepImage` reads. */
export function isDeep(depth: string | undefined): boolean {
  return DEEP.includes(depth ?? '');
}

/**
 * One image, 8 bits, [C, H, W]: turned upright (EXIF), the first of several pages, laid on the decoding's background where
 * transparent (black by default), made gray or color, and stretched to the shape. What a folder of images is trained on and
 * what `predict` feeds come through here. 16 bits lose the lower 8 and floating point is taken as [0, 1], [0, 255] or as
 * whatever range the values have, unless the decoding says which values are black and white.
 * Throws UserError that names the file when it cannot be decoded.
 */
export function decodeImage(file: string, shape: ImageShape, decoding: ImageDecoding = {}): Promise<Uint8Array> {
  return named(file, () => decodePixels(file, shape, decoding));
}

/** As decodeImage; throws Error that does not name the file. */
async function decodePixels(
  file: string,
  [channels, height, width]: ImageShape,
  decoding: ImageDecoding,
): Promise<Uint8Array> {
  const { background = 0 } = decoding;
  const area = height * width;
  const image = await openImage(await readRegular(file, MAX_FILE_BYTES), decoding);
  const pixels = await image
    .flatten({ background: { r: background, g: background, b: background } })
    .resize(width, height, { fit: 'fill' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
  if (pixels.length !== channels * area) throw new Error(`it has ${pixels.length / area} channels, not ${channels}`);
  if (channels === 1) return new Uint8Array(pixels.buffer, pixels.byteOffset, area);
  const planes = new Uint8Array(channels * area);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) planes[c * area + i] = pixels[i * channels + c] ?? Number.NaN;
  }
  return planes;
}

/**
 * Throws Error for more pixels than are read, or than a PNG file of `bytes` bytes can hold; `start`: its first bytes. A header may
 * promise any number, and memory for them is taken before the lack of data is noticed.
 */
export function checkSize(
  { width, height }: { readonly width: number; readonly height: number },
  start: Uint8Array,
  bytes: number,
): void {
  const found = `its header says ${thousands(width)} by ${thousands(height)} pixels`;
  if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new Error(`${found}; the limit is ${thousands(MAX_PIXELS)} pixels, and ${thousands(MAX_SIDE)} per side`);
  }
  if (start[0] !== 0x89 || start.length < 26) return;
  // By color type; DEFLATE makes 1,032 bytes of one at best.
  const samples = [1, 0, 3, 1, 2, 0, 4][start[25] ?? 0] ?? 1;
  const least = (width * height * samples * (start[24] ?? 1)) / 8 / 1032;
  if (least > bytes) throw new Error(`${found}, but it has only ${thousands(bytes)} bytes`);
}

/** The upright picture in a file's bytes, with 8 bits a sample or 16 of which the upper 8 count. Throws Error. */
export async function openImage(bytes: Uint8Array, { values }: ImageDecoding = {}): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  if (isBmp(bytes)) {
    checkSize(bmpHeader(bytes), bytes, bytes.length);
    const { pixels, width, height } = decodeBmp(bytes);
    return sharp(pixels, { raw: { width, height, channels: 4 } });
  }
  if (bytes[0] === 0x89 && bytes.length >= 26) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    checkSize({ width: view.getUint32(16), height: view.getUint32(20) }, bytes, bytes.length);
  }
  const isTiff = (bytes[0] === 0x49 && bytes[1] === 0x49) || (bytes[0] === 0x4d && bytes[1] === 0x4d);
  if (isTiff || values !== undefined) {
    const { depth } = await sharp(bytes, OPTIONS).metadata();
    if (isDeep(depth) && (depth !== 'ushort' || values !== undefined)) {
      const deep = await deepImage(bytes);
      const [low, high] = values ?? valuesFor(depth ?? '', rangeOf(deep.values));
      const scale = 255 / (high - low);
      // A Uint8ClampedArray rounds, and cuts what is beyond the values.
      const pixels = Uint8ClampedArray.from(deep.values, (value) => (value - low) * scale);
      const { width, height, channels } = deep;
      return sharp(pixels, { raw: { width, height, channels } });
    }
  }
  return sharp(bytes, OPTIONS).autoOrient();
}

/** The values of an image with more than 8 bits a sample as they are in the file, [height, width, channels]. Throws Error. */
export async function deepImage(bytes: Uint8Array): Promise<{
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}> {
  const { default: sharp } = await import('sharp');
  const { space = 'b-w' } = await sharp(bytes, OPTIONS).metadata();
  // Within the file's own color space nothing is converted, and so nothing is cut to 8 bits.
  const { data, info } = await sharp(bytes, OPTIONS)
    .autoOrient()
    .removeAlpha()
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth: 'float' })
    .toBuffer({ resolveWithObject: true });
  const values = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
  return { values, width: info.width, height: info.height, channels: info.channels };
}

/** Smallest and largest. Throws Error for a value that is not finite. */
export function rangeOf(values: Float32Array): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) throw new Error(`it has a pixel value of ${value}; every pixel value must be finite`);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Largest values of cameras and scanners (10, 12, 14, 16 bits), of 8 bits, and of floating point. */
const USUAL = [1, 255, 1023, 4095, 16383, 65535];

/** Which values become 0 and 255 in images of this depth that have values from `low` to `high`. */
export function valuesFor(depth: string, [low, high]: readonly [number, number]): readonly [number, number] {
  const whole = depth !== 'float' && depth !== 'double';
  const most = low < 0 ? undefined : USUAL.find((one) => high <= one && (one > 1 || !whole));
  if (most !== undefined) return [0, most];
  return high > low ? [low, high] : [low, low + 1];
}

/** One image in the raw units of a dataset, [C, H, W]: its shape, and 8-bit values stretched to its range. */
export async function readImage(
  file: string,
  info: Pick<DatasetInfo, 'input' | 'range' | 'decoding'>,
): Promise<Float32Array> {
  const [channels, height, width] = info.input;
  if ((channels !== 1 && channels !== 3) || height === undefined || width === undefined) {
    throw invalid(
      `image "${printable(file)}"`,
      `the input is [${info.input.join(', ')}]`,
      'images need the input [1 or 3, height, width]',
    );
  }
  const [low, high] = info.range ?? [0, 255];
  const pixels = await decodeImage(file, [channels, height, width], info.decoding);
  return Float32Array.from(pixels, (value) => low + (value * (high - low)) / 255);
}

/** Decodes image files to one shape, and keeps what it has decoded up to a limit. */
export interface Decoder {
  readonly shape: ImageShape;
  /** [C, H, W]. Throws Error that does not name the file. */
  decode(file: string): Promise<Uint8Array>;
}

/**
 * The first `bytes` bytes of decoded images stay in memory permanently: every epoch reads every image once in a new order, and a
 * cache that evicts would then lose most of what it holds just before it is wanted.
 */
export function imageDecoder(shape: ImageShape, decoding: ImageDecoding, bytes: number): Decoder {
  const elements = shape[0] * shape[1] * shape[2];
  const images = new Map<string, Uint8Array>();
  return {
    shape,
    async decode(file) {
      const known = images.get(file);
      if (known) return known;
      const decoded = await decodePixels(file, shape, decoding);
      if ((images.size + 1) * elements <= bytes) images.set(file, decoded);
      return decoded;
    },
  };
}

/** Images decoded when they are read. Its `read` throws UserError that names the file when one cannot be decoded. */
export function imageSource(files: readonly string[], targets: Float32Array, decoder: Decoder): Source {
  const elements = decoder.shape[0] * decoder.shape[1] * decoder.shape[2];
  return {
    count: files.length,
    targets,
    async read(indices, { input, target }) {
      await atMost(TOGETHER, indices, async (_, k) => {
        const i = checkedIndex(indices, k, files.length);
        const file = files[i] as string;
        if (input !== undefined) input.set(await named(file, () => decoder.decode(file)), k * elements);
        if (target !== undefined) target[k] = targets[i] as number;
      });
    },
  };
}

/** Runs `job` for every item, at most `limit` at a time: that many photographs are in memory at once. */
export async function atMost<T>(
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

async function named<T>(file: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw invalid(
      `image "${printable(file)}"`,
      `it cannot be decoded (${reasonOf(error)})`,
      'replace or remove the file',
    );
  }
}

/** What is wrong with an image by the error of a decoder or of the file system, on one line. */
export function reasonOf(error: unknown): string {
  const text = messageOf(error);
  if (/unsupported image format/.test(text)) return 'its format is not supported';
  return DECODER.test(text) ? 'its data are cut off or damaged' : printable(text.replace(/\s+/g, ' ').trim());
}

/** The prefixes that libvips and its decoders put before their messages, which only their developers understand. */
const DECODER = /^(Input (buffer|file)|vips|tiff2vips|source: |heif: |webp: |\w+load(_\w+)?: )/i;
