import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
let photos = '';
/** Two trials of one epoch on `photos`. */
let study = '';
const SMALL = [
  '--space',
  'nas-bench-201',
  '--space-options',
  'cells=1,channels=4',
  '--epochs',
  '1',
  '--image-size',
  '8',
];
const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);

async function picture(k: number, alpha = false): Promise<Buffer> {
  const channels = alpha ? 4 : 3;
  const pixels = Array.from({ length: 144 }, (_, i) => {
    const bright = k % 2 === 0 ? i < 72 : i % 12 < 6;
    return alpha ? [0, 0, 0, bright ? 255 : 0] : [bright ? 250 - k : k, (i * 3 + k) % 80, (i + k * 31) % 256];
  }).flat();
  return sharp(Uint8Array.from(pixels), { raw: { width: 12, height: 12, channels } })
    .png()
    .toBuffer();
}

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** The trials but for what differs from run to run. */
const trialsOf = async (dir: string) =>
  (await json('trials', dir)).map(({ trial, state, architecture, metrics }: Record<string, unknown>) => ({
    ...{ trial, state, architecture, metrics },
  }));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-images-'));
  photos = join(folder, 'photos');
  for (let k = 0; k < 40; k++) put(join(photos, k % 2 === 0 ? 'top' : 'left', `${k}.png`), await picture(k));
  study = join(folder, 'study');
  await json('search', ...SMALL, '--data', 'image-folder', '--data-dir', photos, '--trials', '2', '--out', study);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('a damaged image is named before a study is there, wherever it is', async () => {
  const damaged = join(folder, 'damaged');
  const out = join(folder, 'none');
  for (const part of ['train', 'val', 'Test']) cpSync(photos, join(damaged, part), { recursive: true });
  for (const part of ['train', 'val', 'Test']) {
    const file = join(damaged, part, 'top', '4.png');
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length - 20));
    const flags = ['--data', 'image-folder', '--data-dir', damaged];
    await refused(/\/top\/4\.png".*; replace or remove/s, 'search', ...flags, '--out', out);
    writeFileSync(file, whole);
  }
  assert.ok(!existsSync(out));
});

test('resume notices one changed image, of the test part too, and says what has changed', async () => {
  let [search, tests] = [0, 0];
  // 40 images: at least one of the first ten is a test image.
  for (let k = 0; k < 10; k++) {
    const file = join(photos, k % 2 === 0 ? 'top' : 'left', `${k}.png`);
    const whole = readFileSync(file);
    // The same picture but for one pixel by one step: no count, size or class tells.
    const { data, info } = await sharp(whole).raw().toBuffer({ resolveWithObject: true });
    data[5] = (data[5] ?? 0) ^ 1;
    writeFileSync(file, await sharp(data, { raw: info }).png().toBuffer());
    const { code, err } = await netsmith('resume', study, '--trials', '3');
    assert.equal(code, 2, err);
    assert.match(err, /the data have changed since the study was created: a (training or validation|test) sample/);
    if (/a test sample/.test(err)) tests++;
    else search++;
    writeFileSync(file, whole);
  }
  assert.ok(search > 0 && tests > 0, `${search} and ${tests}`);
  for (const command of ['evaluate', 'export']) {
    const file = join(photos, 'top', '0.png');
    const whole = readFileSync(file);
    writeFileSync(file, await picture(98));
    await refused(/the data have changed/, command, study);
    writeFileSync(file, whole);
  }
  const extra = join(photos, 'new', 'x.png');
  for (let k = 0; k < 4; k++) put(join(photos, 'new', `${k}.png`), await picture(60 + k));
  await refused(/the classes are now left, new, top instead of left, top/, 'resume', study, '--trials', '3');
  rmSync(dirname(extra), { recursive: true });
});

test('a study continues without images that had to be removed, and no other image changes its part', async () => {
  const mine = join(folder, 'mine');
  cpSync(study, mine, { recursive: true });
  const before = await trialsOf(mine);
  const moved = join(folder, 'aside');
  cpSync(photos, moved, { recursive: true });
  for (const name of ['top/4.png', 'left/7.png']) rmSync(join(photos, name));
  await refused(/\d+ \w+ samples instead of \d+.*netsmith resume DIR --without FILE/, 'resume', mine, '--trials', '3');
  await refused(/other than the skipped ones are missing/, 'resume', mine, '--without', 'top/4.png');
  await refused(/excluded file "top\/nowhere" not found|files were added/, 'resume', mine, '--without', 'top/nowhere');
  const ended = await json('resume', mine, '--trials', '3', '--without', 'top/4.png', join(photos, 'left', '7.png'));
  assert.equal(ended.trials, 3);
  assert.deepEqual((await trialsOf(mine)).slice(0, 2), before);
  // From now on the study is one without them: they need not be named again.
  assert.equal((await json('resume', mine, '--trials', '4')).trials, 4);
  cpSync(moved, photos, { recursive: true });
});

test('transparent images are not black on black, in a search and for the model that it exports', async () => {
  const drawings = join(folder, 'drawings');
  for (let k = 0; k < 24; k++)
    put(join(drawings, k % 2 === 0 ? 'top' : 'left', `${k}.png`), await picture(k % 2, true));
  const dir = join(folder, 'of-drawings');
  const flags = [
    '--data',
    'image-folder',
    '--data-dir',
    drawings,
    '--image-size',
    '12',
    '--trials',
    '1',
    '--epochs',
    '12',
  ];
  const space = ['--space', 'nas-bench-201', '--space-options', 'cells=1,channels=8', '--batch-size', '4'];
  const { err } = await netsmith('search', ...flags, ...space, '--strategy', 'random', '--out', dir);
  assert.match(err, /Transparent pixels are filled with white/);
  const { file } = await json('export', dir);
  const predictions = await json('predict', file, join(drawings, 'top', '0.png'), join(drawings, 'left', '1.png'));
  const [top, left] = predictions.map((one: { probabilities: Record<string, number> }) => one.probabilities.top);
  assert.ok(Math.abs(top - left) > 1e-4, `the two drawings are the same to the model: ${top}, ${left}`);
});
