import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTable } from '../src/app/device/table.ts';
import { rng } from '../src/common/random.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { constrained } from '../src/space/tree/constrain.ts';
import { resolve } from '../src/space/tree/resolve.ts';
import { sample } from '../src/space/tree/vary.ts';
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
  assert.match(listed.out, /costs with --space-options as listed on 224x224 color images of 1,000 classes/);
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
test('with search=true, one-shot methods search it, and derive within a limit', async () => {
  const dir = join(root, 'supernet');
  const { code, err } = await netsmith(
    ...['search', ...DATA, ...SUPERNET, '--supernet-epochs', '1', '--strategy', 'darts'],
    ...['--max-flops', '450000', '--out', dir],
  );
  assert.equal(code, 0, err);
  const [trial, ...more] = await json('trials', dir);
  assert.deepEqual([trial.state, more.length], ['complete', 0]);
  assert.ok(trial.costs.flops <= 450_000, `${trial.costs.flops}`);
  assert.match(trial.text, /^1 wide relu6 \| 8 relu6 none k3 \| 8 relu6 none k\de\d/);
  const { supernet } = await json('status', dir);
  assert.ok(supernet.curve.at(-1).mixture.costs.flops > 300_000);
  assert.match((await netsmith('status', dir)).out, /decided .* %, expected flops \d+[ \u00A0]k; 1 wide/);
});

test('a supernet keeps a limit of latency by a table, and is refused without one', async () => {
  const table = join(root, 'table.json');
  const named = ['--space', 'mobilenet', '--space-options', 'search=true,width=0.05,depth=0.3'];
  const shape = ['--input', '1,8,8', '--outputs', '10', '--blocks', '4', '--calibrate', '0', '--check', '0'];
  await json('profile', ...named, ...shape, '--out', table);
  const task = { kind: 'classification', input: [1, 8, 8], outputs: 10 };
  const whole = SPACES.mobilenet.create(task, { search: true, width: 0.05, depth: 0.3 });
  const fix = Object.fromEntries(FIXED.map((name) => [`stage${name}`, 'k3e3']));
  const space = constrained(whole, { forbid: ['k5e3', 'k5e6', 'k7e3', 'k7e6'], fix });
  const { predict } = openTable(table, { target: 'node', batch: 1, threads: 1, patience: 1 }, space);
  const latencies = Array.from(
    { length: 40 },
    (_, i) => predict(resolve(space, sample(space, rng('latency', i))), task).ms,
  );
  const limit = latencies.toSorted((a, b) => a - b)[10] ?? 0;
  const dir = join(root, 'latency');
  const args = ['search', ...DATA, ...SUPERNET, '--supernet-epochs', '1', '--strategy', 'gdas', '--max-latency'];
  const { code, err } = await netsmith(...args, `${limit}ms`, '--latency-table', table, '--out', dir);
  assert.equal(code, 0, err);
  const [trial] = await json('trials', dir);
  assert.equal(trial.state, 'complete', trial.reason);
  assert.ok(trial.costs.latency <= limit, `${trial.costs.latency}, ${limit}`);
  assert.ok((await json('status', dir)).supernet.curve.at(-1).mixture.costs.latency > 0);
  const again = ['--out', join(root, 'no-table')];
  await refusedIn(
    root,
    /--max-latency: 5ms; --strategy gdas needs .*: add --latency-table FILE/,
    ...args,
    '5ms',
    ...again,
  );
  const none = [...args, '0.000001ms', '--latency-table', table, ...again];
  await refusedIn(
    root,
    /limits latency <= 0.000001: no architecture was found in space "mobilenet" within them/,
    ...none,
  );
});

test('a limit that nothing keeps is refused before a supernet is trained, as is a weight without costs', async () => {
  const search = (...args: string[]) => ['search', ...DATA, ...SUPERNET, '--strategy', 'gdas', ...args];
  const out = ['--out', join(root, 'nothing')];
  await refusedIn(
    root,
    /limits flops <= 1000: no architecture .* \(the smallest has 345,610 FLOPs\)/,
    ...search('--max-flops', '1000', ...out),
  );
  await refusedIn(
    root,
    /--strategy-options: costWeight=2; only applies with a cost among the objectives: --objective accuracy,flops/,
    ...search('--strategy-options', 'costWeight=2', ...out),
  );
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
