import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createStudy } from '../src/node.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-constraints-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const TABLE = ['--benchmark', 'nas-bench-201', '--seed', '3'];
type Trials = readonly { readonly architecture: Readonly<Record<string, string>> }[];
const optionsIn = (trials: Trials) => trials.map(({ architecture }) => Object.values(architecture));

test('a study stores its constraints, and continues with them', async () => {
  const dir = join(folder, 'stored');
  const constraints = [
    '--forbid',
    'none',
    '--forbid',
    '0->1=avg_pool_3x3',
    '--require',
    'skip_connect',
    '--fix',
    '2->3=nor_conv_3x3',
  ];
  await json('search', ...TABLE, '--strategy', 'aging-evolution', '--trials', '20', ...constraints, '--out', dir);
  await json('resume', dir, '--trials', '30');
  const trials: Trials = await json('trials', dir);
  assert.equal(trials.length, 30);
  for (const options of optionsIn(trials)) assert.ok(!options.includes('none') && options.includes('skip_connect'));
  for (const { architecture } of trials)
    assert.ok(architecture['0->1'] !== 'avg_pool_3x3' && architecture['2->3'] === 'nor_conv_3x3');
  assert.equal((await netsmith('report', dir)).code, 0);
  assert.equal((await netsmith('evaluate', dir)).code, 0);
});

test('of an earlier study, trials that break a constraint are left out', async () => {
  const earlier = join(folder, 'earlier');
  await json('search', ...TABLE, '--trials', '12', '--out', earlier);
  const broken = optionsIn(await json('trials', earlier)).filter((options) => options.includes('none')).length;
  const dir = join(folder, 'later');
  const { code, err } = await netsmith(
    'search',
    ...TABLE,
    '--strategy',
    'local-search',
    '--trials',
    '8',
    '--forbid',
    'none',
    '--prior',
    earlier,
    '--out',
    dir,
  );
  assert.equal(code, 0, err);
  assert.ok(broken > 0 && err.includes(`${broken} of them are left out`), err);
  for (const options of optionsIn(await json('trials', dir))) assert.ok(!options.includes('none'));
});

test('a comparison on a table knows the best under the constraints', async () => {
  const compared = await json(
    'compare',
    ...TABLE.slice(0, 2),
    '--strategies',
    'random',
    '--seeds',
    '2',
    '--trials',
    '5',
    '--forbid',
    'nor_conv_3x3',
  );
  assert.match(JSON.stringify(compared.optimum ?? compared), /0\.91/);
});

test('hand-designed networks that break a constraint are not tried, and a depth is a limit', async () => {
  const dir = join(folder, 'hand');
  const shared = ['--space', 'residual-cnn', '--epochs', '1', '--train-samples', '32', '--trials', '2'];
  await json(
    'search',
    ...shared,
    '--hand-designed',
    'resnet-8,resnet-14',
    '--fix',
    'extraBlocks1=0',
    '--max-depth',
    '10',
    '--out',
    dir,
  );
  const trials: readonly { architecture: Record<string, unknown>; costs: { depth: number } }[] = await json(
    'trials',
    dir,
  );
  assert.deepEqual(trials[0]?.architecture, {
    ...trials[0]?.architecture,
    extraBlocks1: 0,
    extraBlocks2: 0,
    width3: 64,
  });
  for (const { architecture, costs } of trials) assert.ok(architecture.extraBlocks1 === 0 && costs.depth <= 10);
});

test('a configuration file and a program take constraints, too', async () => {
  const config = join(folder, 'constraints.json');
  writeFileSync(
    config,
    JSON.stringify({ benchmark: 'nas-bench-201', trials: 4, forbid: ['none'], fix: { '0->1': 'skip_connect' } }),
  );
  const dir = join(folder, 'config');
  await json('search', '--config', config, '--out', dir);
  for (const { architecture } of (await json('trials', dir)) as Trials)
    assert.equal(architecture['0->1'], 'skip_connect');
  const study = await createStudy({
    space: 'nas-bench-101',
    data: 'digits',
    objective: { few: 'minimize' },
    forbid: ['maxpool3x3'],
    trials: 6,
    dir: join(folder, 'program'),
  });
  const { best } = await study.optimize(({ text }) => {
    assert.ok(!text.includes('maxpool'), text);
    return { few: text.length };
  });
  assert.ok(best !== undefined);
});

test('constraints that name nothing, or leave nothing, are refused before anything is written', async () => {
  const refused = (message: RegExp, ...args: string[]) =>
    refusedIn(folder, message, 'search', ...TABLE, '--trials', '2', ...args, '--out', join(folder, 'refused'));
  await refused(
    /--forbid: space "nas-bench-201" has no option "pool"; it must be one of none, skip_connect/,
    '--forbid',
    'pool',
  );
  await refused(/--fix: space "nas-bench-201" has no decision "3->4"; it must be one of 0->1/, '--fix', '3->4=none');
  await refused(/--fix: "0->1=7"; must be one of none/, '--fix', '0->1=7');
  await refused(/--fix: "0->1" twice; each has one value/, '--fix', '0->1=none', '--fix', '0->1=skip_connect');
  await refused(/--prefer: "none:-1"; must be OPTION:WEIGHT/, '--prefer', 'none:-1');
  await refused(/--require: space "nas-bench-201" has no option "none"/, '--require', 'none', '--forbid', 'none');
  await refused(/--max-depth: "many"; must be a whole number/, '--max-depth', 'many');
});

test('nas-bench-101: searched, evaluated and exported as any space', async () => {
  const dir = join(folder, 'graphs');
  const small =
    '--space nas-bench-101 --space-options cells=1,channels=8 --epochs 1 --train-samples 32 --trials 2'.split(' ');
  await json('search', ...small, '--forbid', 'conv1x1-bn-relu', '--require', 'conv3x3-bn-relu', '--out', dir);
  for (const { text } of (await json('trials', dir)) as readonly { text: string }[])
    assert.ok(text.includes('conv3x3-bn-relu<-') && !text.includes('conv1x1'), text);
  const exported = await json('export', dir, '--out', join(folder, 'graphs.onnx'));
  assert.ok(exported !== undefined);
  await refusedIn(
    folder,
    /has no supernet: how wide an operation is depends on the whole graph/,
    'search',
    ...small,
    '--strategy',
    'darts',
    '--out',
    join(folder, 'refused'),
  );
});
