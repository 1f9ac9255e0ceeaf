import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-scale-'));
after(() => rmSync(root, { recursive: true, force: true }));
const DATA = ['--data', 'digits', '--train-samples', '24', '--epochs', '1', '--batch-size', '24'];

describe('a found network, scaled', () => {
  const dir = join(root, 'study');
  const file = join(root, 'larger.json');
  before(async () => {
    const options = ['--space', 'small-cnn', '--trials', '1', '--workers', '1', '--out', dir];
    const { code, err } = await netsmith('search', ...DATA, ...options);
    assert.equal(code, 0, err);
  });

  test('is written as a space of one, which is shown and trained', async () => {
    const shown = await json('show', dir);
    const scaled = await json('scale', dir, '--phi', '2', '--out', file);
    assert.deepEqual([scaled.trial, scaled.text, scaled.file], [0, shown.text, file]);
    assert.deepEqual(scaled.coefficients, { alpha: 1.2, beta: 1.1, gamma: 1.15 });
    assert.equal(scaled.growth, scaled.flops / shown.flops);
    assert.ok(Math.abs(scaled.growth / scaled.target - 1) <= 0.1, `${scaled.growth}`);
    assert.deepEqual(scaled.resolution, [11, 11]);
    const larger = await json('show', '--space', file, '--input', '1,8,8');
    assert.deepEqual([larger.params, larger.flops], [scaled.params, scaled.flops]);
    const trained = await json('train', '--space', file, ...DATA, '--test');
    assert.equal(trained.params, scaled.params);
    assert.equal(typeof trained.test.accuracy, 'number');
    const text = await netsmith('scale', dir, '--alpha', '1', '--beta', '1.5', '--gamma', '1');
    assert.match(
      text.out,
      /alpha 1, beta 1\.5, gamma 1, phi 1: [\d,]+ parameters, .* \(target 2\.25\)\n0 blocks are added$/m,
    );
  });

  test('is searched as any space is, and its study exported', async () => {
    const found = join(root, 'larger');
    const { code, err } = await netsmith(
      'search',
      ...DATA,
      '--space',
      file,
      '--trials',
      '1',
      '--workers',
      '1',
      '--out',
      found,
    );
    assert.equal(code, 0, err);
    const exported = await json('export', found);
    assert.ok(exported.parity < 1e-4);
  });

  test('by the best coefficients of a grid, each point of which is trained', async () => {
    const scaled = await json('scale', dir, '--grid', '--epochs', '1', '--phi', '1');
    assert.equal(scaled.grid.length, 9);
    for (const { alpha, beta, gamma } of scaled.grid) assert.ok(Math.abs(alpha * beta ** 2 * gamma ** 2 - 2) < 1e-9);
    const accuracies = scaled.grid.map(({ metrics }: { metrics: { accuracy: number } }) => metrics.accuracy);
    assert.deepEqual(
      accuracies,
      accuracies.toSorted((a: number, b: number) => b - a),
    );
    const [{ alpha, beta, gamma }] = scaled.grid;
    assert.deepEqual(scaled.coefficients, { alpha, beta, gamma });
  });

  test('bad input is refused, and nothing is written', async () => {
    await refusedIn(root, /phi: 0; must be above 0 and at most 20/, 'scale', dir, '--phi', '0');
    await refusedIn(root, /alpha: 0\.5; must be a number from 1 to 4/, 'scale', dir, '--alpha', '0.5');
    await refusedIn(root, /--out: "x\.onnx"; must end in \.json/, 'scale', dir, '--out', 'x.onnx');
    await refusedIn(
      root,
      /--grid: coefficients are given, too; the grid finds them/,
      'scale',
      dir,
      '--grid',
      '--beta',
      '1.1',
    );
    await refusedIn(root, /is not the folder of a study/, 'scale', root);
    await refusedIn(root, /"none\.json"; the file does not exist/, 'show', '--space', 'none.json');
    const broken = join(root, 'broken.json');
    writeFileSync(broken, readFileSync(file, 'utf8').replace('"kernel":', '"kernal":'));
    await refusedIn(
      root,
      /--space ".*broken\.json": space "small-cnn, scaled": .*conv has a field "kernal"/,
      'show',
      '--space',
      broken,
    );
    writeFileSync(broken, '{');
    await refusedIn(root, /broken\.json/, 'show', '--space', broken);
  });
});
