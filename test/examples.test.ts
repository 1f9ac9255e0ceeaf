import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { ferry } from '../examples/own-environment.ts';
import { latency } from '../examples/own-measure.ts';
import { hillClimbing } from '../examples/own-strategy.ts';
import { checkEnvironment } from '../src/control/conformance.node.ts';
import { evaluatePolicy } from '../src/control/episodes.ts';
import { checkMeasure } from '../src/measure/conformance.node.ts';
import { checkStrategy } from '../src/strategy/conformance.node.ts';

const ROOT = resolve(import.meta.dirname, '..');

function run(...args: string[]): string {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const options = { cwd: ROOT, env, encoding: 'utf8', timeout: 600_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=netsmith-source', ...args], options);
  assert.equal(status, 0, `${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

test('there is a test of every example', () => {
  const examples = readdirSync(join(ROOT, 'examples')).filter((file) => file.endsWith('.ts'));
  assert.deepEqual(examples.sort(), [
    'image-folder.ts',
    'joint-search.ts',
    'library.ts',
    'open-space.ts',
    'own-data.ts',
    'own-environment.ts',
    'own-estimator.ts',
    'own-loss.ts',
    'own-measure.ts',
    'own-space.ts',
    'own-strategy.ts',
    'own-task.ts',
  ]);
});

test('own-space.ts: a space of a file is shown, and its options are taken', () => {
  const space = join(ROOT, 'examples', 'own-space.ts');
  const arch = 'depth=2, convolution=separable, activation=silu, pooling=no';
  const args = ['bin/netsmith.js', 'show', '--space', space, '--space-options', 'width=4', '--arch', arch, '--json'];
  const { text, params } = JSON.parse(run(...args));
  assert.equal(text, arch);
  assert.ok(params > 0);
});

test('own-environment.ts keeps the rules; steering against current and drift lands the boat', () => {
  checkEnvironment(ferry);
  const steering = {
    act(observations: Float32Array, actions: Float32Array) {
      for (let lane = 0; lane < actions.length; lane++) {
        const [, downstream = 0, current = 0] = observations.subarray(3 * lane, 3 * lane + 3);
        actions[lane] = -current - 5 * downstream;
      }
    },
  };
  assert.equal(evaluatePolicy(ferry, steering, { episodes: 20 }).successRate, 1);
  const idle = { act: (_: Float32Array, actions: Float32Array) => void actions.fill(0) };
  assert.ok(evaluatePolicy(ferry, idle, { episodes: 20 }).successRate < 0.5);
});

test('own-strategy.ts and own-estimator.ts keep the rules, and are searched with, stored and resumed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-example-'));
  try {
    await checkStrategy(hillClimbing);
    const [strategy, estimator] = ['own-strategy.ts', 'own-estimator.ts'].map((file) => join(ROOT, 'examples', file));
    const own = ['--strategy', strategy ?? '', '--estimator', estimator ?? ''];
    const small = ['--space', 'mlp', '--epochs', '1', '--train-samples', '60', '--quiet', '--json'];
    const dir = join(folder, 'study');
    const search = ['bin/netsmith.js', 'search', ...small, ...own, '--trials', '2', '--out', dir];
    assert.equal(JSON.parse(run(...search)).trials, 2);
    const resumed = run('bin/netsmith.js', 'resume', dir, ...own, '--trials', '3', '--quiet', '--json');
    assert.ok(JSON.parse(resumed).best.metrics.accuracy > 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('own-data.ts, own-measure.ts and own-loss.ts: a search with all three is stored, resumed and evaluated', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-example-'));
  try {
    await checkMeasure(latency);
    const [data, measure, loss] = ['own-data.ts', 'own-measure.ts', 'own-loss.ts'].map((file) =>
      join(ROOT, 'examples', file),
    ) as [string, string, string];
    const training = ['--data', data, '--loss', loss, '--metric', loss];
    const small = ['--space', 'mlp', '--epochs', '2', '--batch-size', '16', '--quiet', '--json'];
    const dir = join(folder, 'study');
    const goal = ['--objective', 'accuracy,latency', '--strategy', 'nsga2', '--until', 'calibration=0.0000001'];
    const search = ['bin/netsmith.js', 'search', ...small, ...training, '--measure', measure, ...goal];
    const found = JSON.parse(run(...search, '--trials', '2', '--limit', 'latency=100', '--out', dir));
    const [{ metrics, costs }] = found.best;
    assert.ok(metrics.accuracy > 0.4 && metrics.calibration >= 0 && costs.latency > 0);
    const own = [...training, '--measure', measure];
    const resumed = run('bin/netsmith.js', 'resume', dir, ...own, '--trials', '3', '--quiet', '--json');
    assert.equal(JSON.parse(resumed).trials, 3);
    const evaluated = run('bin/netsmith.js', 'evaluate', dir, ...training, '--seeds', '1', '--quiet', '--json');
    assert.ok(JSON.parse(evaluated).test.calibration.mean >= 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('open-space.ts: a space without decisions is searched, scored by a function', () => {
  const [, error] = /^error (0\.\d+): \S+ \S+/.exec(run('examples/open-space.ts')) ?? [];
  assert.ok(Number(error) < 0.2, error);
});

test('library.ts: a search in one process', () => {
  const out = run('examples/library.ts');
  assert.equal(out.match(/^trial \d: 0\.\d+$/gm)?.length, 6);
  assert.match(out, /^best: trial \d, accuracy 0\.\d+; .*depth=\d/m);
});

test('own-task.ts: a task over tokens is searched, exported with its state, and writes', () => {
  const out = run('examples/own-task.ts');
  assert.match(out, /^best: trial \d, accuracy 0\.[5-9]\d$/m);
  assert.match(out, /^writes: t[a-z ]{15}$/m);
});

test('joint-search.ts: settings of the training are searched with the architecture', () => {
  const out = run('examples/joint-search.ts');
  const trials = out.match(/^trial \d: 0\.\d+ with optimizer (sgd|adamw), learningRate 0\.\d+, .*$/gm) ?? [];
  assert.equal(trials.length, 8);
  assert.equal(new Set(trials.map((line) => /learningRate (\S+),/.exec(line)?.[1])).size, 8);
  assert.match(out, /^best: trial \d, accuracy 0\.\d+; .*batchSize (16|32|64)/m);
});

test('image-folder.ts: from a folder of images to predictions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-example-'));
  try {
    const out = run('examples/image-folder.ts', folder);
    assert.ok(
      existsSync(join(folder, 'study', 'best', 'model.onnx')) && existsSync(join(folder, 'study', 'report.html')),
    );
    assert.match(out, /circle[\\/]0\.png +(circle|square) \(\d+\.\d %\)/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
