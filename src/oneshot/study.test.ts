import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rng } from '../common/random.ts';
import { type EstimateRun, TrialFailure } from '../estimate/estimator.ts';
import { linear, relu, sequential } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { resolve } from '../space/tree/resolve.ts';
import { memoryStore } from '../study/store/memory.ts';
import type { Store } from '../study/store/store.ts';
import { createStudyStore, openStudyStore } from '../study/study.node.ts';
import { essence } from '../study/testing/studies.ts';
import { inProcessPool } from '../study/worker/in-process.ts';
import { decodeCheckpoint } from '../train/checkpoint.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { sharedWeightsEstimator } from './shared-weights.ts';
import { METHODS, oneShotEstimator } from './testing/estimator.ts';
import { NEW_STUDY, oneShotStudy, processes } from './testing/main.ts';
import { pointSpace } from './testing/space.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-oneshot-'));
after(() => rmSync(root, { recursive: true, force: true }));
const main = fileURLToPath(new URL('./testing/main.ts', import.meta.url));
const data = blobs();
const space = pointSpace(data.info);
const methods = Object.keys(METHODS) as (keyof typeof METHODS)[];

function inProcess(store: Store, method: keyof typeof METHODS) {
  const estimator = oneShotEstimator({ engine: referenceEngine(), data, method });
  return inProcessPool({ space, estimator }, store.artifacts);
}

/** The study that was not killed. */
async function undisturbed(method: keyof typeof METHODS) {
  const store = memoryStore(NEW_STUDY);
  await oneShotStudy(store, inProcess(store, method));
  return { store, essence: await essence(store) };
}

for (const method of methods) {
  test(`${method}: candidates are measured with the supernet's weights, which the study keeps`, async () => {
    const { store } = await undisturbed(method);
    const [supernet, ...more] = await store.trials('supernet');
    assert.deepEqual([supernet?.state, supernet?.attempts, more.length], ['complete', 1, 0]);
    assert.deepEqual(
      supernet?.curve.map(({ step, mixture, guards }) => [step, mixture !== undefined, guards !== undefined]),
      [1, 2, 3, 4, 5, 6].map((step) => [step, method === 'mixture', true]),
    );
    const { tensors: weights } = decodeCheckpoint(await store.artifacts.get(supernet?.checkpoint ?? ''));
    const candidates = await store.trials('search');
    assert.equal(candidates.length, 4);
    for (const { state, architecture, metrics } of candidates) {
      const network = resolve(space, architecture);
      const alone = { engine: referenceEngine(), network, weights, info: data.info, samples: data.valid };
      assert.equal(state, 'complete');
      for (const [name, value] of Object.entries((await evaluateNetwork(alone)).metrics))
        assert.ok(Math.abs((metrics[name] ?? 9) - value) < 1e-5, `${name}: ${metrics[name]}, alone ${value}`);
    }
  });

  test(`${method}: a worker killed during the supernet resumes it, and nothing differs`, {
    timeout: 600_000,
  }, async () => {
    const dir = join(root, `worker-${method}`);
    const store = await createStudyStore(dir, NEW_STUDY);
    const end = await oneShotStudy(store, processes(dir, { method, died: join(root, `died-${method}`) }));
    assert.equal(end.reason, 'trials');
    assert.equal((await store.trials('supernet'))[0]?.attempts, 2);
    assert.deepEqual(await essence(store), (await undisturbed(method)).essence);
    await store.close();
  });

  test(`${method}: the study killed at reports of the supernet, resumed, does not differ`, {
    timeout: 600_000,
  }, async () => {
    const dir = join(root, `study-${method}`);
    const reports = method === 'mixture' ? ['supernet 1', 'supernet 3', 'search 1'] : ['supernet 4'];
    for (const report of reports) assert.deepEqual(await run(dir, method, report), [null, 'SIGKILL']);
    assert.deepEqual(await run(dir, method), [0, null]);
    const store = await openStudyStore(dir, 'read');
    assert.deepEqual(await essence(store), (await undisturbed(method)).essence);
    await store.close();
  });
}

test('a study whose supernet fails ends, with the reason, and tries no candidate', async () => {
  const store = memoryStore(NEW_STUDY);
  const { trainShared: _, ...estimator } = oneShotEstimator({ engine: referenceEngine(), data, method: 'mixture' });
  const end = await oneShotStudy(store, inProcessPool({ space, estimator }, store.artifacts));
  assert.deepEqual([end.reason, end.trials], ['failing', 0]);
  const [supernet] = await store.trials('supernet');
  assert.deepEqual([supernet?.state, supernet?.reason], ['failed', 'the estimator of this study trains no supernet']);
});

test('the supernet stops when time is up, waits, and is resumed with a larger budget', async () => {
  const store = memoryStore(NEW_STUDY);
  let time = 0;
  const now = () => time;
  const onEvent = ({ kind }: { kind: string }) => {
    if (kind === 'reported') time += 1000;
  };
  const first = await oneShotStudy(store, inProcess(store, 'mixture'), { budget: { seconds: 2.5 }, now, onEvent });
  const [waiting] = await store.trials('supernet');
  assert.deepEqual([first.reason, waiting?.state, waiting?.curve.length], ['time', 'waiting', 3]);
  await oneShotStudy(store, inProcess(store, 'mixture'));
  assert.deepEqual(await essence(store), (await undisturbed('mixture')).essence);
});

/** How the study's process ended, which kills itself at this report. */
async function run(dir: string, method: string, report = 'never'): Promise<unknown> {
  const conditions = process.execArgv.filter((arg) => arg.startsWith('--conditions'));
  return once(spawn(process.execPath, [...conditions, main, dir, method, report], { stdio: 'inherit' }), 'exit');
}

test('a candidate whose supernet has another space, or cannot be read, fails with the reason', async () => {
  const store = memoryStore(NEW_STUDY);
  await oneShotStudy(store, inProcess(store, 'single-path'));
  const [trained] = await store.trials('supernet');
  const { estimate } = sharedWeightsEstimator({ engine: referenceEngine(), data, batchSize: 8 });
  const notes: string[] = [];
  const run = (shared: string | undefined): EstimateRun => ({
    trial: 0,
    fidelity: { epochs: 1, data: 1, resolution: 1, width: 1 },
    fullFidelity: { epochs: 1, data: 1, resolution: 1, width: 1 },
    rng: (...labels) => rng(...labels),
    signal: new AbortController().signal,
    artifacts: store.artifacts,
    report: async () => 'continue',
    note: (text) => notes.push(text),
    ...(shared !== undefined && { shared }),
  });
  const candidate = { space, architecture: { first: 'plain', second: 'skip' } };
  const { state } = await estimate(candidate, run(trained?.checkpoint));
  assert.equal(state, 'complete');
  const other = defineSpace('other', () => sequential(linear(5), relu(), linear('outputs'))).create(data.info);
  await assert.rejects(
    estimate({ space: other, architecture: {} }, run(trained?.checkpoint)),
    isFailure(/is \[.*this space's is|no tensor/),
  );
  await assert.rejects(estimate(candidate, run('0'.repeat(64))), isFailure(/cannot be read/));
  await assert.rejects(estimate(candidate, run(undefined)), isFailure(/no supernet/));
  assert.equal(notes.length, 1);
});

const isFailure = (reason: RegExp) => (error: unknown) => error instanceof TrialFailure && reason.test(error.message);
