import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Json } from '../../common/json.ts';
import type { StudyEvent } from '../events.ts';
import { runStudy, type StudyRun } from '../run.ts';
import type { Store } from '../store/store.ts';
import { createStudyStore } from '../study.node.ts';
import type { Fate } from '../testing/fake.ts';
import { STUDIES } from '../testing/studies.ts';
import { processPool } from './process.node.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-workers-'));
after(() => rmSync(root, { recursive: true }));
const { random } = STUDIES;
const entry = new URL('../testing/worker.ts', import.meta.url);

let made = 0;
async function run(workers: number, settings: Json, options: Partial<StudyRun> & Pick<StudyRun, 'budget'>) {
  const study = join(root, `${made++}`);
  const store = await createStudyStore(study, {
    name: 'test',
    settings: null,
    state: random.strategy.init(random.problem),
  });
  const events: StudyEvent[] = [];
  const pool = processPool({ workers, entry, study, settings });
  const end = runStudy({ store, ...random, workers: pool, onEvent: (event) => events.push(event), ...options });
  return { store, events, end: await end.finally(() => undefined) };
}

/** Settings that give the architectures of these trials a fate. */
async function fated(byTrial: Readonly<Record<number, Fate>>): Promise<Json> {
  const [, proposals] = await random.strategy.ask(random.problem, null, 0, 10);
  const fates = Object.entries(byTrial).map(([trial, fate]) => [
    JSON.stringify(proposals[Number(trial)]?.architecture),
    fate,
  ]);
  return { fates: Object.fromEntries(fates) };
}

const brief = async (store: Store) => (await store.trials()).map(({ state, attempts }) => `${state} ${attempts}`);

test('without retries a worker that dies fails its trial and is replaced; the other trials go on', {
  timeout: 600_000,
}, async () => {
  const { store } = await run(1, await fated({ 1: 'kills its process' }), { budget: { trials: 3 }, retries: 0 });
  assert.deepEqual(await brief(store), ['complete 1', 'failed 1', 'complete 1']);
  const failed = await store.trial({ purpose: 'search', trial: 1 });
  assert.match(failed?.reason ?? '', /the worker died: killed by SIGKILL, as when memory runs out/);
  assert.equal(failed?.curve.length, 1);
  await store.close();
});

test('a trial whose worker dies is retried once; the second death fails it', { timeout: 600_000 }, async () => {
  const { store, events } = await run(1, await fated({ 0: 'kills its process' }), { budget: { trials: 2 } });
  assert.deepEqual(await brief(store), ['failed 2', 'complete 1']);
  assert.equal(events.filter(({ kind }) => kind === 'released').length, 1);
  await store.close();
});

test('two workers are both busy, and no trial comes twice', { timeout: 600_000 }, async () => {
  const { store, events } = await run(2, { epochMs: 20 }, { budget: { trials: 10 } });
  let [busy, most] = [0, 0];
  for (const { kind } of events) {
    if (kind === 'started') busy++;
    if (kind === 'ended') busy--;
    most = Math.max(most, busy);
  }
  assert.equal(most, 2);
  const started = events.flatMap((event) => (event.kind === 'started' ? event.trial.trial : []));
  assert.deepEqual(
    started.toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(await brief(store), Array(10).fill('complete 1'));
  await store.close();
});

test('Ctrl-C: what does not report is killed after the grace, and waits', { timeout: 600_000 }, async () => {
  const control = new AbortController();
  const { end, store } = await run(
    2,
    { epochMs: 60_000 },
    {
      budget: { trials: 4 },
      signal: control.signal,
      graceSeconds: 0.05,
      onEvent: ({ kind }) => kind === 'started' && control.abort(),
    },
  );
  assert.equal(end.reason, 'interrupted');
  assert.ok((await brief(store)).every((trial) => trial.startsWith('waiting')));
  await store.close();
});

test('workers that cannot be set up end the run with the reason', { timeout: 600_000 }, async () => {
  await assert.rejects(run(2, { broken: 'throws' }, { budget: { trials: 1 } }), /no such device/);
  await assert.rejects(run(1, { broken: 'exits' }, { budget: { trials: 1 } }), /cannot be started: exited with code 3/);
});
