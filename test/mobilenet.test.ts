import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-mobilenet-'));
after(() => rmSync(root, { recursive: true, force: true }));
const DATA = ['--data', 'digits', '--train-samples', '24', '--epochs', '1', '--batch-size', '24', '--workers', '1'];

test('mobilenet is searched from published networks on, and exported', async () => {
  const dir = join(root, 'study');
  const options = ['--space', 'mobilenet', '--space-options', 'width=0.1,depth=0.1', '--hand-designed', 'mobilenet-v3'];
  const { code, err } = await netsmith('search', ...DATA, ...options, '--trials', '2', '--out', dir);
  assert.equal(code, 0, err);
  const [first] = await json('trials', dir);
  assert.match(first.text, /^1 narrow hardSwish \| 8 relu none k3 \| 8 relu none k3e4 \| 8 relu expanded k5e3 \| /);
  const exported = await json('export', dir, '--trial', '0');
  assert.ok(exported.parity < 1e-4, `${exported.parity}`);
});

test('published networks are listed at 224x224 with the options that they need, and shown by name', async () => {
  const [space] = await json('spaces', 'mobilenet');
  const b3 = space.published.find(({ name }: { name: string }) => name === 'EfficientNet-B3');
  assert.deepEqual([b3.params, b3.options], [12_233_232, { width: 1.2, depth: 1.4 }]);
  const listed = await netsmith('spaces', 'mobilenet');
  assert.match(listed.out, /costs with --space-options as listed on 224x224 color images of\n1,000 classes/);
  assert.match(listed.out, /MnasNet-0\.75 +width=0\.75,depth=1 +3,170,208 +215 M/);
  const at = ['--space', 'mobilenet', '--input', '3,224,224', '--outputs', '1000'];
  const shown = await json('show', ...at, '--space-options', 'width=1.2,depth=1.4', '--arch', 'EfficientNet-B3');
  assert.deepEqual([shown.params, shown.text], [b3.params, b3.text]);
  await refusedIn(root, /must be --space-options width=1\.2,depth=1\.4/, 'show', ...at, '--arch', 'EfficientNet-B3');
});

// Constraints make the supernet small enough for a test.
const FIXED = ['4/block1', '4/block2', '5/block1', '5/block2', '6/block1', '6/block2', '7/block1'];
const FEW = ['--forbid', 'k5e3,k5e6,k7e3,k7e6', '--fix', FIXED.map((name) => `stage${name}=k3e3`).join()];
const SUPERNET = [...FEW, '--space', 'mobilenet', '--space-options', 'search=true,width=0.05,depth=0.3'];
for (const [name, ...args] of [
  ['darts', '--strategy', 'darts'],
  ['gdas', '--strategy', 'gdas', '--strategy-options', 'recalibrate=0'],
  ['enas', '--strategy', 'enas', '--strategy-options', 'controllerSteps=1,aggregate=2,candidates=2,recalibrate=0'],
  ['single-path', '--estimator', 'single-path', '--estimator-options', 'validationPaths=1', '--trials', '1'],
] as const)
  test(`with search=true, ${name} searches it within a limit`, async () => {
    const dir = join(root, name);
    const { code, err } = await netsmith(
      ...['search', ...DATA, ...SUPERNET, '--supernet-epochs', '1', ...args],
      ...['--max-flops', '750000', '--out', dir],
    );
    assert.equal(code, 0, err);
    const [trial, ...more] = await json('trials', dir);
    assert.deepEqual([trial.state, more.length], ['complete', 0]);
    assert.ok(trial.costs.flops <= 750_000, `${trial.costs.flops}`);
    assert.match(trial.text, /^1 wide relu6 \| 8 relu6 none k3 \| 8 relu6 none k\de\d/);
  });

test('one-shot methods refuse it with the reason', async () => {
  const options = ['--space', 'mobilenet', '--strategy', 'darts', '--out', join(root, 'one-shot')];
  await refusedIn(
    root,
    /space "mobilenet": decision "resolution" does not choose between modules; darts needs a space all of whose decisions do: add --space-options search=true/,
    'search',
    ...DATA,
    ...options,
  );
});
