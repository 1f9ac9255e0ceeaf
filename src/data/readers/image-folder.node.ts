import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { assemble, statisticsSample } from '../assemble.ts';
import { inClassOrder } from '../class-names.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { divide, type Parts, thousands } from '../split.ts';
import { existing } from './files.node.ts';
import {
  checkSignatures,
  IMAGE_NAME,
  type ImageCache,
  type ImageHeader,
  type ImageShape,
  imageHeaders,
  imageSource,
} from './image.node.ts';

/** Bytes of decoded images that stay in memory. */
const CACHE_BYTES = 256 * 1024 * 1024;
/** Training images from which size, colours, mean and deviation are taken. */
const SAMPLE = 1000;
const OWN_VALID = ['valid', 'val', 'validation'];

/** Image files and the class number of each. */
interface Listing {
  readonly files: readonly string[];
  readonly targets: Float32Array;
}

/**
 * A folder for each class, images of any size within (also deeper). `train` with class folders, and beside it `test` and
 * `valid` / `val`, are taken as the parts they are. Images are decoded when they are read; see decodeImage for how.
 * Throws UserError for fewer than 2 classes, a class with too few images, a class that the training part does not have,
 * or a file that is no image.
 */
export async function openImageFolder(request: DataRequest): Promise<Dataset> {
  const dir = await existing('image-folder', request.dir, 'folder');
  const place = `image-folder "${dir}"`;
  const folders = await subfolders(dir);
  const ownParts = folders.includes('train') && (await subfolders(join(dir, 'train'))).length > 0;
  const root = ownParts ? join(dir, 'train') : dir;
  const labels = inClassOrder(ownParts ? await subfolders(root) : folders);
  if (labels.length < 2) {
    throw invalid(
      `image-folder "${root}"`,
      `${labels.length} class folders`,
      'at least 2 are needed, each named after its class',
    );
  }
  const pool = await list(root, labels);
  const ownPart = async (names: readonly string[]) => {
    const name = ownParts ? names.find((candidate) => folders.includes(candidate)) : undefined;
    return name === undefined ? undefined : listPart(join(dir, name), labels);
  };
  const test = await ownPart(['test']);
  const valid = await ownPart(OWN_VALID);
  const parts = divide(
    {
      place: `image-folder "${root}"`,
      count: pool.files.length,
      classes: { of: pool.targets, names: labels },
      ownTest: test !== undefined,
      ownValid: valid !== undefined,
    },
    request,
  );
  await checkSignatures([...pool.files, ...(valid?.files ?? []), ...(test?.files ?? [])]);

  const cache: ImageCache = { images: new Map(), bytesLeft: CACHE_BYTES };
  const { shape, notes } = await chooseShape(place, pool, parts, request, cache);
  const source = ({ files, targets }: Listing) => imageSource(files, targets, shape, cache);
  return assemble(
    {
      info: {
        name: 'image-folder',
        kind: 'classification',
        input: shape,
        outputs: labels.length,
        labels,
        range: [0, 255],
      },
      pool: source(pool),
      valid: valid && source(valid),
      test: test && { count: test.files.length, open: async () => source(test) },
      statisticsFrom: SAMPLE,
      notes: [
        `${thousands(pool.files.length)} images in ${labels.length} class folders${ownParts ? ' of "train"' : ''}.`,
        ...(valid ? [`${thousands(valid.files.length)} validation images in a folder of their own.`] : []),
        ...(test ? [`${thousands(test.files.length)} test images in a folder of their own.`] : []),
        ...notes,
      ],
    },
    parts,
    request,
  );
}

/** The shape asked for, or one that suits a sample of the training images. */
async function chooseShape(
  place: string,
  pool: Listing,
  parts: Parts,
  request: DataRequest,
  cache: ImageCache,
): Promise<{ shape: ImageShape; notes: string[] }> {
  const { imageSize, imageChannels } = request;
  if (imageSize !== undefined && !(Number.isInteger(imageSize) && imageSize >= 4 && imageSize <= 1024)) {
    throw invalid(place, `imageSize is ${imageSize}`, 'it must be a whole number of pixels from 4 to 1,024');
  }
  const sample = Array.from(statisticsSample(parts.train, SAMPLE, request.seed));
  const notes: string[] = [];
  if (sample.length < parts.train.length) {
    notes.push(
      `Mean, deviation and what else is said of the images are taken from ${thousands(SAMPLE)} training images.`,
    );
  }
  const headers = await imageHeaders(sample.map((i) => pool.files[i] as string));
  const size = imageSize ?? suitableSize(headers);
  notes.push(
    `Images are stretched to ${size} by ${size} pixels (median of the shorter sides: ${medianSide(headers)}).`,
  );
  const colour = imageChannels === undefined ? headers.some((header) => header.colour) : imageChannels === 3;
  const shape: ImageShape = [colour ? 3 : 1, size, size];
  if (!colour || imageChannels !== undefined || !(await allGrey(pool, sample, shape, cache))) return { shape, notes };
  cache.bytesLeft = CACHE_BYTES;
  cache.images.clear();
  return {
    shape: [1, size, size],
    notes: [...notes, 'The images are stored in colour but are grey: 1 channel is used.'],
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
  return sides[sides.length >> 1] as number;
}

/** Whether no colour image of the sample has a coloured pixel. Stops at the first that has. */
async function allGrey(
  pool: Listing,
  sample: readonly number[],
  shape: ImageShape,
  cache: ImageCache,
): Promise<boolean> {
  const source = imageSource(pool.files, pool.targets, shape, cache);
  const area = shape[1] * shape[2];
  const pixels = new Float32Array(3 * area);
  for (const i of sample) {
    await source.read([i], pixels, new Float32Array(1));
    for (let p = 0; p < area; p++) {
      if (pixels[p] !== pixels[p + area] || pixels[p] !== pixels[p + 2 * area]) return false;
    }
  }
  return true;
}

/** A part in a folder of its own; every class folder in it must be a class of the training part. */
async function listPart(root: string, labels: readonly string[]): Promise<Listing> {
  const unknown = (await subfolders(root)).find((name) => !labels.includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `image-folder "${root}"`,
      `there is a class folder "${unknown}"`,
      `the training classes are ${labels.join(', ')}`,
    );
  }
  const found = await list(root, labels);
  if (found.files.length === 0)
    throw invalid(`image-folder "${root}"`, 'there are no images', 'it must have class folders with images');
  return found;
}

/** All images of the class folders below `root`, in a fixed order. */
async function list(root: string, labels: readonly string[]): Promise<Listing> {
  const files: string[] = [];
  const targets: number[] = [];
  const folders = await subfolders(root);
  for (const [number, label] of labels.entries()) {
    if (!folders.includes(label)) continue;
    for (const name of (await readdir(join(root, label), { recursive: true })).sort()) {
      if (!IMAGE_NAME.test(name) || name.split(/[\\/]/).some((step) => step.startsWith('.'))) continue;
      files.push(join(root, label, name));
      targets.push(number);
    }
  }
  return { files, targets: Float32Array.from(targets) };
}

/** Names of the folders in a folder, links to folders among them; hidden ones are passed over. */
async function subfolders(dir: string): Promise<string[]> {
  const isFolder = async (entry: Dirent) =>
    entry.isDirectory() || (entry.isSymbolicLink() && (await stat(join(dir, entry.name))).isDirectory());
  const names: string[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!entry.name.startsWith('.') && (await isFolder(entry))) names.push(entry.name);
  }
  return names.sort();
}
