import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { openDataset } from '../open.node.ts';
import { assertRefused, readAll, tempFolder } from '../testing/helpers.ts';
import { readUnpacked } from './files.node.ts';

function idx(sizes: readonly number[], data: readonly number[], magic = 0x800 + sizes.length): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
  for (const [k, word] of [magic, ...sizes].entries()) header.setUint32(4 * k, word);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...data]);
}

/** `count` images of 3 by 2, pixel p of image i is i + p, class i mod 10. */
async function write(dir: string, part: 'train' | 't10k', count: number, zip = false): Promise<void> {
  const pixels = Array.from({ length: count * 6 }, (_, k) => Math.floor(k / 6) + (k % 6));
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  const put = (name: string, bytes: Uint8Array) =>
    writeFile(join(dir, `${part}-${name}-ubyte${zip ? '.gz' : ''}`), zip ? gzipSync(bytes) : bytes);
  await put('images-idx3', idx([count, 3, 2], pixels));
  await put('labels-idx1', idx([count], labels));
}
const open = (dir: string) => openDataset({ name: 'mnist', dir, seed: 1 });

for (const zip of [false, true]) {
  test(`four IDX files, ${zip ? 'gzipped' : 'plain'}`, async (t) => {
    const dir = await tempFolder(t);
    await write(dir, 'train', 40, zip);
    await write(dir, 't10k', 12, zip);
    const data = await open(dir);
    assert.deepEqual(data.search.info.input, [1, 3, 2]);
    assert.deepEqual(data.search.info.counts, { train: 30, valid: 10, test: 12 });
    const { inputs, targets } = await readAll(await data.openTest(), 6);
    assert.deepEqual(inputs[11], [11, 12, 13, 14, 15, 16]);
    assert.equal(targets[11], 1);
    const train = await readAll(data.search.train, 6);
    assert.deepEqual(
      train.inputs.map((image) => (image[0] ?? 0) % 10),
      train.targets,
    );
  });
}

test('fashion-mnist has its class names, in its own folder below the one given', async (t) => {
  const dir = await tempFolder(t);
  await mkdir(join(dir, 'fashion-mnist'));
  await write(join(dir, 'fashion-mnist'), 'train', 50);
  const { info } = (await openDataset({ name: 'fashion-mnist', dir, seed: 1 })).search;
  assert.equal(info.labels[9], 'Ankle boot');
  assert.match(info.notes.join('\n'), /t10k-images-idx3-ubyte is missing/);
});

test('files that are spelt with a dot are found', async (t) => {
  const dir = await tempFolder(t);
  await write(dir, 'train', 50);
  await rename(join(dir, 'train-images-idx3-ubyte'), join(dir, 'train-images.idx3-ubyte'));
  await rename(join(dir, 'train-labels-idx1-ubyte'), join(dir, 'train-labels.idx1-ubyte'));
  assert.equal((await open(dir)).search.info.counts.test, 10);
});

test('damaged files are refused with file and byte offset', async (t) => {
  const dir = await tempFolder(t);
  await assertRefused(open(dir), 'train-images-idx3-ubyte not found');
  await write(dir, 'train', 40);
  const images = join(dir, 'train-images-idx3-ubyte');
  const labels = join(dir, 'train-labels-idx1-ubyte');
  const pixels = Array<number>(240).fill(0);

  await writeFile(images, idx([40, 3, 2], pixels, 0x801));
  await assertRefused(open(dir), images, 'byte offset 0', '0x00000801', '0x00000803');
  await writeFile(images, idx([40, 3, 2], pixels.slice(1)));
  await assertRefused(open(dir), images, 'byte offset 255', 'truncated', '40 by 3 by 2');
  await writeFile(images, idx([40, 3, 2], [...pixels, 0]));
  await assertRefused(open(dir), images, 'byte offset 256', 'more data');
  await writeFile(images, idx([0, 3, 2], []));
  await assertRefused(open(dir), images, 'byte offset 4', '0 by 3 by 2');
  await writeFile(images, idx([40], []).subarray(0, 6));
  await assertRefused(open(dir), images, 'byte offset 6', 'ends within its header');

  const zipped = gzipSync(idx([40, 3, 2], pixels));
  await writeFile(images, zipped.subarray(0, zipped.length - 9));
  await assertRefused(open(dir), images, `byte offset ${zipped.length - 9}`, 'gzip data ends early');
  await writeFile(
    images,
    zipped.map((byte, k) => (k === zipped.length - 6 ? byte ^ 1 : byte)),
  );
  await assertRefused(open(dir), images, 'corrupt');
  await writeFile(images, idx([40, 3, 2], pixels));

  await writeFile(labels, idx([39], Array<number>(39).fill(0)));
  await assertRefused(open(dir), labels, 'byte offset 4', '39 labels', '40 images');
  await writeFile(
    labels,
    idx(
      [40],
      Array.from({ length: 40 }, (_, i) => (i === 5 ? 77 : i % 10)),
    ),
  );
  await assertRefused(open(dir), labels, 'byte offset 13', 'label 77', 'at most 9');
  await write(dir, 'train', 40);
  await writeFile(join(dir, 't10k-images-idx3-ubyte'), idx([2, 2, 2], Array<number>(8).fill(0)));
  await assertRefused(open(dir), 't10k-labels-idx1-ubyte');
  await writeFile(join(dir, 't10k-labels-idx1-ubyte'), idx([2], [0, 1]));
  await assertRefused(open(dir), 't10k-images', '2 by 2', '3 by 2');
});

test('a gzip file that unpacks to more than its header says, or than is read, is refused before it fills the memory', async (t) => {
  const dir = await tempFolder(t);
  await write(dir, 'train', 40);
  const images = join(dir, 'train-images-idx3-ubyte');
  const bomb = gzipSync(Buffer.concat([idx([40, 3, 2], []), Buffer.alloc(64 * 2 ** 20)]));
  await writeFile(images, bomb);
  await assertRefused(open(dir), images, 'it unpacks to more than 256 bytes', 'more data than its header says');
  const file = join(dir, 'zeros.gz');
  await writeFile(file, gzipSync(Buffer.alloc(2 ** 20)));
  assert.equal((await readUnpacked(file)).length, 2 ** 20);
  await assertRefused(readUnpacked(file, { limit: 2 ** 20 - 1 }), file, 'it unpacks to more than 1,048,575 bytes');
  await writeFile(images, idx([1, 2 ** 31, 1], []));
  await assertRefused(open(dir), images, '2147483648 by 1', 'at most 1024');
  await writeFile(images, gzipSync(idx([2 ** 32 - 1, 1000, 1000], [])));
  await assertRefused(open(dir), images, 'truncated', '4294967295 by 1000 by 1000');
});

test('a named pipe in place of a file is refused, not waited for', {
  skip: process.platform === 'win32',
}, async (t) => {
  const dir = await tempFolder(t);
  await write(dir, 'train', 40);
  const images = join(dir, 'train-images-idx3-ubyte');
  await rm(images);
  execFileSync('mkfifo', [images]);
  await assertRefused(open(dir), images, 'named pipe');
  await assertRefused(open(images), images, 'it is a named pipe');
});
