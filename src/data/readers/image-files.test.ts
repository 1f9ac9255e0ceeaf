import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import sharp from 'sharp';
import type { DataRequest } from '../dataset.ts';
import { openDataset } from '../open.node.ts';
import { bmp } from '../testing/bmp.ts';
import { assertRefused, readAll, tempFolder } from '../testing/helpers.ts';
import { tiff } from '../testing/tiff.ts';
import { decodeImage, readImage } from './image.node.ts';

const SIDE = 16;
const open = (dir: string, more: Partial<DataRequest> = {}) =>
  openDataset({ name: 'image-folder', dir, seed: 1, ...more });
const notesOf = async (dir: string, more: Partial<DataRequest> = {}) =>
  (await open(dir, more)).search.info.notes.join('\n');

async function put(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/** A gray picture whose upper (class 0) or left (class 1) half is bright; `k` makes each a little different. */
function shades(kind: 0 | 1, k = 0): number[] {
  return Array.from({ length: SIDE * SIDE }, (_, i) => {
    const bright = kind === 0 ? i < (SIDE * SIDE) / 2 : i % SIDE < SIDE / 2;
    return (bright ? 200 : 40) + ((i * 7 + k * 13) % 20);
  });
}

function picture(kind: 0 | 1, k = 0) {
  return sharp(Uint8Array.from(shades(kind, k)), { raw: { width: SIDE, height: SIDE, channels: 1 } });
}

/** `a` and `b` with `count` pictures each. */
async function twoClasses(dir: string, count = 5): Promise<void> {
  for (const [kind, name] of [
    [0, 'a'],
    [1, 'b'],
  ] as const)
    for (let k = 0; k < count; k++) await put(join(dir, name, `${k}.png`), await picture(kind, k).png().toBuffer());
}

async function classesOfFolder(t: TestContext, count = 5): Promise<string> {
  const dir = await tempFolder(t);
  await twoClasses(dir, count);
  return dir;
}

test('the first bytes decide the format, whatever the name: all formats give the same picture', async (t) => {
  const dir = await tempFolder(t);
  const pixels = shades(0);
  const colored = pixels.map((v) => v * 0x10101);
  const files: Readonly<Record<string, Uint8Array>> = {
    'png.jpg': await picture(0).png().toBuffer(),
    'palette.png': await picture(0).toColourspace('srgb').png({ palette: true, colors: 256 }).toBuffer(),
    'photo.jfif': await picture(0).jpeg({ quality: 100 }).toBuffer(),
    'photo.jpe': await picture(0).jpeg({ quality: 100 }).toBuffer(),
    'cmyk.jpeg': await picture(0).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
    'paint.bmp': bmp(SIDE, SIDE, colored, { bits: 24 }),
    'paint.png': bmp(SIDE, SIDE, colored, { bits: 24, topDown: true }),
    'sixteen.png': await picture(0).toColourspace('grey16').png().toBuffer(),
    'uint16.tif': tiff(
      'uint16',
      SIDE,
      SIDE,
      1,
      pixels.map((v) => v * 257),
    ),
    'float.tiff': tiff(
      'float32',
      SIDE,
      SIDE,
      1,
      pixels.map((v) => v / 255),
    ),
    'float-color.tiff': tiff(
      'float32',
      SIDE,
      SIDE,
      3,
      pixels.flatMap((v) => [v / 255, v / 255, v / 255]),
    ),
    'uint32.tiff': tiff('uint32', SIDE, SIDE, 1, pixels),
    'web.webp': await picture(0).webp({ lossless: true }).toBuffer(),
    'anim.gif': await sharp([await picture(0).png().toBuffer(), await picture(1).png().toBuffer()], {
      join: { animated: true },
    })
      .gif()
      .toBuffer(),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await put(join(dir, name), bytes);
    const found = await decodeImage(join(dir, name), [1, SIDE, SIDE]);
    const worst = Math.max(...found.map((value, i) => Math.abs(value - (pixels[i] ?? 0))));
    const bound = name.startsWith('cmyk') ? 40 : 8;
    assert.ok(worst <= bound, `${name} differs by ${worst}`);
  }
});

test('16 bits that use 12, and floating point of any range, are scaled by the data, and predict does the same', async (t) => {
  for (const [kind, scale, shift, values] of [
    ['uint16', 16, 0, [0, 4095]],
    ['float32', 1 / 255, 0, [0, 1]],
    ['float32', 1000, -1e5, undefined],
    ['uint32', 1, 0, [0, 255]],
  ] as const) {
    const dir = await tempFolder(t);
    for (const [k, name] of ['a', 'b'].entries())
      for (let i = 0; i < 5; i++) {
        const pixels = shades(k === 0 ? 0 : 1, i).map((v) => v * scale + shift);
        await put(join(dir, name, `${i}.tif`), tiff(kind, SIDE, SIDE, 1, pixels));
      }
    const { info, train } = (await open(dir)).search;
    if (values) assert.deepEqual(info.decoding?.values, values);
    const { inputs } = await readAll(train, SIDE * SIDE);
    const all = inputs.flat();
    assert.ok(Math.max(...all) > 190 && Math.min(...all) < 60, `${kind}: ${Math.min(...all)} to ${Math.max(...all)}`);
    assert.match(info.notes.join('\n'), /more than 8 bits per value/);
    const one = await readImage(join(dir, 'a', '0.tif'), info);
    assert.ok(inputs.some((input) => input.every((value, i) => value === one[i])) || info.counts.train < 10);
  }
  const dir = await classesOfFolder(t);
  const bad = join(dir, 'a', 'nan.tif');
  await put(bad, tiff('float32', SIDE, SIDE, 1, [...shades(0).slice(1), Number.NaN]));
  await assertRefused(open(dir), bad, 'NaN', 'finite');
  await put(bad, tiff('int16', SIDE, SIDE, 1, shades(0)));
  await assertRefused(open(dir), bad, 'pixel values have the type short');
});

test('transparent images are laid on what shows them, in training and by predict alike', async (t) => {
  const drawing = async (kind: 0 | 1, k: number, gray: number) => {
    const alpha = shades(kind, k).map((value) => (value > 150 ? 255 : 0));
    const pixels = alpha.flatMap((value) => [gray, gray, gray, value]);
    return sharp(Uint8Array.from(pixels), { raw: { width: SIDE, height: SIDE, channels: 4 } })
      .png()
      .toBuffer();
  };
  for (const [name, grays, background] of [
    ['white', [0], 255],
    ['white', [90], 255],
    ['black', [255], 0],
    ['middle gray', [0, 255], 128],
  ] as const) {
    const dir = await tempFolder(t);
    for (const kind of [0, 1] as const)
      for (let k = 0; k < 6; k++)
        await put(join(dir, 'ab'[kind] ?? '', `${k}.png`), await drawing(kind, k, grays[k % grays.length] ?? 0));
    const { info } = (await open(dir)).search;
    assert.deepEqual(info.decoding, { background });
    assert.match(info.notes.join('\n'), new RegExp(`filled with ${name}`));
    const one = await readImage(join(dir, 'a', '0.png'), info);
    assert.equal(one[0], grays[0]);
    assert.equal(one.at(-1), background, 'where it is transparent');
    assert.equal(
      (await readImage(join(dir, 'a', '0.png'), { input: info.input })).at(-1),
      0,
      'models of earlier versions',
    );
  }
  assert.equal((await open(await classesOfFolder(t))).search.info.decoding, undefined);
});

test('images of one color are named; training images that are all the same are refused', async (t) => {
  const dir = await classesOfFolder(t);
  const flat = (gray: number) =>
    sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: { r: gray, g: gray, b: gray } } })
      .png()
      .toBuffer();
  for (let k = 0; k < 9; k++) await put(join(dir, 'a', `flat${k}.png`), await flat(k));
  assert.match(await notesOf(dir), /\d of \d+ training images have a single color: ".*flat\d.png"/);
  const same = await tempFolder(t);
  for (const name of ['a', 'b']) for (let k = 0; k < 4; k++) await put(join(same, name, `${k}.png`), await flat(7));
  await assertRefused(open(same), 'training images are identical');
});

test('what is not read is counted by extension; litter is passed over; folders may be named like images', async (t) => {
  const dir = await classesOfFolder(t);
  const plain = (await open(dir)).search.info;
  const thumb = await picture(1).jpeg().toBuffer();
  for (const litter of [
    '@eaDir/0.png/thumb.jpg',
    '.thumbs/1.jpg',
    '._0.png',
    '__MACOSX/a.png',
    '.ipynb_checkpoints/0.png',
  ])
    await put(join(dir, 'a', litter), thumb);
  for (const litter of ['__MACOSX/a/0.png', '@eaDir/x.jpg', '.DS_Store', 'Thumbs.db', 'a/Thumbs.db', 'b/desktop.ini'])
    await put(join(dir, litter), thumb);
  assert.deepEqual((await open(dir)).search.info, plain);
  for (const name of ['a/1.heic', 'a/2.HEIC', 'b/notes.txt', 'b/README', 'labels.csv', 'cover.png'])
    await put(join(dir, name), 'x');
  await put(join(dir, 'b', 'album.jpg', '9.png'), await picture(1, 9).png().toBuffer());
  const notes = await notesOf(dir);
  assert.match(notes, /11 images in 2 class folders/);
  assert.match(
    notes,
    /6 files were not read: 2 \.heic, 1 \.csv, 1 \.txt, 1 an image outside the class folders, 1 without an extension\./,
  );
  await put(join(dir, 'c', 'x.heic'), 'x');
  await assertRefused(open(dir), 'class folder "c" has no images', '3 .heic');
});

test('pipes, loops of links, links to nothing and folders that cannot be read', async (t) => {
  const dir = await classesOfFolder(t);
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(dir, 'a', 'pipe.png')]);
  await symlink('.', join(dir, 'loop'));
  await symlink('..', join(dir, 'a', 'loop'));
  await symlink(dir, join(dir, 'a', 'out.png'));
  await symlink(join(dir, 'b', '0.png'), join(dir, 'b', 'again.png'));
  const notes = await notesOf(dir);
  assert.match(notes, /11 images in 2 class folders/);
  assert.match(notes, /2 a link to a folder, 1 a link to a folder that contains it, 1 a named pipe/);

  const dangling = join(dir, 'a', 'gone.png');
  await symlink('nowhere', dangling);
  await assertRefused(open(dir), dangling, 'broken link');
  await rm(dangling);
  await symlink('gone.png', dangling);
  await assertRefused(open(dir), dangling, 'broken link');
  await rm(dangling);
  if (process.getuid?.() === 0 || process.platform === 'win32')
    return t.diagnostic('permissions do not bind this user');
  await chmod(join(dir, 'b', '1.png'), 0);
  await assertRefused(open(dir), join(dir, 'b', '1.png'), 'EACCES');
  await chmod(join(dir, 'b'), 0);
  await assertRefused(open(dir), join(dir, 'b'), 'EACCES').finally(() => chmod(join(dir, 'b'), 0o700));
});

test('every file that will be used is checked, those of the test part too; damage is named', async (t) => {
  const dir = await tempFolder(t);
  await twoClasses(join(dir, 'Training'));
  await twoClasses(join(dir, 'test set'));
  const whole = await readFile(join(dir, 'test set', 'a', '0.png'));
  const jpeg = await picture(0).jpeg({ quality: 95 }).toBuffer();
  const bomb = Buffer.from(whole);
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  const wide = Buffer.from(whole);
  wide.writeUInt32BE(15_000, 16);
  wide.writeUInt32BE(15_000, 20);
  const flipped = Buffer.from(whole);
  flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] as number) ^ 0xff;
  const cases: readonly (readonly [name: string, bytes: Uint8Array | string, said: RegExp])[] = [
    ['short.png', whole.subarray(0, whole.length / 2), /cannot be read/],
    ['short.jpg', jpeg.subarray(0, jpeg.length / 2), /cannot be read/],
    ['flipped.png', flipped, /cannot be read/],
    ['bomb.png', bomb, /60,000 by 60,000 pixels|pixel limit/],
    ['wide.png', wide, /15,000 by 15,000 pixels, but it has only \d+ bytes/],
    ['bomb.bmp', bmp(1, 1, [0], { bits: 24 }).fill(0x7f, 18, 26), /pixels need/],
    ['page.png', '<html>', /starts with the bytes 3c68746d/],
    ['empty.png', '', /the file is empty/],
    ['header.tif', 'II*\0', /cannot be read/],
  ];
  for (const [name, bytes, said] of cases) {
    const file = join(dir, 'test set', 'b', name);
    await put(file, bytes);
    await assert.rejects(
      open(dir),
      (error: Error) => error.name === 'UserError' && said.test(error.message) && error.message.includes(file),
    );
    await rm(file);
  }
  await put(join(dir, 'wide.png'), wide);
  await assertRefused(decodeImage(join(dir, 'wide.png'), [1, 8, 8]), 'wide.png', 'but it has only');
  await rm(join(dir, 'wide.png'));
  for (const [name, bytes] of cases) await put(join(dir, 'Training', 'a', name), bytes);
  await assertRefused(open(dir), '8 of 29 images cannot be read', 'empty.png" (the file is empty)', 'and 3 more');
});

test('a file that is damaged or removed after the check is named when it is read', async (t) => {
  const dir = await classesOfFolder(t, 8);
  const { search } = await open(dir, { checked: true });
  const damaged = join(dir, 'a', '0.png');
  const whole = await readFile(damaged);
  for (let k = 0; k < 8; k++) {
    await writeFile(join(dir, 'a', `${k}.png`), whole.subarray(0, whole.length / 2));
    await rm(join(dir, 'b', `${k}.png`));
  }
  // Training images were read for the statistics and are in memory; those of validation are not.
  await assertRefused(readAll(search.valid, SIDE * SIDE), join(dir, ''), 'cannot be decoded');
});

test('excluded files leave all others where they were, whether they are there, damaged or gone', async (t) => {
  const dir = await classesOfFolder(t, 20);
  const whole = await open(dir);
  const elements = SIDE * SIDE;
  const before = {
    train: (await readAll(whole.search.train, elements)).inputs.map(String),
    valid: (await readAll(whole.search.valid, elements)).inputs.map(String),
    test: (await readAll(await whole.openTest(), elements)).inputs.map(String),
  };
  const exclude = ['a/3.png', 'a/12.png', 'b/0.png', 'b/19.png'];
  await writeFile(join(dir, 'a', '3.png'), 'damaged');
  for (const name of exclude.slice(1)) await rm(join(dir, name));
  await assertRefused(open(dir), join(dir, 'a', '3.png'));
  const left = await open(dir, { exclude });
  const after = {
    train: (await readAll(left.search.train, elements)).inputs.map(String),
    valid: (await readAll(left.search.valid, elements)).inputs.map(String),
    test: (await readAll(await left.openTest(), elements)).inputs.map(String),
  };
  for (const part of ['train', 'valid', 'test'] as const)
    assert.ok(after[part].length > 0 && after[part].every((sample) => before[part].includes(sample)), part);
  const count = (parts: typeof before) => parts.train.length + parts.valid.length + parts.test.length;
  assert.equal(count(after), count(before) - 4);
  assert.equal(left.search.info.checksums?.files, whole.search.info.checksums?.files);
  assert.notEqual(left.search.info.checksums?.search, whole.search.info.checksums?.search);
  await assertRefused(open(dir, { exclude: ['c/1.png'] }), '"c/1.png"', 'within a class folder');
  await assertRefused(
    openDataset({ name: 'digits', seed: 1, exclude: ['1'] }),
    'exclude',
    'only applies to image-folder',
  );
});

test('names are compared in one Unicode form, in classes and among parts; __proto__ is a class', async (t) => {
  const dir = await tempFolder(t);
  const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
  for (const [part, name] of [
    ['train', composed],
    ['test', decomposed],
  ] as const) {
    await twoClasses(join(dir, part), 4);
    for (let k = 0; k < 4; k++)
      await put(
        join(dir, part, name, `${k}.png`),
        await picture(0, 20 + k)
          .png()
          .toBuffer(),
      );
    for (let k = 0; k < 4; k++)
      await put(
        join(dir, part, '__proto__', `${k}.png`),
        await picture(1, 40 + k)
          .png()
          .toBuffer(),
      );
  }
  const data = await open(dir);
  assert.deepEqual(data.search.info.labels, ['__proto__', 'a', 'b', composed]);
  assert.deepEqual(data.search.info.counts, { train: 12, valid: 4, test: 16 });
  await put(join(dir, 'train', decomposed, '0.png'), await picture(0).png().toBuffer());
  // A file system that normalizes names has one folder for both.
  const both = (await open(dir).then(
    () => undefined,
    (error: Error) => error.message,
  )) as string | undefined;
  if (both !== undefined) assert.match(both, /two folders have the same name "café"/);
});

test('unlabeled test images are spoken of, not taken for a class', async (t) => {
  const dir = await tempFolder(t);
  await twoClasses(join(dir, 'Train'));
  for (let k = 0; k < 4; k++) await put(join(dir, 'Test', `${k}.png`), await picture(0, k).png().toBuffer());
  const { info } = (await open(dir)).search;
  assert.deepEqual(info.labels, ['a', 'b']);
  assert.match(info.notes.join('\n'), /"Test" are not used: they are not in class folders/);
  assert.equal(info.counts.test, 2);
});
