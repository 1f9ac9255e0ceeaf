import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runStudy } from './run.ts';
import { createStudyStore } from './study.node.ts';
import { STUDIES } from './testing/studies.ts';
import type { WorkerEvent, WorkerPool } from './worker/pool.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-sweep-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a checkpoint is there when its report is processed, however old it is by then; replaced ones go', async () => {
  const { strategy, problem } = STUDIES.random;
  const dir = join(root, 'study');
  const store = await createStudyStore(dir, { name: 'late', settings: null, state: strategy.init(problem) });
  const artifacts = join(dir, 'artefacts');
  const put = (text: string) => store.artifacts.put(new TextEncoder().encode(text));
  let emit: (event: WorkerEvent) => void = () => {};
  const names: string[] = [];
  const answered: string[] = [];
  const report = (job: string, step: number, checkpoint: string) =>
    emit({ kind: 'report', job, report: { step, metrics: { accuracy: 0.5 }, seconds: step }, checkpoint });
  const end = (job: string) => {
    const evaluation = { state: 'complete' as const, metrics: { accuracy: 0.5 }, curve: [], seconds: 2 };
    emit({ kind: 'ended', job, evaluation });
  };
  let late = '';
  let seen: readonly string[] = [];
  /** Two trials: the second has put a checkpoint when the computer falls asleep; meanwhile the first one reports twice. */
  const workers: WorkerPool = {
    size: 2,
    start: async (listener) => {
      emit = listener;
    },
    async assign(name) {
      names.push(name);
      const [first = '', second] = names;
      if (second === undefined) return;
      late = await put('late');
      utimesSync(join(artifacts, late), 1_000_000_000, 1_000_000_000);
      report(first, 1, await put('first'));
    },
    async answer(name) {
      const [first = '', second = ''] = names;
      answered.push(name);
      if (answered.length === 1) report(first, 2, await put('second'));
      if (answered.length === 2) {
        seen = readdirSync(artifacts);
        report(second, 1, late);
      }
      if (answered.length === 3) {
        assert.equal(new TextDecoder().decode(await store.artifacts.get(late)), 'late');
        end(second);
        end(first);
      }
    },
    close: async () => {},
  };
  await runStudy({ store, strategy, problem, workers, budget: { trials: 2 } });
  assert.deepEqual([...seen].sort(), [late, await hashOf('second')].sort());
  await store.close();
});

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Buffer.from(digest).toString('hex');
}
