// Your own images: a folder for each class. This one draws some, then does the whole job on them.
//   node examples/image-folder.ts [folder]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rng } from 'netsmith';
import sharp from 'sharp';

const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'netsmith-images-'));
const images = join(folder, 'images');
const random = rng('example');

const shapes = {
  circle: (x: number, y: number, r: number) => `<circle cx="${x}" cy="${y}" r="${r}"/>`,
  square: (x: number, y: number, r: number) => `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}"/>`,
};
for (const [name, draw] of Object.entries(shapes)) {
  mkdirSync(join(images, name), { recursive: true });
  for (let i = 0; i < 60; i++) {
    const shape = draw(10 + random.int(12), 10 + random.int(12), 4 + random.int(6));
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><rect width="32" height="32" fill="white"/>${shape}</svg>`;
    await sharp(Buffer.from(svg))
      .png()
      .toFile(join(images, name, `${i}.png`));
  }
}

const netsmith = (...args: string[]) => {
  const bin = fileURLToPath(new URL('../bin/netsmith.js', import.meta.url));
  const { status } = spawnSync(process.execPath, [bin, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
};
const study = join(folder, 'study');
const data = ['--data', 'image-folder', '--data-dir', images, '--image-size', '16'];
netsmith(
  'run',
  ...data,
  '--trials',
  '2',
  '--epochs',
  '3',
  '--confirm',
  '0',
  '--seeds',
  '1',
  '--no-baselines',
  '--out',
  study,
);
netsmith(
  'predict',
  join(study, 'best', 'model.onnx'),
  join(images, 'circle', '0.png'),
  join(images, 'square', '0.png'),
);
