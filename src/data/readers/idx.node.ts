import { join } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { assembleClasses } from '../assemble.ts';
import { DIGIT_CLASSES, FASHION_MNIST_CLASSES } from '../class-names.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { memorySource, type Source } from '../samples.ts';
import { thousands } from '../split.ts';
import { existing, folderWith, namesIn, readUnpacked } from './files.node.ts';

/** MNIST (LeCun, Cortes and Burges 1998) from its four IDX files, gzipped or not. */
export function openMnist(request: DataRequest): Promise<Dataset> {
  return openIdx('mnist', DIGIT_CLASSES, request);
}

/** Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) from its four IDX files, gzipped or not. */
export function openFashionMnist(request: DataRequest): Promise<Dataset> {
  return openIdx('fashion-mnist', FASHION_MNIST_CLASSES, request);
}

/** Pixels of an image's side that are read, as for images in folders. */
const MAX_SIDE = 1024;

interface IdxPair {
  readonly source: Source;
  /** Height and width. */
  readonly side: readonly [number, number];
}

/** Throws UserError for a missing file, a wrong magic number, sizes or counts that disagree, or a label that is no class. */
async function openIdx(name: string, labels: readonly string[], request: DataRequest): Promise<Dataset> {
  const dir = await folderWith(await existing(name, request.dir, 'folder'), name, /^(train|t10k)-(images|labels)/);
  const place = `${name}, folder "${dir}"`;
  const files = await namesIn(dir);
  const trainFiles = pairOf(place, files, 'train');
  if (!trainFiles)
    throw invalid(place, 'train-images-idx3-ubyte not found', 'the training images are required (gzipped or not)');
  const train = await readPair(name, dir, trainFiles, labels.length);
  const [height, width] = train.side;

  const testFiles = pairOf(place, files, 't10k');
  const readTest = async (found: Pair) => {
    const test = await readPair(name, dir, found, labels.length);
    if (test.side[0] !== height || test.side[1] !== width) {
      const place = `${name} file "${join(dir, found.images)}", byte offset 8`;
      throw invalid(place, `images of ${test.side.join(' by ')}`, `the training images are ${height} by ${width}`);
    }
    return test.source;
  };
  // The test files are checked now, so that damaged ones are not found out after the search; they are not kept.
  const test = testFiles && { count: (await readTest(testFiles)).count, open: () => readTest(testFiles) };
  return assembleClasses(
    place,
    {
      info: {
        name,
        kind: 'classification',
        input: [1, height, width],
        outputs: labels.length,
        labels,
        range: [0, 255],
      },
      pool: train.source,
      test,
      notes: [
        `${thousands(train.source.count)} images of ${height} by ${width} pixels from ${trainFiles.images}.`,
        test && testFiles
          ? `${thousands(test.count)} test images in ${testFiles.images}.`
          : 'The official test file t10k-images-idx3-ubyte is missing.',
      ],
    },
    request,
  );
}

interface Pair {
  readonly images: string;
  readonly labels: string;
}

/** The names of a part's two files, which are spelt with a hyphen or a dot; undefined without images. */
function pairOf(place: string, files: readonly string[], which: 'train' | 't10k'): Pair | undefined {
  const find = (what: string) => files.find((file) => new RegExp(`^${which}-${what}-ubyte(\\.gz)?$`).test(file));
  const images = find('images[-.]idx3');
  if (images === undefined) return undefined;
  const labels = find('labels[-.]idx1');
  if (labels === undefined)
    throw invalid(place, `${which}-labels-idx1-ubyte not found`, `${images} needs a label file`);
  return { images, labels };
}

async function readPair(name: string, dir: string, pair: Pair, classes: number): Promise<IdxPair> {
  const images = await readIdx(name, join(dir, pair.images), 3);
  const labels = await readIdx(name, join(dir, pair.labels), 1);
  const [count = 0, height = 0, width = 0] = images.sizes;
  if (labels.sizes[0] !== count) {
    const place = `${name} file "${join(dir, pair.labels)}", byte offset 4`;
    throw invalid(place, `${thousands(labels.sizes[0] ?? 0)} labels`, `${pair.images} has ${thousands(count)} images`);
  }
  const targets = Float32Array.from(labels.bytes.subarray(labels.header));
  const wrong = targets.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    const place = `${name} file "${join(dir, pair.labels)}", byte offset ${thousands(labels.header + wrong)}`;
    throw invalid(place, `label ${targets[wrong]}`, `a label is at most ${classes - 1}`);
  }
  const elements = height * width;
  return {
    source: memorySource({ values: images.bytes, offset: images.header, elements, targets }),
    side: [height, width],
  };
}

/**
 * An IDX file of unsigned bytes: magic number (two zeros, type 8, number of dimensions), big-endian sizes, then the bytes.
 * Offsets in messages are those of the unpacked file.
 */
async function readIdx(
  name: string,
  path: string,
  dimensions: number,
): Promise<{ bytes: Uint8Array; header: number; sizes: readonly number[] }> {
  const header = 4 + 4 * dimensions;
  const bytes = await readUnpacked(path, { expected: (first) => expectedBytes(first, dimensions) });
  const at = (offset: number) => `${name} file "${path}", byte offset ${thousands(offset)}`;
  if (bytes.length < header)
    throw invalid(at(bytes.length), 'the file ends within its header', `a header has ${header} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  if (magic !== 0x800 + dimensions) {
    const hex = (n: number) => `0x${n.toString(16).padStart(8, '0')}`;
    throw invalid(at(0), `magic number ${hex(magic)}`, `it must be ${hex(0x800 + dimensions)}`);
  }
  const sizes = sizesIn(view, dimensions);
  const zero = sizes.indexOf(0);
  if (zero >= 0) throw invalid(at(4 + 4 * zero), `sizes ${sizes.join(' by ')}`, 'every size must be at least 1');
  const side = sizes.slice(1).find((n) => n > MAX_SIDE);
  if (side !== undefined)
    throw invalid(at(8), `images of ${sizes.slice(1).join(' by ')}`, `a side is at most ${MAX_SIDE}`);
  const expected = expectedBytes(bytes, dimensions);
  if (bytes.length !== expected) {
    const found = bytes.length < expected ? 'the file is truncated' : 'the file has more data than its header says';
    const rule = `sizes ${sizes.join(' by ')} need ${thousands(expected)} bytes; the file has ${thousands(bytes.length)}`;
    throw invalid(at(Math.min(bytes.length, expected)), found, rule);
  }
  return { bytes, header, sizes };
}

function sizesIn(view: DataView, dimensions: number): number[] {
  return Array.from({ length: dimensions }, (_, k) => view.getUint32(4 + 4 * k));
}

/** Bytes of the whole file by what its header says; those of the header where even that is cut short. */
function expectedBytes(first: Uint8Array, dimensions: number): number {
  const header = 4 + 4 * dimensions;
  if (first.length < header) return header;
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  return header + sizesIn(view, dimensions).reduce((product, n) => product * n, 1);
}
