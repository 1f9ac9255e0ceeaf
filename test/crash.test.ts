import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rng } from '../src/common/random.ts';
import { runStudy } from '../src/study/run.ts';
import { memoryStore } from '../src/study/store/memory.ts';
import { openStudyStore } from '../src/study/study.node.ts';
import { fakeBench } from '../src/study/testing/fake.ts';
import { essence, STUDIES, type TestStudy } from '../src/study/testing/studies.ts';
import { inProcessPool } from '../src/study/worker/in-process.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-crash-'));
after(() => rmSync(root, { recursive: true, force: true }));
const main = fileURLToPath(new URL('../src/study/testing/main.ts', import.meta.url));
const TRIALS = 30;

type Name = keyof typeof STUDIES;

function start(dir: string, name: Name, where: 'in-process' | 'processes', mostReports?: number): ChildProcess {
  const args = [
    ...process.execArgv.filter((arg) => arg.startsWith('--conditions')),
    main,
    dir,
    name,
    `${TRIALS}`,
    where,
    ...(mostReports === undefined ? [] : [`${mostReports}`]),
  ];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Waits until the line has come N times, or for the end of the process; true if it came. */
function said(child: ChildProcess, line: string, times = 1): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.split(`${line}\n`).length > times) resolve(true);
    });
    child.on('close', () => resolve(false));
  });
}

/** Runs the study, killing it at random moments, then to its end. */
async function killAndResume(dir: string, name: Name, where: 'in-process' | 'processes'): Promise<void> {
  const moments = rng('crash', name, where);
  // The loop and the store are the same for all, and are killed more often with one strategy; the others show that their state is kept.
  const often = name === 'aging-evolution';
  const kills = often ? 6 : 1;
  for (let kill = 0; kill < kills; kill++) {
    // Some die before or while they open the study, most within the next few reports; those that are killed once, anywhere in the study,
    // which has at least one report for each trial. All sessions together cannot finish it.
    const reports = often ? moments.int(5) : 2 + moments.int(TRIALS - 6);
    const child = start(dir, name, where, reports + 3);
    const exit = once(child, 'exit');
    if (kill % 3 === 2) await sleep(moments.int(150));
    else assert.ok(reports === 0 ? await said(child, 'open') : await said(child, 'reported', reports));
    await sleep(moments.int(4));
    child.kill('SIGKILL');
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    await checkFolder(dir);
  }
  assert.ok(await said(start(dir, name, where), 'done'));
}

/** What a reader finds after a crash is whole. */
async function checkFolder(dir: string): Promise<void> {
  if (!existsSync(join(dir, 'study.db'))) return;
  const store = await openStudyStore(dir, 'read');
  for (const { checkpoint } of await store.trials()) if (checkpoint) await store.artifacts.get(checkpoint);
  await store.close();
  const trials = join(dir, 'trials');
  for (const trial of existsSync(trials) ? readdirSync(trials) : [])
    for (const file of readdirSync(join(trials, trial)))
      if (file.endsWith('.json')) JSON.parse(readFileSync(join(trials, trial, file), 'utf8'));
}

/** The undisturbed study. */
async function undisturbed(name: Name) {
  const { strategy, problem, quality }: TestStudy = STUDIES[name];
  const store = memoryStore({ name, settings: null, state: strategy.init(problem) });
  const workers = inProcessPool(fakeBench(problem.space, quality && { quality }), store.artifacts);
  await runStudy({ store, strategy, problem, workers, budget: { trials: TRIALS }, confirm: { top: 3 } });
  return essence(store);
}

suite('killed again and again and resumed: the trials of the undisturbed study', { concurrency: 2 }, () => {
  const cases = [...Object.keys(STUDIES).map((name) => [name, 'in-process']), ['aging-evolution', 'processes']];
  for (const [name, where] of cases as [Name, 'in-process' | 'processes'][]) {
    test(`${name}, ${where}`, { timeout: 600_000 }, async () => {
      const dir = join(root, `${name}-${where}`);
      await killAndResume(dir, name, where);
      const store = await openStudyStore(dir, 'read');
      assert.deepEqual(await essence(store), await undisturbed(name));
      await store.close();
      const copies = readdirSync(join(dir, 'trials')).filter((folder) => !folder.startsWith('confirm'));
      assert.equal(copies.length, TRIALS);
    });
  }
});

test('a second writer is refused with the process id of the first; a dead one does not block', async () => {
  const dir = join(root, 'two-writers');
  const child = start(dir, 'random', 'in-process');
  const exit = once(child, 'exit');
  assert.ok(await said(child, 'open'));
  await assert.rejects(openStudyStore(dir, 'write'), {
    name: 'UserError',
    message: new RegExp(`process ${child.pid} is writing`),
  });
  await (await openStudyStore(dir, 'read')).close();
  child.kill('SIGKILL');
  await exit;
  await (await openStudyStore(dir, 'write')).close();
});
