/** Parsers of data files: CSV, images, IDX, CIFAR. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Rng } from '../../../src/common/random.ts';
import type { DataRequest } from '../../../src/data/dataset.ts';
import { openDataset } from '../../../src/data/open.node.ts';
import { readImage } from '../../../src/data/readers/image.node.ts';
import { checkImages } from '../../../src/data/readers/image-check.node.ts';
import { taskOf } from '../../../src/task/index.ts';
import { allocate } from '../../../src/task/spec.ts';
import { mutateBytes, mutateText } from '../mutate.ts';
import type { Input, Parser } from '../parser.ts';

/** What a search would be given: what is known of the data, and every sample of it. */
async function readAll(request: Omit<DataRequest, 'seed' | 'validShare'>): Promise<unknown> {
  const { search } = await openDataset({ seed: 0, validShare: 0.25, ...request } as DataRequest);
  const { info, train } = search;
  const few = Math.min(train.count, 64);
  const { inputs: specs, targets: wanted } = taskOf(info).spec(info);
  const into = allocate({ ...specs, ...wanted }, few);
  await train.read(
    Array.from({ length: few }, (_, i) => i),
    into,
  );
  const { input: inputs = [], target: targets = [] } = into;
  if (![...inputs, ...targets].every(Number.isFinite)) throw new Error('a sample has a value that is not finite');
  return { info, inputs: [...inputs], targets: [...targets] };
}

const CELLS = [
  '',
  'NA',
  'n/a',
  '?',
  '-',
  '1',
  '1.0',
  '-3',
  '1e5',
  '1e39',
  '1e400',
  '1,234.5',
  '1.234,5',
  '$5',
  '12%',
  'inf',
  'nan',
  'TRUE',
  'low',
  'high',
  'x',
  'é',
  '2021-03-04',
  '3/4/2021',
  '12:30',
  '"a,b"',
  '"a\nb"',
  '\u00a07',
  '−4',
];

export const tables: Parser = {
  name: 'CSV',
  weight: 15,
  async open(scratch) {
    const file = join(scratch, 'table.csv');
    return (random: Rng): Input => {
      const separator = random.pick([',', ';', '\t']);
      const columns = 1 + random.int(4);
      const of = Array.from({ length: columns }, () => random.shuffle(CELLS).slice(0, 1 + random.int(3)));
      const row = () =>
        [
          ...of.map((cells) => (random.float() < 0.7 ? random.normal().toFixed(2) : random.pick(cells))),
          random.pick(['yes', 'no']),
        ].join(separator);
      const rows = Array.from({ length: 8 + random.int(30) }, row);
      const head = [...of.map((_, i) => `x${i}`), 'label'].join(separator);
      const whole = [head, ...rows].join(random.pick(['\n', '\r\n'])) + random.pick(['', '\n', '\n\n']);
      const bytes =
        random.float() < 0.1
          ? mutateBytes(Buffer.from(whole), random)
          : Buffer.from(random.float() < 0.8 ? mutateText(whole, random) : whole);
      const regression = random.float() < 0.2;
      return {
        text: Buffer.from(bytes).toString().slice(0, 2000),
        read() {
          writeFileSync(file, bytes);
          return readAll({ name: 'csv', dir: file, label: 'label', ...(regression && { regression }) });
        },
      };
    };
  },
};

const FORMATS = ['png', 'jpeg', 'gif', 'webp', 'tiff', 'bmp'] as const;

/** 24 bits a pixel, without compression; rows are padded to 4 bytes. */
function bmp(size: number): Buffer {
  const row = Math.ceil((size * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * size, 90);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.fill(0, 6, 54);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(size, 18);
  bytes.writeInt32LE(size, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

export const imageFiles: Parser = {
  name: 'images',
  weight: 15,
  async open(scratch) {
    const pixels = (size: number) =>
      sharp(Buffer.from(Array.from({ length: size * size * 3 }, (_, i) => (i * 37) % 256)), {
        raw: { width: size, height: size, channels: 3 },
      });
    const valid = await Promise.all(
      FORMATS.map((format) => (format === 'bmp' ? bmp(9) : pixels(9).toFormat(format).toBuffer())),
    );
    return (random: Rng): Input => {
      const kind = random.int(FORMATS.length);
      const bytes = mutateBytes(valid[kind] ?? Buffer.of(), random);
      const file = join(scratch, `image.${FORMATS[kind]}`);
      return {
        text: `${FORMATS[kind]} ${Buffer.from(bytes).toString('base64').slice(0, 400)}`,
        async read() {
          writeFileSync(file, bytes);
          const [header] = await checkImages('images', [file], true);
          return { header, values: [...(await readImage(file, { input: [3, 8, 8], range: [0, 255] }))] };
        },
      };
    };
  },
};

/** `[magic, sizes..., bytes]` */
function idx(sizes: readonly number[], value: (i: number) => number): Uint8Array {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(0x800 + sizes.length);
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return new Uint8Array(
    Buffer.concat([header, Buffer.from(Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => value(i)))]),
  );
}

/** A data set of official files, one of which is changed. */
function officialFiles(name: string, weight: number, files: Readonly<Record<string, Uint8Array>>): Parser {
  return {
    name,
    weight,
    async open(scratch) {
      mkdirSync(join(scratch, name), { recursive: true });
      for (const [file, bytes] of Object.entries(files)) writeFileSync(join(scratch, name, file), bytes);
      let changed: string | undefined;
      return (random: Rng): Input => {
        const file = random.pick(Object.keys(files));
        const bytes = mutateBytes(files[file] ?? Buffer.of(), random);
        return {
          text: `${file} ${Buffer.from(bytes).toString('base64').slice(0, 400)}`,
          read() {
            if (changed !== undefined) writeFileSync(join(scratch, name, changed), files[changed] ?? Buffer.of());
            changed = file;
            writeFileSync(join(scratch, name, file), bytes);
            return readAll({ name, dir: join(scratch, name) });
          },
        };
      };
    },
  };
}

const digits = (count: number) => ({
  images: idx([count, 4, 4], (i) => (i * 31) % 256),
  labels: idx([count], (i) => i % 10),
});
const [train, test] = [digits(60), digits(30)];

export const idxFiles = officialFiles('mnist', 10, {
  'train-images-idx3-ubyte': train.images,
  'train-labels-idx1-ubyte': train.labels,
  't10k-images-idx3-ubyte': test.images,
  't10k-labels-idx1-ubyte': test.labels,
});

const records = (count: number) =>
  new Uint8Array(count * 3073).map((_, i) => (i % 3073 === 0 ? Math.floor(i / 3073) % 10 : (i * 7) % 256));

export const cifarFiles = officialFiles('cifar-10', 2, {
  'data_batch_1.bin': records(40),
  'test_batch.bin': records(20),
});
