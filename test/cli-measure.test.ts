import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chainModel } from '../src/device/testing/models.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

/** A small member of `mlp`. */
const ARCH = 'depth=1, layer/0/width=32, normalisation=none, activation=relu, dropout=0';

let folder = '';
const at = (name: string) => join(folder, name);
/** Of the exported file, by the training engine. */
let tested = { accuracy: Number.NaN };

/** A device on which a network takes as many milliseconds as its file has kilobytes. */
const timer = (code = '') =>
  `"${process.execPath}" -e "const size = require('fs').readFileSync(process.argv[1]).length; ${code}console.log('[' + size / 1000 + ']')" {model}`;
const DEVICE = ['--device-target', 'command', '--device-command', timer()];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-measure-'));
  const small = ['--space', 'mlp', '--epochs', '1'];
  const trained = await json('train', 'digits', ...small, '--arch', ARCH, '--test', '--out', at('model.onnx'));
  tested = trained.test;
  await json('search', 'digits', ...small, '--trials', '1', '--out', at('study'));
  writeFileSync(at('other.onnx'), chainModel(2, 16));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('networks side by side: what each gives and takes, sorted by V - lambda C', async () => {
  const found = await json(
    ...['measure', at('other.onnx'), at('study'), at('model.onnx'), '--data', 'digits', ...DEVICE],
    ...['--device-batch', '4', '--watts', '5', '--price-per-kwh', '0.4', '--co2-per-kwh', '100', '--lambda', '0.01'],
  );
  assert.match(found.devices.command, /^command .*, batches of 4$/);
  assert.deepEqual(
    [found.batch, found.threads, found.watts, found.pricePerKwh, found.co2PerKwh, found.cost, found.lambda],
    [4, 1, 5, 0.4, 100, 'latency', 0.01],
  );
  const rows: Record<string, (typeof found.networks)[number]> = Object.fromEntries(
    found.networks.map((row: { kind: string; name: string }) => [
      row.name === at('other.onnx') ? 'other' : row.kind,
      row,
    ]),
  );
  for (const row of Object.values(rows)) {
    const { latency, samplesPerSecond, joules, wattsFrom, money, co2Grams } = row.taken;
    const ms = latency.ms;
    assert.equal(ms, row.fileBytes / 1000);
    assert.deepEqual(latency.interval, [ms, ms]);
    const near = (value: number, expected: number) =>
      assert.ok(Math.abs(value / expected - 1) < 1e-9, `${value} ${expected}`);
    near(samplesPerSecond, 4000 / ms);
    near(joules, (5 * ms) / 4000);
    near(money, (joules / 3.6e6) * 0.4);
    near(co2Grams, (joules / 3.6e6) * 100);
    assert.equal(wattsFrom, 'stated');
    if (row.value !== undefined) near(row.score, row.value.value - (0.01 * ms) / 4);
  }
  const { study, model, other } = rows;
  assert.equal(model.fileBytes, statSync(at('model.onnx')).size);
  assert.deepEqual([model.value.metric, model.value.on, model.untrained], ['accuracy', 'test', false]);
  // As the training engine has it; a sample may lie on the border between two classes.
  assert.ok(Math.abs(model.value.value - tested.accuracy) < 0.005, `${model.value.value} ${tested.accuracy}`);
  assert.deepEqual([study.value.metric, study.value.on, study.untrained], ['accuracy', 'validation', true]);
  assert.equal(study.params, (await json('show', at('study'))).params);
  assert.equal(study.flops, (await json('show', at('study'))).flops);
  assert.deepEqual(
    [other.params, other.flops, other.value, other.score],
    [2 * 16 * 16, undefined, undefined, undefined],
  );
  const scores = found.networks.map(({ score }: { score?: number }) => score ?? Number.NEGATIVE_INFINITY);
  assert.deepEqual(
    scores,
    scores.toSorted((a: number, b: number) => b - a),
  );
});

test('a study is timed by its exported file where there is one, and has the accuracy of its evaluation', async () => {
  await json('evaluate', at('study'), '--seeds', '1', '--epochs', '1', '--no-baselines');
  await json('export', at('study'));
  const evaluation = JSON.parse(readFileSync(join(at('study'), 'best', 'evaluation.json'), 'utf8'));
  const { networks } = await json('measure', at('study'), ...DEVICE, '--cost', 'energy');
  assert.equal(networks[0].untrained, false);
  assert.equal(networks[0].fileBytes, statSync(join(at('study'), 'best', 'model.onnx')).size);
  assert.deepEqual([networks[0].value.on, networks[0].value.value], ['test', evaluation.metrics[0].accuracy]);
  // The file has batch norm folded into the layers before it, so it multiplies a little less often.
  const file = await json('measure', join(at('study'), 'best', 'model.onnx'), ...DEVICE);
  const ratio = file.networks[0].flops / networks[0].flops;
  assert.ok(ratio <= 1 && ratio > 0.9, `${ratio}`);
});

test('architectures of a space on the CPU, with peak memory; the table says what it assumes', async () => {
  const { code, out, err } = await netsmith(
    ...[
      'measure',
      'DARTS_V2',
      at('other.onnx'),
      '--space',
      'darts',
      '--space-options',
      'cells=3,channels=2',
      '--input',
      '3,16,16',
      '--watts',
      '7',
    ],
  );
  assert.equal(code, 0, err);
  assert.match(err, /DARTS_V2 on node/);
  assert.match(out, /^network +latency +samples\/s +params +FLOPs +file +memory +mJ\/sample +money\/M +g CO2\/M$/m);
  assert.match(out, /^DARTS_V2 +[\d.]+ ms \([\d.]+ to [\d.]+\) .* MiB /m);
  assert.match(out, /^node: onnxruntime-node .*, 1 thread\.$/m);
  assert.match(out, /time x 7 W \(--watts\) of each busy core/);
  assert.match(out, /at 0\.25 \(an assumption\) for a kWh and 450 g \(an assumption\)/);
});

test('a network that the device cannot run has an error in its place, and the exit code is 1', async () => {
  const fails = timer("if (size > 3000) { console.error('too large'); process.exit(4); } ");
  const measured = [
    'measure',
    at('other.onnx'),
    at('model.onnx'),
    '--device-target',
    'command',
    '--device-command',
    fails,
  ];
  const { code, out } = await netsmith(...measured, '--json');
  assert.equal(code, 1);
  const { networks } = JSON.parse(out);
  assert.deepEqual(
    networks.map(({ name, taken }: { name: string; taken?: object }) => [name, taken !== undefined]),
    [
      [at('other.onnx'), true],
      [at('model.onnx'), false],
    ],
  );
  assert.match(networks[1].error, /exits with code 4: too large/);
  assert.match((await netsmith(...measured)).out, /^.*model\.onnx +failed/m);
});

test('the energy of a sample is an objective and a limit of a search: stated watts times the latency', async () => {
  const study = ['--estimator', 'proxies', '--space', 'mlp', '--workers', '1', ...DEVICE];
  const [out, energy] = [at('energy'), ['--objective', 'naswot,energy', '--device-watts', '4', '--device-batch', '2']];
  await json('search', ...study, ...energy, '--max-energy', '150', '--trials', '4', '--out', out);
  const trials: readonly {
    readonly state: string;
    readonly reason?: string;
    readonly costs: Record<string, number>;
  }[] = await json('trials', out);
  assert.equal(trials.length, 4);
  for (const { state, reason = '', costs } of trials) {
    const { latency = 0, energy: found = 0 } = costs;
    assert.ok(latency > 0 && Math.abs(found - 2 * latency) < 1e-9 * found, `${found} mJ, ${latency} ms`);
    if (found <= 150) assert.equal(state, 'complete');
    else assert.match(reason, /^energy is [\d.]+, above the limit 150$/);
  }
  assert.match((await netsmith('trials', out)).out, /energy \(mJ\)/);
  const refused = (expected: RegExp, ...args: string[]) =>
    refusedIn(folder, expected, 'search', ...args, '--out', at('never'));
  await refused(/--device-watts: 3; needs --max-latency/, '--device-watts', '3');
  await refused(/--max-energy: 0; must be/, '--max-energy', '0');
});

test('bad input is refused with place, value and rule', async () => {
  const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, 'measure', ...args);
  await refused(
    /measure: ".*absent"; must be the folder of a study or an \.onnx file; an architecture needs its --space/,
    at('absent'),
  );
  await refused(/measure: ".*absent\.onnx"; there is no such file/, at('absent.onnx'));
  await refused(/--device-target: .*"gpu"/, at('model.onnx'), '--device-target', 'node,gpu');
  await refused(
    /--device-command: none|--device-target: "command"; needs --device-command/,
    at('model.onnx'),
    '--device-target',
    'command',
  );
  await refused(/--device-command: .*needs --device-target command/, at('model.onnx'), '--device-command', timer());
  await refused(
    /--browser: "\/bin\/x"; the target is node; it needs|--browser: "\/bin\/x"; the target is node: it needs/,
    at('model.onnx'),
    '--browser',
    '/bin/x',
  );
  await refused(/--watts: 0; must be a number above 0/, at('model.onnx'), '--watts', '0');
  await refused(/--lambda: -1; must be a number of at least 0/, at('model.onnx'), '--lambda', '-1');
  await refused(/--price-per-kwh: "much"; must be a number of at least 0/, at('model.onnx'), '--price-per-kwh', 'much');
  await refused(/--lambda: 1; needs the accuracy of a network/, at('model.onnx'), '--lambda', '1');
  await refused(/--data: "digits"; scores files that Netsmith exported/, at('other.onnx'), '--data', 'digits');
  await refused(/--cost: .*"money".*latency, params/, at('model.onnx'), '--cost', 'money');
  await refused(/wine|input is \[1, 8, 8\]; the data/, at('model.onnx'), '--data', await rows());
  const damaged = at('damaged.onnx');
  writeFileSync(damaged, readFileSync(at('model.onnx')));
  truncateSync(damaged, statSync(damaged).size - 40);
  await refused(/model ".*damaged\.onnx": /, damaged);
  writeFileSync(damaged, 'words');
  await refused(/model ".*damaged\.onnx": .*must be an undamaged ONNX file/, damaged);
});

/** A table, which no model of images is for. */
async function rows(): Promise<string> {
  const path = at('rows.csv');
  writeFileSync(
    path,
    ['a,label', ...Array.from({ length: 60 }, (_, i) => `${i},${i % 2 === 0 ? 'x' : 'y'}`)].join('\n'),
  );
  return path;
}
