import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { checkPage } from '../src/report/testing/page.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
/** A tiny study that the tests below look at: 3 trials of one epoch. */
let study = '';

const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);

const SMALL = [
  '--space',
  'nas-bench-201',
  '--space-options',
  'cells=1,channels=4',
  '--train-samples',
  '200',
  '--epochs',
  '1',
];
const ARCH = '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|';
const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-cli-'));
  study = join(folder, 'study');
  const found = await json('search', ...SMALL, '--trials', '3', '--seed', '7', '--out', study);
  assert.deepEqual(Object.keys(found), ['study', 'trials', 'best']);
  assert.equal(found.study, study);
  assert.equal(found.trials, 3);
  assert.ok(isShare(found.best.metrics.accuracy));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('every command has help with an example', async () => {
  const { out } = await netsmith('--help');
  const commands = [...out.matchAll(/^ {2}([a-z]+) \[/gm)].map(([, name]) => name ?? '');
  const wanted =
    'init run search resume ls status trials best show evaluate export predict report compare train scale profile measure spaces samples strategies data environments doctor completion';
  assert.deepEqual([...commands].sort(), wanted.split(' ').sort());
  for (const name of commands) {
    const help = await netsmith(name, '--help');
    assert.equal(help.code, 0);
    assert.match(help.out, new RegExp(`Example:\\n {2}\\$ (npx )?netsmith ${name}`), name);
    assert.match(help.out, /--json/, name);
  }
  assert.match((await netsmith('data', 'get', '--help')).out, /Example:\n {2}\$ (npx )?netsmith data get/);
});

test('every training setting is a flag of train and of search', async () => {
  const { DEFAULT_SETTINGS } = await import('../src/train/settings.ts');
  for (const command of ['train', 'search']) {
    const { out } = await netsmith(command, '--help');
    for (const name of Object.keys(DEFAULT_SETTINGS)) {
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      assert.match(out, new RegExp(`--(no-)?${flag}\\b`), `${command} --${flag}`);
    }
  }
});

test('best, trials, status and show print the documented JSON', async () => {
  const best = await json('best', study);
  assert.deepEqual(Object.keys(best), ['study', 'trials', 'best']);
  const { trial, architecture, metrics, costs } = best.best;
  assert.ok(trial >= 0 && trial < 3 && isShare(metrics.accuracy));
  assert.ok(Number.isInteger(costs.params) && Number.isInteger(costs.flops));

  const trials = await json('trials', study);
  assert.deepEqual(
    trials.map((one: { trial: number }) => one.trial),
    [0, 1, 2],
  );
  for (const one of trials) {
    assert.equal(one.state, 'complete');
    assert.ok(isShare(one.metrics.accuracy) && one.costs.params > 0 && typeof one.architecture === 'object');
  }
  assert.deepEqual(trials[trial].architecture, architecture);

  const status = await json('status', study);
  assert.deepEqual(status.states, { complete: 3 });
  assert.deepEqual(status.budget, { trials: 3, seconds: null, until: null });
  assert.equal(status.best.trial, trial);
  const { workerSeconds, ...parts } = status.spent;
  assert.deepEqual(Object.keys(parts), ['compile', 'train', 'valid', 'idle', 'other']);
  const sum = Object.values<number>(parts).reduce((total, seconds) => total + seconds);
  assert.ok(workerSeconds > 0 && Math.abs(sum - workerSeconds) < 1e-6);
  for (const { spent, seconds } of trials) {
    const known = spent.compile + spent.train + spent.valid + spent.idle;
    assert.ok(spent.train > 0 && spent.compile > 0 && Math.abs(known - seconds) < 1e-6);
  }

  const shown = await json('show', study);
  assert.deepEqual(shown.architecture, architecture);
  assert.deepEqual([shown.params, shown.flops], [costs.params, costs.flops]);
});

test('show works outside any study, counts as the benchmark does, and draws', async () => {
  const svg = join(folder, 'shown.svg');
  const shown = await json('show', '--space', 'nas-bench-201', '--arch', ARCH, '--svg', svg);
  assert.equal(shown.space, 'nas-bench-201');
  assert.equal(shown.text, ARCH);
  assert.ok(Number.isInteger(shown.params) && Number.isInteger(shown.flops));
  assert.match(readFileSync(svg, 'utf8'), /^<svg[\s\S]*<\/svg>\s*$/);
  const again = await json('show', '--space', 'nas-bench-201', '--arch', JSON.stringify(shown.architecture));
  assert.deepEqual(again.architecture, shown.architecture);
});

test('train prints each epoch, and opens the test split only with --test', async () => {
  const args = ['train', ...SMALL, '--epochs', '2', '--arch', ARCH];
  const closed = await json(...args);
  assert.equal(closed.test, undefined);
  assert.deepEqual(
    closed.epochs.map(({ epoch }: { epoch: number }) => epoch),
    [1, 2],
  );
  for (const { loss, valid, seconds } of closed.epochs) assert.ok(loss > 0 && isShare(valid.accuracy) && seconds > 0);
  const open = await json(...args, '--test');
  assert.ok(isShare(open.test.accuracy));
  assert.deepEqual(
    open.epochs.map(({ loss }: { loss: number }) => loss),
    closed.epochs.map(({ loss }: { loss: number }) => loss),
    'the same seed trains the same network',
  );
});

test('evaluate, export, predict and report, one after another', async () => {
  const evaluated = await json('evaluate', study, '--seeds', '2');
  const { mean, sd, values } = evaluated.test.accuracy;
  assert.equal(values.length, 2);
  assert.ok(Math.abs(mean - (values[0] + values[1]) / 2) < 1e-12 && sd >= 0);
  assert.ok(Math.abs(evaluated.gap.accuracy - (evaluated.valid.accuracy - mean)) < 1e-12);
  assert.deepEqual(Object.keys(evaluated.baselines), ['resnet-20', 'mlp']);
  for (const { test: tested, params } of Object.values<{ test: { accuracy: { mean: number } }; params: number }>(
    evaluated.baselines,
  )) {
    assert.ok(isShare(tested.accuracy.mean) && params > 0);
  }

  const exported = await json('export', study);
  assert.equal(exported.file, join(study, 'best', 'model.onnx'));
  assert.ok(exported.parity < 1e-4 && existsSync(exported.file) && existsSync(exported.card));

  const image = join(folder, 'digit.png');
  await sharp({ create: { width: 20, height: 20, channels: 3, background: '#777' } })
    .png()
    .toFile(image);
  const [answer, ...more] = await json('predict', exported.file, image);
  assert.equal(more.length, 0);
  assert.equal(answer.file, image);
  const probabilities: number[] = Object.values(answer.probabilities);
  assert.equal(answer.probabilities[answer.class], Math.max(...probabilities));
  assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);

  const { file } = await json('report', study);
  const document = checkPage(readFileSync(file, 'utf8'));
  const samples = [...document.querySelectorAll('.samples li')];
  assert.ok(samples.length >= 6 && samples.length <= 12, `${samples.length} test images`);
  const size = (
    await sharp(Buffer.from(samples[0]?.querySelector('img')?.src.split(',')[1] ?? '', 'base64')).metadata()
  ).width;
  assert.equal(size, 8, 'a digit, pixel by pixel');
  assert.match(
    document.querySelector('.tiles')?.textContent ?? '',
    /^Test accuracy[\d.]+\s%± [\d.]+, 2 seeds.*Model file[\d.]+ KiB/,
  );
  assert.match(
    document.querySelector('.verdict')?.textContent ?? '',
    /^Verdict: Trial \d is [\d.]+ points (better|worse) than the best baseline/,
  );
});

test('samples of the test set are in the report only where they were kept, and a damaged file of them is named', async () => {
  const dir = join(folder, 'samples');
  cpSync(study, dir, { recursive: true, filter: (path) => !path.endsWith('best') });
  const kept = join(dir, 'best', 'predictions.json');
  const evaluate = ['evaluate', dir, '--seeds', '1', '--no-baselines'];
  await json(...evaluate);
  const samples = readFileSync(kept, 'utf8');
  assert.ok(samples.length < 100_000);
  const html = async () => readFileSync((await json('report', dir)).file, 'utf8');
  assert.match(await html(), /<img /);
  for (const [damage, expected] of [
    [
      samples.replace('data:image/png', 'javascript:alert'),
      /predictions\.json": samples\.shown\.0\.image is not valid; delete it, or run netsmith evaluate again/,
    ],
    [samples.slice(0, 100), /predictions\.json" \(delete it.*\): is not valid JSON/],
    [samples.replace('"confidence"', '"confident"'), /predictions\.json": samples\.shown\.0 is not valid/],
    [samples.replace(/"predicted":[1-9]/, '"predicted":0'), /predictions\.json": has changed since it was written/],
  ] as const) {
    writeFileSync(kept, damage);
    await refused(expected, 'report', dir);
  }
  writeFileSync(kept, samples);
  await json(...evaluate, '--no-samples');
  assert.equal(existsSync(kept), false);
  assert.doesNotMatch(await html(), /<img |Sample predictions/);
});

test('a report gives the winner only its own test, and repeats the evaluation as it was', async () => {
  const { best } = await json('best', study);
  const other = (best.trial + 1) % 3;
  const dir = join(folder, "it's a copy");
  cpSync(study, dir, { recursive: true, filter: (path) => !path.endsWith('best') });
  await json('evaluate', dir, '--seeds', '1', '--epochs', '2', '--no-baselines', '--trial', String(other));
  const html = async () => {
    const { file } = await json('report', dir);
    return readFileSync(file, 'utf8').replaceAll('&#39;', "'").replaceAll('&quot;', '"');
  };
  const report = await html();
  assert.match(report, new RegExp(`Only trial ${other} has been tested`));
  // Paths of folders are private: of a path outside the working folder only the last part is shown.
  const quoted = `'it'\\''s a copy'`;
  assert.ok(!report.includes(folder));
  for (const command of [
    `--out ${quoted}\n`,
    `netsmith evaluate ${quoted} --seeds 1 --trial ${other} --epochs 2 --no-baselines\n`,
  ]) {
    assert.ok(report.includes(command), command);
  }

  // A process that was killed between the two writes: the old label beside other weights.
  const weights = join(dir, 'best', 'weights.bin');
  const bytes = readFileSync(weights);
  bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
  writeFileSync(weights, bytes);
  const { err } = await netsmith('export', dir, '--trial', String(other), '--epochs', '2');
  assert.match(err, /No trained weights found .*; training for 2 epochs/);
});

test('a search that has exhausted its space, within limits, is reported as finished', async () => {
  const dir = join(folder, 'exhausted');
  const space = join(import.meta.dirname, '../examples/own-space.ts');
  const few = [
    '--space',
    space,
    '--space-options',
    'width=4',
    '--strategy',
    'exhaustive',
    '--max-params',
    '110',
    '--epochs',
    '1',
  ];
  const { code, err } = await netsmith('search', ...few, '--train-samples', '100', '--trials', '500', '--out', dir);
  assert.match(err, /All \d+ architectures within the limits have been tried/);
  assert.equal(code, 0);
  assert.doesNotMatch(readFileSync((await json('report', dir)).file, 'utf8'), /stopped early/);
  const text = readFileSync((await json('report', study)).file, 'utf8');
  assert.doesNotMatch(text, /stopped early/);
});

test('a study can be resumed in another layout, and says so where results differ; not with fewer trials', async () => {
  const dir = join(folder, 'layouts');
  await json('search', ...SMALL, '--trials', '2', '--layout', 'portable', '--out', dir);
  await refused(/--trials: 1; the study already has 2 trials/, 'resume', dir, '--trials', '1');
  const { err } = await netsmith('resume', dir, '--trials', '3', '--layout', 'auto');
  const here = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  if (here.options.block === 0) assert.doesNotMatch(err, /tensor layout/);
  else assert.match(err, new RegExp(`tensor layout NCHW so far and now uses blocks of ${here.options.block} channels`));
});

test('a run in which every trial fails is a failure with its reasons, not bad input', async () => {
  const dir = join(folder, 'diverged');
  const { code, out, err } = await netsmith('run', ...SMALL, '--trials', '2', '--learning-rate', '1e30', '--out', dir);
  assert.equal(code, 1, err);
  assert.equal(out, '');
  assert.match(err, /no trial of study .* is complete\n {2}2 of 2: .*loss/);
  await refused(/--trial: 9; the study has trials 0 to 1\n/, 'show', dir, '--trial', '9');
  assert.match(readFileSync((await json('report', dir)).file, 'utf8'), /No trial is complete/);
});

test('resume continues to the same trials as one longer search', async () => {
  const short = join(folder, 'short');
  await json('search', ...SMALL, '--trials', '1', '--seed', '7', '--out', short);
  const resumed = await json('resume', short, '--trials', '3');
  assert.equal(resumed.trials, 3);
  assert.equal((await json('status', short)).budget.trials, 3, "the larger budget is the study's from now on");
  const timeless = async (dir: string) =>
    (await json('trials', dir)).map(({ seconds, spent, ...rest }: { seconds: number; spent: object }) => ({
      ...rest,
      timed: seconds > 0 && spent !== undefined,
    }));
  assert.deepEqual(await timeless(short), await timeless(study));
});

test('trials at a lower fidelity are cheaper looks: other results for the same architectures', async () => {
  const results = async (...fidelity: string[]) => {
    const dir = join(folder, `fidelity${fidelity.length}`);
    await json('search', '--trials', '1', '--train-samples', '200', '--epochs', '1', ...fidelity, '--out', dir);
    return json('trials', dir);
  };
  const full = await results();
  const lower = await results('--data-share', '0.5', '--resolution', '0.5', '--width', '0.5');
  const kept = ({ architecture, costs }: { architecture: unknown; costs: unknown }) => ({ architecture, costs });
  assert.deepEqual(lower.map(kept), full.map(kept));
  assert.notEqual(lower[0].metrics.loss, full[0].metrics.loss);
});

test('several objectives give an array, and confirmations count', async () => {
  const args = ['--trials', '3', '--objective', 'accuracy,params', '--confirm', '1', '--workers', '2'];
  const found = await json('search', ...SMALL, ...args, '--out', join(folder, 'pareto'));
  assert.ok(Array.isArray(found.best) && found.best.length >= 1);
  const all = await json('trials', join(folder, 'pareto'), '--all');
  assert.equal(all.filter(({ purpose }: { purpose: string }) => purpose === 'confirm').length, 1);
});

test('settings come from a file too, flags going before it, and an unknown one is refused by name', async () => {
  const config = join(folder, 'netsmith.config.json');
  const settings = {
    space: 'nas-bench-201',
    spaceOptions: { cells: 1, channels: 4 },
    trainSamples: 100,
    epochs: 1,
    trials: 3,
  };
  writeFileSync(config, JSON.stringify(settings));
  const found = await json('search', '--config', config, '--trials', '1', '--out', join(folder, 'configured'));
  assert.equal(found.trials, 1);
  const typed = join(folder, 'netsmith.config.ts');
  writeFileSync(typed, 'export default { trialz: 3 };\n');
  await refused(
    /netsmith\.config\.ts: unknown setting "trialz"; did you mean "trials"\?/,
    'search',
    '--config',
    typed,
    '--out',
    join(folder, 'x'),
  );
  await refused(/--config: "nowhere\.json"/, 'search', '--config', 'nowhere.json', '--out', join(folder, 'x'));
});

test('spaces and data list what there is', async () => {
  const spaces = await json('spaces');
  assert.equal(spaces.find(({ name }: { name: string }) => name === 'nas-bench-201').size, 15625);
  assert.deepEqual(await json('spaces', 'resnet'), [spaces.find(({ name }: { name: string }) => name === 'resnet')]);
  assert.deepEqual(spaces.find(({ name }: { name: string }) => name === 'mlp').options, [
    { name: 'tune', type: 'boolean', default: false },
  ]);
  const darts = (await netsmith('spaces', 'darts')).out;
  for (const row of [/^channels +16 +whole number from 2 to 1,024$/m, /^dropPath +0 +number at least 0 and below 1$/m])
    assert.match(darts, row);
  await refused(/unknown space "drats"; did you mean "darts"\?/, 'spaces', 'drats');
  const own = join(folder, 'limits.ts');
  const library = new URL('../src/space/index.ts', import.meta.url).href;
  writeFileSync(
    own,
    `import { defineSpace, linear, sequential } from ${JSON.stringify(library)};
    export default defineSpace('tables', ({ input }) => {
      if (input.length > 1) throw new Error('no images');
      return sequential(linear('outputs'));
    }, {
      defaults: { a: 1, b: { default: 1, whole: true }, c: { default: 1, above: 0 }, d: { default: 'x', words: ['x', 'y'] }, e: 'f' },
    });`,
  );
  const table = (await netsmith('spaces', own)).out;
  for (const row of [/^a +1 +number$/m, /^b +1 +whole number$/m, /^c +1 +number above 0$/m, /^d +x +x or y$/m])
    assert.match(table, row);
  assert.equal((await json('spaces', own))[0].size, null, 'it takes no images');
  const schema = await json('spaces', '--schema');
  assert.equal(schema.properties.learningRate.type, 'number');
  const sets = await json('data');
  assert.equal(sets.find(({ name }: { name: string }) => name === 'digits').origin, 'embedded');
});

test('a study keeps its own space: the file may go, and the folder may move', async () => {
  const file = join(folder, 'space.ts');
  const library = new URL('../src/space/index.ts', import.meta.url).href;
  writeFileSync(
    file,
    [
      `import { conv, defineSpace, globalAvgPool, linear, pick, sequential } from ${JSON.stringify(library)};`,
      "export const mine = defineSpace('mine', () => ({",
      "  network: sequential(conv(pick('width', [2, 4]), 3), globalAvgPool(), linear('outputs')),",
      "  hyperparameters: { learningRate: pick('rate', [0.011, 0.017]) },",
      '}));',
    ].join('\n'),
  );
  const [before, after] = [join(folder, 'before'), join(folder, 'after')];
  const short = ['--train-samples', '100', '--epochs', '1', '--trials', '1'];
  await json('search', '--space', file, ...short, '--out', before);
  rmSync(file);
  renameSync(before, after);
  assert.equal((await json('resume', after, '--trials', '2')).trials, 2);
  assert.deepEqual((await json('trials', after)).length, 2);
  const { test: measured } = await json('evaluate', after, '--seeds', '1', '--no-baselines');
  assert.ok(isShare(measured.accuracy.mean));
  const { file: model } = await json('export', after);
  const { architecture } = (await json('best', after)).best;
  const trainedWith = `"learningRate":${architecture.rate}`;
  assert.ok(
    readFileSync(model, 'latin1').includes(trainedWith),
    `the model says that it was trained with ${trainedWith}`,
  );
});

test('bad input is refused: settings', async () => {
  const out = ['--out', join(folder, 'never')];
  await refused(
    /--space: "resnext"; did you mean "resnet"\? It may also be a \.ts or \.js file/,
    'search',
    '--space',
    'resnext',
    ...out,
  );
  await refused(
    /space "nas-bench-201": unknown option "cellz"/,
    'search',
    '--space',
    'nas-bench-201',
    '--space-options',
    'cellz=1',
    ...out,
  );
  await refused(/unknown option '--epoch'/, 'search', '--epoch', '3', ...out);
  await refused(/unknown command 'serch'/, 'serch');
  await refused(/--trials: 0; must be a whole number from 1 to 10,000,000/, 'search', '--trials', '0', ...out);
  await refused(/--learning-rate: "fast"/, 'search', '--learning-rate', 'fast', ...out);
  await refused(/--time: "soon"/, 'search', '--time', 'soon', ...out);
  await refused(
    /--until: "accuracy=97".*at most 1 for metrics that are fractions/,
    'search',
    '--until',
    'accuracy=97',
    ...out,
  );
  await refused(/--until: "accuracy"/, 'search', '--until', 'accuracy', ...out);
  await refused(/unknown strategy "genetic"; it must be one of/, 'search', '--strategy', 'genetic', ...out);
  await refused(
    /strategy "aging-evolution".*population/,
    'search',
    '--strategy',
    'aging-evolution',
    '--strategy-options',
    'population=0',
    ...out,
  );
  await refused(/--objective: "speed"/, 'search', '--objective', 'speed', ...out);
  await refused(/--objective: "r2".*regression/, 'search', '--objective', 'r2', ...out);
  await refused(/"nowhere"/, 'search', '--data', 'nowhere', ...out);
  await refused(/--resolution: 0\.3; must be 1 divided by a whole number/, 'search', '--resolution', '0.3', ...out);
  await refused(/--device: "tpu"/, 'search', '--device', 'tpu', ...out);
  await refused(/--memory: "4"; must be a number followed by MB/, 'search', '--memory', '4', ...out);
  await refused(/--layout: "blocked"; must be auto or portable/, 'search', '--layout', 'blocked', ...out);
  await refused(/--seeds/, 'run', '--seeds', '0', ...out);
});

test('what cannot fit is refused with the numbers; a forecast says what the rest takes', async () => {
  const shortage =
    /not enough memory: a process that holds a dataset of [\d,]+ images uses [\d.]+ MiB before any training; --memory is 977 KiB/;
  await refused(shortage, 'train', ...SMALL, '--arch', ARCH, '--memory', '1MB');
  await refused(shortage, 'search', ...SMALL, '--trials', '1', '--memory', '1MB', '--out', join(folder, 'nothing'));
  const { code, err } = await netsmith('train', ...SMALL, '--arch', ARCH);
  assert.equal(code, 0);
  assert.match(err, /Estimate: [\d.]+ MiB of memory, [\d.]+ s per epoch\./);
});

test('bad input is refused: architectures and spaces', async () => {
  await refused(/nor_conv_9x9/, 'train', '--space', 'nas-bench-201', '--arch', ARCH.replace('3x3', '9x9'));
  await refused(/--arch: missing/, 'train', '--space', 'nas-bench-201');
  await refused(/architecture "\|a\|": has 1 group/, 'show', '--space', 'nas-bench-201', '--arch', '|a|');
  const file = join(folder, 'one-option.ts');
  const library = join(import.meta.dirname, '..', 'src', 'index.ts');
  writeFileSync(
    file,
    [
      `import { choice, conv, defineSpace, globalAvgPool, linear, sequential } from ${JSON.stringify(library)};`,
      "export const mine = defineSpace('mine', () => sequential(choice('k', { a: conv(4, 3) }), globalAvgPool(), linear('outputs')));",
    ].join('\n'),
  );
  await refused(
    /space "mine".*choice "k".*1 option.*at least 2/,
    'search',
    '--space',
    file,
    '--out',
    join(folder, 'never'),
  );
  await refused(
    /--space: .*does not exist/,
    'search',
    '--space',
    join(folder, 'gone.ts'),
    '--out',
    join(folder, 'never'),
  );
});

test('bad input is refused: data', async () => {
  const out = ['--out', join(folder, 'never')];
  const csv = join(folder, 'table.csv');
  writeFileSync(
    csv,
    `a,b,kind\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 7},${i % 2 ? 'x' : 'y'}`).join('\n')}\n`,
  );
  const table = ['--data', 'csv', '--data-dir', csv, '--space', 'mlp', ...out];
  await refused(
    /--resolution: 0\.5; only applies to images/,
    'search',
    '--resolution',
    '0.5',
    ...table,
    '--label',
    'kind',
  );
  await refused(/"color"/, 'search', '--data', 'csv', '--data-dir', csv, '--label', 'color', '--space', 'mlp', ...out);
  const cifar = join(folder, 'cifar');
  mkdirSync(cifar);
  writeFileSync(join(cifar, 'data_batch_1.bin'), new Uint8Array(3073 * 2 + 5));
  writeFileSync(join(cifar, 'test_batch.bin'), new Uint8Array(3073));
  await refused(/data_batch_1\.bin/, 'search', '--data', 'cifar-10', '--data-dir', cifar, ...out);
});

test('a study at rest is one database file, and reading it leaves nothing behind', async () => {
  const files = readdirSync(study, { recursive: true, encoding: 'utf8' }).sort();
  assert.ok(!files.includes('study.db-wal'));
  for (const command of ['status', 'trials', 'best', 'show']) await json(command, study);
  assert.deepEqual(readdirSync(study, { recursive: true, encoding: 'utf8' }).sort(), files);
});

test('bad input is refused: folders', async () => {
  await refused(/already contains a study/, 'search', ...SMALL, '--out', study);
  // Root may write anywhere, so a file in place of a folder makes it fail.
  writeFileSync(join(folder, 'file'), '');
  await refused(/file\/study/, 'search', ...SMALL, '--out', join(folder, 'file', 'study'));
  for (const command of ['resume', 'status', 'trials', 'best', 'show', 'evaluate', 'export', 'report']) {
    await refused(/nothing-here/, command, join(folder, 'nothing-here'));
  }
  const newer = join(folder, 'newer');
  cpSync(study, newer, { recursive: true });
  const database = new DatabaseSync(join(newer, 'study.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  for (const command of ['resume', 'trials']) await refused(/schema 99/, command, newer);
  await refused(/digit\.txt/, 'predict', join(folder, 'digit.txt'), join(folder, 'digit.png'));
});
