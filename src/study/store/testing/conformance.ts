import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { type NewStudy, SCHEMA, StaleWriter, type Store } from '../store.ts';
import { newTrial } from '../transitions.ts';

const STUDY: NewStudy = { name: 'mine', settings: { epochs: 3, names: ['a', 'b'] }, state: { members: [] } };
const search = (trial: number) => ({ purpose: 'search' as const, trial });
const confirm = (trial: number) => ({ purpose: 'confirm' as const, trial });
const proposed = (trial: number) =>
  newTrial({ ...search(trial), architecture: { k: trial, from: [0, 1] }, fidelity: 0 });
const point = (step: number, accuracy = step / 10) => ({ step, metrics: { accuracy }, seconds: step });
/** The name of an artifact that is not there. */
const hash = (digit: number) => String(digit).repeat(64);
const complete = (accuracy: number) => ({ state: 'complete' as const, metrics: { accuracy }, seconds: 9 });

/** What every store must do. `open` returns a store over a fresh study. */
export function storeConformance(name: string, open: (study: NewStudy) => Promise<Store>): void {
  suite(`store conformance: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open(STUDY);
    });
    afterEach(() => store.close());

    test('a fresh study has its record, the initial state and no trials', async () => {
      const { createdAt, ...record } = await store.study();
      assert.deepEqual(record, { schema: SCHEMA, name: 'mine', settings: STUDY.settings });
      assert.ok(Math.abs(createdAt - Date.now()) < 60_000);
      assert.deepEqual(await store.strategyState(), { revision: 0, state: STUDY.state });
      assert.deepEqual(await store.trials(), []);
      assert.equal(await store.trial(search(0)), undefined);
      assert.deepEqual(await store.clock(), { searchSeconds: 0, workerSeconds: 0 });
    });

    test('the trials of earlier studies stay as they were given, apart from its own', async () => {
      assert.deepEqual(await store.earlier(), []);
      const told = [3, 1].map((trial) => ({
        ...{ study: 'older', trial, seconds: 2.5 },
        architecture: { k: trial, from: [0, 1] },
        metrics: { accuracy: trial / 10 },
        costs: { params: 12 },
      }));
      const warm = await open({ ...STUDY, earlier: told });
      assert.deepEqual(await warm.earlier(), told);
      assert.deepEqual(await warm.trials(), []);
      await warm.propose([proposed(1)], { revision: 1, state: 'asked' });
      assert.deepEqual((await warm.trial(search(1)))?.origin, 'asked');
      assert.deepEqual(await warm.earlier(), told);
      await warm.close();
    });

    test('a trial goes from waiting to complete', async () => {
      await store.propose([proposed(0)], { revision: 1, state: 'asked' });
      assert.equal((await store.trial(search(0)))?.state, 'waiting');
      const { fence, attempts, state, costs } = await store.begin(search(0), { latency: 2.5, nothing: Number.NaN });
      assert.deepEqual([costs.latency, costs.nothing], [2.5, undefined]);
      assert.deepEqual([state, attempts], ['running', 1]);
      await store.report(search(0), fence, point(1), hash(1));
      const spent = { compile: 0.5, train: 1, valid: 0.25, idle: 0.125 };
      await store.report(search(0), fence, { ...point(2), spent }, undefined);
      await store.finish(search(0), fence, { ...complete(0.7), checkpoint: hash(3) }, { revision: 2, state: 'told' });
      const trial = await store.trial(search(0));
      assert.ok(trial);
      assert.deepEqual(trial.architecture, { k: 0, from: [0, 1] });
      assert.deepEqual([trial.state, trial.metrics, trial.checkpoint], ['complete', { accuracy: 0.7 }, hash(3)]);
      assert.deepEqual(trial.curve, [point(1), { ...point(2), spent }]);
      assert.ok(trial.startedAt !== undefined && trial.endedAt !== undefined && trial.endedAt >= trial.startedAt);
      assert.deepEqual(await store.strategyState(), { revision: 2, state: 'told' });
    });

    test('every field of a trial comes back', async () => {
      const trial = newTrial({
        ...confirm(0),
        architecture: { a: 'x', b: true, c: [0, 2], d: 1.5 },
        fidelity: 2,
        start: { kind: 'inherit', trial: 3 },
        origin: 'person',
        costs: { params: 12, flops: 3.5e9 },
        repeats: 4,
        repeatIndex: 1,
      });
      await store.propose([trial]);
      assert.deepEqual(await store.trial(confirm(0)), trial);
    });

    test('trials come by number, search before confirm, and one purpose on request', async () => {
      const numbers = Array.from({ length: 11 }, (_, n) => n);
      await store.propose(numbers.toReversed().map(proposed), { revision: 1, state: 0 });
      await store.propose([newTrial({ ...confirm(0), architecture: {}, fidelity: 0 })]);
      const keys = async (purpose?: 'search' | 'confirm') =>
        (await store.trials(purpose)).map((t) => [t.purpose, t.trial]);
      const searched = numbers.map((n) => ['search', n]);
      assert.deepEqual(await keys(), [...searched, ['confirm', 0]]);
      assert.deepEqual(await keys('search'), searched);
      assert.deepEqual(await keys('confirm'), [['confirm', 0]]);
    });

    test('a supernet is a trial with its own purpose, and its reports have the mixture and the guards', async () => {
      const supernet = { purpose: 'supernet', trial: 0 } as const;
      await store.propose([proposed(0)], { revision: 1, state: 0 });
      await store.propose([newTrial({ ...supernet, architecture: {}, fidelity: 0 })]);
      const { fence } = await store.begin(supernet);
      const guards = {
        ...{ parameterFree: 0.5, entropy: 0.9, skipWeight: 1.2, eigenvalue: -0.1, isSampled: true as const },
        operations: { none: 0, skip: 1, pool: 0, depthwise: 0, other: 1 },
        most: { operation: 'x', edges: 1, of: 2 },
        cells: [{ edges: 2, of: 2, skips: 1, depth: 1, width: 2, shape: 'shallow' as const }],
        gap: { metric: 'accuracy', mixture: 0.9, genotype: 0.2, samples: 128 },
        effectiveRank: { value: 7.5, of: 64 },
        interference: { pairs: 3, change: 0.02, magnitude: 0.05 },
      };
      const mixture = {
        ...{ weights: { a: [0.25, 0.75], b: [1] }, edges: { '2<-': [0.5, 0.5] }, stage: 2 },
        genotype: { a: 'x', b: true },
      };
      const report = { ...point(1), mixture, guards };
      await store.report(supernet, fence, report, hash(1));
      await store.finish(supernet, fence, { ...complete(0.5), checkpoint: hash(1) });
      const [trial] = await store.trials('supernet');
      assert.deepEqual([trial?.state, trial?.curve, trial?.checkpoint], ['complete', [report], hash(1)]);
      assert.deepEqual(
        (await store.trials()).map(({ purpose }) => purpose),
        ['search', 'supernet'],
      );
    });

    test('a report of an earlier step replaces the points of a lost attempt', async () => {
      await store.propose([proposed(0)]);
      const { fence } = await store.begin(search(0));
      for (const step of [1, 2, 3]) await store.report(search(0), fence, point(step), hash(step));
      await store.report(search(0), fence, point(2, 0.9), hash(9));
      const trial = await store.trial(search(0));
      assert.deepEqual(trial?.curve, [point(1), point(2, 0.9)]);
      assert.equal(trial?.checkpoint, hash(9));
    });

    test('a metric that is not finite is left out', async () => {
      await store.propose([proposed(0)]);
      const { fence } = await store.begin(search(0));
      const metrics = { accuracy: 0.5, loss: Number.NaN, mse: Number.POSITIVE_INFINITY };
      await store.report(search(0), fence, { step: 1, metrics, seconds: 1 }, undefined);
      await store.finish(search(0), fence, { state: 'complete', metrics, seconds: 1 });
      const trial = await store.trial(search(0));
      assert.deepEqual(trial?.metrics, { accuracy: 0.5 });
      assert.deepEqual(trial?.curve[0]?.metrics, { accuracy: 0.5 });
    });

    test('a released trial waits with its curve and checkpoint, and its late writer is refused', async () => {
      await store.propose([proposed(0)]);
      const first = await store.begin(search(0));
      await store.report(search(0), first.fence, point(1), hash(1));
      await store.release(search(0));
      const waiting = await store.trial(search(0));
      assert.deepEqual([waiting?.state, waiting?.checkpoint, waiting?.curve], ['waiting', hash(1), [point(1)]]);
      await assert.rejects(store.report(search(0), first.fence, point(2), hash(8)), StaleWriter);
      const second = await store.begin(search(0));
      assert.ok(second.fence > first.fence);
      assert.equal(second.attempts, 2);
      await assert.rejects(store.report(search(0), first.fence, point(2), hash(8)), StaleWriter);
      await assert.rejects(store.finish(search(0), first.fence, complete(1)), StaleWriter);
      await store.finish(search(0), second.fence, complete(0.5));
      await assert.rejects(store.finish(search(0), second.fence, complete(1)), StaleWriter);
      assert.deepEqual((await store.trial(search(0)))?.metrics, { accuracy: 0.5 });
    });

    test('what is refused changes nothing', async () => {
      await store.propose([proposed(0)], { revision: 1, state: 'one' });
      await assert.rejects(store.propose([proposed(1)], { revision: 1, state: 'again' }), StaleWriter);
      await assert.rejects(store.propose([proposed(1)], { revision: 3, state: 'skipped' }), StaleWriter);
      await assert.rejects(
        store.propose([proposed(1), proposed(0)], { revision: 2, state: 'taken' }),
        /exists already/,
      );
      const { fence } = await store.begin(search(0));
      await assert.rejects(store.finish(search(0), fence, complete(1), { revision: 1, state: 'late' }), StaleWriter);
      await assert.rejects(store.begin(search(0)), /only a waiting trial can begin/);
      await assert.rejects(store.begin(search(7)), /there is no trial 7/);
      assert.equal((await store.trials()).length, 1);
      assert.equal((await store.trial(search(0)))?.state, 'running');
      assert.deepEqual(await store.strategyState(), { revision: 1, state: 'one' });
    });

    test('a failed trial keeps its reason', async () => {
      await store.propose([proposed(0)]);
      const { fence } = await store.begin(search(0));
      await store.finish(search(0), fence, { state: 'failed', metrics: {}, seconds: 0, reason: 'out of memory' });
      assert.equal((await store.trial(search(0)))?.reason, 'out of memory');
    });

    test('settings can be revised; the rest of the record stays', async () => {
      const before = await store.study();
      await store.revise({ trials: 80 });
      assert.deepEqual(await store.study(), { ...before, settings: { trials: 80 } });
    });

    test('the search clock is kept', async () => {
      await store.recordClock({ searchSeconds: 12.5, workerSeconds: 25 });
      assert.deepEqual(await store.clock(), { searchSeconds: 12.5, workerSeconds: 25 });
    });

    test('an artifact comes back by its hash; an unknown one is an error', async () => {
      const bytes = new Uint8Array([1, 2, 3]);
      const hash = await store.artifacts.put(bytes);
      assert.equal(hash, '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81');
      assert.equal(await store.artifacts.put(bytes), hash);
      assert.deepEqual(new Uint8Array(await store.artifacts.get(hash)), bytes);
      await assert.rejects(store.artifacts.get('0'.repeat(64)), /artifact .*0000/);
    });

    test('a failed trial that is retried waits without its earlier results', async () => {
      await store.propose([proposed(0)], { revision: 1, state: 'asked' });
      const { fence } = await store.begin(search(0));
      await assert.rejects(store.retry([search(0)]), /only a failed trial is retried/);
      for (const step of [1, 2]) await store.report(search(0), fence, point(step), `${step}`.repeat(64));
      await store.finish(search(0), fence, { state: 'failed', metrics: {}, seconds: 2, reason: 'it died' });
      const [waiting] = await store.retry([search(0)]);
      assert.deepEqual(waiting, { ...proposed(0), attempts: 1, fence: waiting?.fence });
      assert.deepEqual(await store.trial(search(0)), waiting);
      await assert.rejects(store.report(search(0), fence, point(3), undefined), StaleWriter);
      const again = await store.begin(search(0));
      await store.report(search(0), again.fence, point(1), '3'.repeat(64));
      await store.finish(search(0), again.fence, complete(0.5));
      const trial = await store.trial(search(0));
      assert.deepEqual([trial?.state, trial?.curve, trial?.attempts], ['complete', [point(1)], 2]);
      assert.equal(trial?.reason, undefined);
    });

    test('artifacts are discarded by name, unless a trial refers to them', async () => {
      const put = (byte: number) => store.artifacts.put(new Uint8Array([byte]));
      const [kept, lost, queued] = [await put(1), await put(2), await put(3)];
      await store.propose([proposed(0)]);
      const { fence } = await store.begin(search(0));
      await store.report(search(0), fence, point(1), kept);
      await store.discard([kept, lost, 'no such artifact']);
      await store.artifacts.get(kept);
      await store.artifacts.get(queued); // Of a report that has not been processed yet.
      await assert.rejects(store.artifacts.get(lost));
    });

    test('a sweep leaves what trials refer to', async () => {
      const [kept, lost] = [
        await store.artifacts.put(new Uint8Array([1])),
        await store.artifacts.put(new Uint8Array([2])),
      ];
      await store.propose([proposed(0)]);
      const { fence } = await store.begin(search(0));
      await store.report(search(0), fence, point(1), kept);
      await assert.rejects(store.forget([search(0)]), /still needed/);
      await store.sweep();
      await store.artifacts.get(kept);
      await assert.rejects(store.artifacts.get(lost));
      await store.finish(search(0), fence, complete(1));
      await store.sweep();
      await store.artifacts.get(kept);
      await store.forget([search(0)]);
      assert.equal((await store.trial(search(0)))?.checkpoint, undefined);
      await store.sweep();
      await assert.rejects(store.artifacts.get(kept));
    });
  });
}
