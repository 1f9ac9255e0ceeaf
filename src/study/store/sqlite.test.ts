import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../common/errors.ts';
import { createStudyStore, openStudyStore } from '../study.node.ts';
import type { Store } from './store.ts';
import { storeConformance } from './testing/conformance.ts';
import { makeOlder } from './testing/older.ts';
import { newTrial } from './transitions.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-store-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;
const fresh = () => join(root, `study-${made++}`);
const STUDY = { name: 'mine', settings: {}, state: null };
const search = (trial: number) => ({ purpose: 'search' as const, trial });

async function endTrial(store: Store, trial: number): Promise<void> {
  await store.propose([newTrial({ ...search(trial), architecture: { k: trial }, fidelity: 0 })]);
  const { fence } = await store.begin(search(trial));
  await store.finish(search(trial), fence, { state: 'complete', metrics: { accuracy: 0.5 }, seconds: 1 });
}

storeConformance('SQLite', (study) => createStudyStore(fresh(), study));

test('a study comes back after it is closed, also when its folder has moved', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  await endTrial(store, 0);
  const hash = await store.artifacts.put(new Uint8Array([5]));
  await store.close();
  const moved = fresh();
  const { renameSync } = await import('node:fs');
  renameSync(dir, moved);
  const again = await openStudyStore(moved, 'read');
  assert.deepEqual((await again.trials())[0]?.metrics, { accuracy: 0.5 });
  assert.equal((await again.artifacts.get(hash))[0], 5);
  await again.close();
});

test('readers see what a writer has committed', async () => {
  const dir = fresh();
  const writer = await createStudyStore(dir, STUDY);
  const reader = await openStudyStore(dir, 'read');
  await endTrial(writer, 0);
  assert.equal((await reader.trials()).length, 1);
  await assert.rejects(reader.recordClock({ searchSeconds: 1, workerSeconds: 1 }), /read-only/);
  await reader.close();
  await writer.close();
});

test('an ended trial has its files; copies that are missing are written at the next opening', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  await endTrial(store, 0);
  await store.close();
  const read = (file: string): unknown => JSON.parse(readFileSync(join(dir, 'trials', '0', file), 'utf8'));
  assert.deepEqual(read('architecture.json'), { k: 0 });
  const metrics = read('metrics.json') as { state: string; metrics: unknown };
  assert.deepEqual([metrics.state, metrics.metrics], ['complete', { accuracy: 0.5 }]);
  rmSync(join(dir, 'trials'), { recursive: true });
  await (await openStudyStore(dir, 'write')).close();
  assert.deepEqual(read('architecture.json'), { k: 0 });
});

test('a damaged artifact is refused, and put again', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  const hash = await store.artifacts.put(new Uint8Array([1, 2]));
  writeFileSync(join(dir, 'artefacts', hash), 'rot');
  await assert.rejects(store.artifacts.get(hash), /damaged/);
  await store.artifacts.put(new Uint8Array([1, 2]));
  assert.deepEqual([...(await store.artifacts.get(hash))], [1, 2]);
  await store.close();
});

test('a sweep removes files that a crash left unfinished, and no file of another origin', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  mkdirSync(join(dir, 'artefacts'), { recursive: true });
  writeFileSync(join(dir, 'artefacts', `${'a'.repeat(64)}.1-ab.unfinished`), 'half');
  writeFileSync(join(dir, 'artefacts', 'README'), 'mine');
  await store.sweep();
  assert.deepEqual(readdirSync(join(dir, 'artefacts')), ['README']);
  await store.close();
});

test('a second writer is refused with the process id of the first, in this process too', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  await assert.rejects(openStudyStore(dir, 'write'), new RegExp(`process ${process.pid} is writing`));
  await endTrial(store, 0);
  await store.close();
  await (await openStudyStore(dir, 'write')).close();
});

test('a folder that is a study, or holds files of such names, is refused and left alone', async () => {
  const dir = fresh();
  await (await createStudyStore(dir, STUDY)).close();
  const before = readFileSync(join(dir, 'study.db'));
  await assert.rejects(createStudyStore(dir, STUDY), { name: 'UserError', message: /already contains a study/ });
  assert.deepEqual(readFileSync(join(dir, 'study.db')), before);
  const other = fresh();
  mkdirSync(join(other, 'trials'), { recursive: true });
  await assert.rejects(createStudyStore(other, STUDY), { name: 'UserError', message: /already contains "trials"/ });
  assert.deepEqual(readdirSync(other), ['trials']);
});

test('of several that create a study in one folder at once, one does and the others are refused', async () => {
  const dir = fresh();
  const tries = await Promise.allSettled([1, 2, 3].map((n) => createStudyStore(dir, { ...STUDY, name: `study ${n}` })));
  const stores = tries.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const errors = tries.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
  assert.equal(stores.length, 1);
  assert.deepEqual(
    errors.map(({ name, message }) => [name, /already contains a study/.test(message)]),
    Array(2).fill(['UserError', true]),
  );
  await stores[0]?.close();
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith('study.db')),
    ['study.db'],
  );
});

test('creating studies side by side, in threads that begin each at the same moment', async () => {
  const threads = 3;
  const rounds = 8;
  const parent = fresh();
  const arrived = new Int32Array(new SharedArrayBuffer(4 * rounds));
  const body = `
    const { parentPort, workerData: { arrived, threads, rounds, parent, module, study } } = require('node:worker_threads');
    import(module).then(async ({ createStudyStore }) => {
      const results = [];
      for (let round = 0; round < rounds; round++) {
        Atomics.add(arrived, round, 1);
        while (Atomics.load(arrived, round) < threads);
        const end = await createStudyStore(parent + '/' + round + '/a/b', study).then(
          async (store) => { await store.close(); return 'created'; },
          (error) => error.name + ': ' + error.message,
        );
        results.push(end);
      }
      parentPort.postMessage(results);
    });`;
  const workerData = {
    arrived,
    threads,
    rounds,
    parent,
    module: new URL('../study.node.ts', import.meta.url).href,
    study: STUDY,
  };
  const results = await Promise.all(
    Array.from(
      { length: threads },
      () =>
        new Promise<string[]>((resolve, reject) => {
          new Worker(body, { eval: true, workerData }).once('message', resolve).once('error', reject);
        }),
    ),
  );
  for (let round = 0; round < rounds; round++) {
    const ends = results.map((of) => of[round] ?? '');
    assert.equal(ends.filter((end) => end === 'created').length, 1, ends.join('; '));
    assert.equal(
      ends.filter((end) => /^UserError: .*already contains (a study|")/.test(end)).length,
      threads - 1,
      ends.join('; '),
    );
  }
});

test('a folder that cannot be written to is refused and nothing is made', async () => {
  const file = join(root, 'a-file');
  writeFileSync(file, '');
  await assert.rejects(createStudyStore(join(file, 'below', 'study'), STUDY), UserError);
  await assert.rejects(createStudyStore('/proc/netsmith/study', STUDY), UserError);
  assert.equal(readFileSync(file, 'utf8'), '');
});

test('a folder without a study: the error names the studies beside it', async () => {
  const dir = fresh();
  mkdirSync(join(dir, 'mine'), { recursive: true });
  writeFileSync(join(dir, 'mine', 'study.db'), '');
  await assert.rejects(openStudyStore(join(dir, 'nine'), 'read'), /; studies in .*: mine$/);
});

test('a folder without a study, and files that are none, are refused', async () => {
  const dir = fresh();
  await assert.rejects(openStudyStore(dir, 'read'), { name: 'UserError', message: /is not the folder of a study/ });
  assert.ok(!existsSync(dir));
  mkdirSync(dir);
  writeFileSync(join(dir, 'study.db'), 'no database at all, but some text that is long enough to look like one');
  await assert.rejects(openStudyStore(dir, 'write'), { name: 'UserError', message: /study.db.*not a database/ });
  rmSync(join(dir, 'study.db'));
  new DatabaseSync(join(dir, 'study.db')).exec('CREATE TABLE study (a); PRAGMA user_version = 1');
  await assert.rejects(openStudyStore(dir, 'write'), { name: 'UserError', message: /another program/ });
});

test('a study of a newer schema is refused with both versions', async () => {
  const dir = fresh();
  await (await createStudyStore(dir, STUDY)).close();
  const database = new DatabaseSync(join(dir, 'study.db'));
  database.exec('PRAGMA user_version = 7');
  database.close();
  for (const access of ['read', 'write'] as const)
    await assert.rejects(openStudyStore(dir, access), { name: 'UserError', message: /schema 7;.*schema 5/ });
});

test('a study of schema 4 is read with its checksums: a changed row is refused', async () => {
  for (const [table, column, value] of [
    ['trials', 'metrics', '{"accuracy":1}'],
    ['reports', 'seconds', 9],
    ['study', 'settings', '{"other":1}'],
    ['strategy', 'state', '[2]'],
    ['progress', 'search_seconds', 9],
  ] as const) {
    const dir = fresh();
    const store = await createStudyStore(dir, STUDY);
    await store.propose([newTrial({ ...search(0), architecture: { k: 0 }, fidelity: 0 })], { revision: 1, state: [1] });
    const { fence } = await store.begin(search(0));
    await store.report(search(0), fence, { step: 1, metrics: { accuracy: 0.5 }, seconds: 1 }, undefined);
    await store.close();
    makeOlder(dir, 4);
    const database = new DatabaseSync(join(dir, 'study.db'));
    database.prepare(`UPDATE ${table} SET ${column} = ?`).run(value);
    database.close();
    for (const access of ['read', 'write'] as const)
      await assert.rejects(openStudyStore(dir, access), { name: 'UserError', message: /its checksum differs/ }, table);
  }
});

test('final trainings and what they leave are kept: artifacts that a trial names are not swept', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  const [weights, stray] = [await store.artifacts.put(Buffer.from('w')), await store.artifacts.put(Buffer.from('s'))];
  const key = { purpose: 'evaluate', trial: 0 } as const;
  const final = { id: 'a'.repeat(32), epochs: 3, repetition: 1, baseline: 'resnet' };
  await store.propose([newTrial({ ...key, architecture: {}, fidelity: 0, final })]);
  const { fence } = await store.begin(key);
  await store.finish(key, fence, { state: 'complete', metrics: { accuracy: 1 }, seconds: 2, artifacts: { weights } });
  await store.sweep();
  await store.close();
  const again = await openStudyStore(dir, 'write');
  const [trial, ...others] = await again.trials();
  assert.deepEqual([trial?.purpose, trial?.final, trial?.artifacts, others], ['evaluate', final, { weights }, []]);
  assert.deepEqual(Buffer.from(await again.artifacts.get(weights)).toString(), 'w');
  await assert.rejects(again.artifacts.get(stray));
  await again.close();
});

for (const schema of [1, 2, 3, 4] as const)
  test(`a study of schema ${schema} can be read as it is; a writer brings it up to date`, async () => {
    const dir = fresh();
    const spent = { compile: 1, train: 2, valid: 3, idle: 4 };
    const told = { study: 'older', trial: 4, architecture: { k: 1 }, metrics: { accuracy: 1 }, costs: {}, seconds: 3 };
    const store = await createStudyStore(dir, { ...STUDY, earlier: schema >= 3 ? [told] : [] });
    await store.propose([newTrial({ ...search(0), architecture: { k: 0 }, fidelity: 0 })], { revision: 1, state: [1] });
    const { fence } = await store.begin(search(0));
    const report = { step: 1, metrics: { accuracy: 0.5 }, seconds: 1 };
    await store.report(search(0), fence, report, undefined);
    const before = await store.trial(search(0));
    const workerSeconds = schema === 1 ? 0 : 14;
    await store.recordClock({ searchSeconds: 7, workerSeconds });
    await store.close();
    makeOlder(dir, schema);

    const bytes = readFileSync(join(dir, 'study.db'));
    const reader = await openStudyStore(dir, 'read');
    assert.deepEqual(await reader.clock(), { searchSeconds: 7, workerSeconds });
    assert.deepEqual(await reader.trial(search(0)), before);
    assert.deepEqual(await reader.strategyState(), { revision: 1, state: [1] });
    assert.deepEqual(await reader.earlier(), schema >= 3 ? [told] : []);
    await assert.rejects(reader.recordClock({ searchSeconds: 1, workerSeconds: 1 }), /read-only/);
    await reader.close();
    assert.deepEqual(readFileSync(join(dir, 'study.db')), bytes);
    const writer = await openStudyStore(dir, 'write');
    await writer.release(search(0));
    const again = await writer.begin(search(0));
    await writer.report(search(0), again.fence, { ...report, step: 2, spent }, undefined);
    assert.deepEqual((await writer.trial(search(0)))?.curve, [report, { ...report, step: 2, spent }]);
    await writer.recordClock({ searchSeconds: 8, workerSeconds: 20 });
    assert.deepEqual(await writer.clock(), { searchSeconds: 8, workerSeconds: 20 });
    assert.deepEqual(await writer.earlier(), schema >= 3 ? [told] : []);
    await writer.close();
    await (await openStudyStore(dir, 'write')).close();
  });

test('an artifact that is damaged, lost or misnamed is a UserError that names the file', async () => {
  const dir = fresh();
  const store = await createStudyStore(dir, STUDY);
  const hash = await store.artifacts.put(new Uint8Array([5]));
  const file = join(dir, 'artefacts', hash);
  const refuses = (name: string, found: string) =>
    assert.rejects(store.artifacts.get(name), {
      name: 'UserError',
      message: `artifact "${join(dir, 'artefacts', name)}": ${found}; it must be the file that the study has written`,
    });
  writeFileSync(file, 'x');
  await refuses(hash, 'is damaged: its content has another hash');
  rmSync(file);
  await refuses(hash, 'cannot be read: there is no such file');
  await refuses('../study.db', 'cannot be read: its name is no SHA-256');
  await assert.rejects(store.begin(search(7)), {
    name: 'UserError',
    message: /: there is no trial 7; the file is damaged/,
  });
  await store.close();
});
