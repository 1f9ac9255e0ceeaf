import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { rng } from '../src/common/random.ts';

// What a new task takes: the patch of a fixture, applied to a copy of the sources, whose commands then know the task.

const ROOT = join(import.meta.dirname, '..');
const PATCH = join(import.meta.dirname, 'support', 'new-task.patch');
const SIDE = 8;

/** Images of a bright square, each with its mask. */
async function writeImages(dir: string, count: number): Promise<void> {
  mkdirSync(dir);
  writeFileSync(join(dir, 'classes.txt'), 'background\nsquare\n');
  for (let n = 0; n < count; n++) {
    const random = rng('masks', n);
    const [top, left] = [random.int(SIDE - 2), random.int(SIDE - 2)];
    const at = (i: number) => [Math.floor(i / SIDE) - top, (i % SIDE) - left] as const;
    const inside = (i: number) => at(i).every((offset) => offset >= 0 && offset < 3);
    const pixels = Array.from({ length: SIDE * SIDE }, (_, i) => i);
    const raw = { raw: { width: SIDE, height: SIDE, channels: 1 } } as const;
    for (const [file, values] of [
      [`${n}.png`, pixels.map((i) => (inside(i) ? 180 : 20) + random.int(60))],
      [`${n}.mask.png`, pixels.map((i) => (inside(i) ? 1 : 0))],
    ] as const)
      await sharp(Buffer.from(values), raw).toColourspace('b-w').png().toFile(join(dir, file));
  }
}

const hasGit = spawnSync('git', ['--version']).status === 0;

test('a task, a reader and a space with a line in each registry: run searches, evaluates, exports and reports by them', {
  skip: hasGit ? false : 'needs git to apply a patch',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-new-task-'));
  try {
    for (const part of ['src', 'bin', 'package.json'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    const applied = spawnSync('git', ['apply', PATCH], { cwd: folder, encoding: 'utf8' });
    assert.equal(applied.status, 0, `test/support/new-task.patch no longer fits the sources: ${applied.stderr}`);

    await writeImages(join(folder, 'masks'), 30);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const json = (...args: string[]) => {
      const words = ['--conditions=netsmith-source', join(folder, 'bin', 'netsmith.js'), ...args, '--json', '--quiet'];
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, env, encoding: 'utf8' });
      assert.equal(status, 0, `${args.join(' ')}\n${stdout}\n${stderr}`);
      return JSON.parse(stdout);
    };
    const data = ['--data', 'mask-folder', '--data-dir', 'masks', '--space', 'dense'];
    const small = [
      '--epochs',
      '2',
      '--batch-size',
      '8',
      '--trials',
      '2',
      '--seeds',
      '1',
      '--confirm',
      '0',
      '--workers',
      '1',
    ];
    const { evaluation, export: exported, report } = json('run', ...data, ...small, '--out', 'study');
    assert.ok(evaluation.test.accuracy.mean > 0.4 && exported.parity < 1e-5);
    assert.match(readFileSync(join(folder, report), 'utf8'), /pixel-classes/);
    const [{ answer }] = json('predict', exported.file, 'masks/0.png');
    assert.equal(answer.length, SIDE * SIDE);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('docs/ARCHITECTURE.md shows the lines of the patch that change what is there', () => {
  const files = readFileSync(PATCH, 'utf8')
    .split(/^diff --git /m)
    .slice(1);
  const changed = files
    .filter((text) => !/^new file mode/m.test(text))
    .flatMap((text) => [/b\/(\S+)/.exec(text)?.[1] ?? '', ...(text.match(/^[+-](?![+-]).*$/gm) ?? [])]);
  assert.equal(files.length - changed.filter((line) => line.startsWith('src/')).length, 3, 'three files are new');
  const shown = readFileSync(join(ROOT, 'docs', 'ARCHITECTURE.md'), 'utf8');
  assert.ok(shown.includes(`\n${changed.join('\n')}\n\`\`\``), `the patch changes:\n${changed.join('\n')}`);
});
