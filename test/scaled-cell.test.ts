import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-scaled-'));
after(() => rmSync(root, { recursive: true, force: true }));
const DATA = ['--data', 'digits', '--train-samples', '24', '--epochs', '1', '--batch-size', '24'];

describe('a cell found at a small size', () => {
  const dir = join(root, 'study');
  let text = '';
  before(async () => {
    const options = ['--space', 'darts', '--space-options', 'cells=3,channels=2', '--trials', '1'];
    const { code, err } = await netsmith('search', ...DATA, ...options, '--hand-designed', 'none', '--out', dir);
    assert.equal(code, 0, err);
    ({ text } = await json('show', dir));
  });

  test('is shown at another, with both costs', async () => {
    const small = await json('show', dir);
    const large = await json('show', dir, '--space-options', 'cells=6,channels=4');
    assert.equal(large.text, text);
    assert.deepEqual(large.searched, { params: small.params, flops: small.flops });
    assert.ok(large.params > small.params && large.flops > small.flops);
    assert.equal(small.searched, undefined);
    const shown = await netsmith('show', dir, '--space-options', 'cells=6');
    assert.match(shown.out, /as searched: [\d,]+ parameters/);
    await refusedIn(root, /option cells is 2; must be at least 3/, 'show', dir, '--space-options', 'cells=2');
  });

  test('is trained and exported at another size, its cost as searched beside it', async () => {
    const options = ['--space-options', 'channels=4,auxiliary=0.4,dropPath=0.2', '--cutout', '2'];
    const out = join(root, 'large.onnx');
    const trained = await json('train', '--arch', dir, ...DATA, ...options, '--test', '--out', out);
    const shown = await json('show', dir, '--space-options', 'channels=4');
    assert.deepEqual([trained.text, trained.params], [text, shown.params]);
    const { params, flops } = await json('show', dir);
    assert.deepEqual(trained.searched, { params, flops });
    assert.ok(trained.model.parity <= 1e-4 && trained.model.samples > 0);
    const about = JSON.parse(readFileSync(trained.model.about, 'utf8'));
    assert.deepEqual([about.architecture, about.training.test], [text, trained.test]);
    assert.ok(existsSync(out));
    const nowhere = join(root, 'missing', 'large.onnx');
    await refusedIn(root, /--out: .*folder of the file must exist/, 'train', '--arch', dir, ...DATA, '--out', nowhere);
    await refusedIn(root, /unknown decision|architecture/, 'train', '--arch', dir, ...DATA, '--space', 'nasnet');
  });
});

test('published genotypes are listed with costs and quotes, and pasted from their files', async () => {
  const [darts] = await json('spaces', 'darts');
  const second = darts.published.find(({ name }: { name: string }) => name === 'DARTS_V2');
  assert.deepEqual(
    [second.params, second.flops, second.options, second.quoted],
    [3_349_342, 528_359_050, { channels: 36, cells: 20 }, { params: 3.3e6, testError: '2.76 ± 0.09 %' }],
  );
  const [nasnet] = await json('spaces', 'nasnet');
  const [first] = nasnet.published;
  const options = ['--space', 'nasnet', '--space-options', 'cells=20,channels=36'];
  const pasted = await json('show', ...options, '--arch', first.text);
  const named = await json('show', ...options, '--arch', 'NASNet-A');
  assert.deepEqual([pasted.params, pasted.text], [first.params, first.text]);
  assert.deepEqual(named, pasted);
  const listed = await netsmith('spaces', 'nasnet');
  assert.match(listed.out, /NASNet-A +3,830,950 +603 M +3\.3 M +2\.65 % +Zoph et al\. 2018/);
  await refusedIn(root, /normal_concat/, 'show', ...options, '--arch', first.text.replace('[2, 3, 4, 5, 6]', '[2, 3]'));
});
