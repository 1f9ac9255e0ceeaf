import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readStudy } from '../src/app/study.ts';
import type { Json } from '../src/common/json.ts';
import { progressSum, studySum, trialSum } from '../src/study/store/checksums.node.ts';
import { trialRow } from '../src/study/store/rows.ts';
import { makeOlder } from '../src/study/store/testing/older.ts';
import { newTrial } from '../src/study/store/transitions.ts';
import { createStudyStore, openStudyStore } from '../src/study/study.node.ts';
import { damage, readingOf, settle } from './support/damage.ts';
import { json, netsmith } from './support/netsmith.ts';

const NETSMITH = join(import.meta.dirname, '..', 'bin', 'netsmith.js');

let folder = '';
/** A study on the table: five trials of the search, an evaluation, a trial under way with its curve and checkpoint. */
let original = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-hostile-'));
  original = join(folder, 'original');
  await json('search', '--benchmark', 'nas-bench-201', '--trials', '5', '--out', original);
  await json('evaluate', original);
  const store = await openStudyStore(original, 'write');
  const [first] = await store.trials();
  assert.ok(first);
  const key = { purpose: 'search' as const, trial: 5 };
  await store.propose([newTrial({ ...key, architecture: first.architecture, fidelity: 0 })]);
  const { fence } = await store.begin(key);
  for (const step of [1, 2]) {
    const checkpoint = await store.artifacts.put(Uint8Array.of(step));
    await store.report(key, fence, { step, metrics: { accuracy: step / 10 }, seconds: step }, checkpoint);
  }
  await store.release(key);
  await store.close();
});
after(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
function copy(): string {
  const dir = join(folder, `copy-${copies++}`);
  cpSync(original, dir, { recursive: true });
  return dir;
}

/** Of schema 5, with a valid checksum, as an attacker would write it. */
function setSettings(dir: string, change: (settings: Record<string, unknown>) => void): void {
  const database = new DatabaseSync(join(dir, 'study.db'));
  const row = database.prepare('SELECT * FROM study').get() as unknown as Parameters<typeof studySum>[0];
  const record = JSON.parse(row.settings);
  change(record);
  const settings = JSON.stringify(record);
  database.prepare('UPDATE study SET settings = ?, checksum = ?').run(settings, studySum({ ...row, settings }));
  database.close();
}

const READERS = ['status', 'trials', 'best', 'show', 'report', 'export', 'evaluate', 'resume'] as const;

suite('a study never runs code', () => {
  /** A space file that leaves a mark beside it when it is loaded. */
  function trap(): { readonly file: string; readonly mark: string } {
    const mark = join(folder, `ran-${copies++}`);
    const file = `${mark}.mjs`;
    writeFileSync(file, `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, '');`);
    return { file, mark };
  }

  test('a space file that its settings name is not loaded by any command that takes a study', async () => {
    const { file, mark } = trap();
    const dir = copy();
    setSettings(dir, ({ settings }) => {
      Object.assign(settings as object, { space: file });
      Reflect.deleteProperty(settings as object, 'benchmark');
    });
    const calls = [
      ...READERS.map((name) => [name, dir]),
      ['compare', dir, copy()],
      ['search', '--trials', '1', '--prior', dir, '--out', join(folder, 'never')],
    ];
    for (const call of calls) {
      const { code, err } = await netsmith(...call);
      assert.equal(code, 2, `${call.join(' ')}\n${err}`);
      assert.match(err, /does not contain its space/, call.join(' '));
      assert.ok(!existsSync(mark), call.join(' '));
    }
    // The trap works.
    await import(pathToFileURL(file).href);
    assert.ok(existsSync(mark));
  });

  test('with a stored space the file is not looked at either', async () => {
    const { file, mark } = trap();
    const dir = copy();
    const { space } = await readStudy(dir);
    assert.ok(space.tree !== undefined);
    setSettings(dir, (record) => {
      Object.assign(record.settings as object, { space: file });
      Reflect.deleteProperty(record.settings as object, 'benchmark');
      record.ownSpace = JSON.parse(JSON.stringify(space.tree));
    });
    for (const name of ['status', 'trials', 'best', 'show', 'report'] as const)
      assert.equal((await netsmith(name, dir)).code, 0, name);
    assert.ok(!existsSync(mark));
  });

  for (const [what, space] of Object.entries<Json>({
    'a repeat of a billion': tree({ kind: 'repeat', times: 1e9, body: scoped(pick('a')) }),
    'repeats inside repeats': tree(nested(12, (body) => ({ kind: 'repeat', times: 10, body }), scoped(pick('a')))),
    'a name of every object': tree(pick('__proto__')),
    'hyperparameters of such a name': JSON.parse(
      `{"name":"x","task":{"kind":"classification","input":[3,32,32],"outputs":10},"root":{"kind":"identity"},"hyperparameters":{"__proto__":1}}`,
    ),
    'no tree': tree('x'),
    'a number': 7,
  }))
    test(`a stored space is checked: ${what}`, async () => {
      const dir = copy();
      setSettings(dir, (record) => {
        record.ownSpace = space;
      });
      const { code, err } = await netsmith('trials', dir);
      assert.equal(code, 2, err);
      assert.doesNotMatch(err, /\n\s+at /);
    });

  test('an architecture that is not a member of the space is refused, whatever its values are', async () => {
    for (const architecture of [{ '0->1': { op: 'none' } }, { '0->1': [null] }]) {
      for (const name of READERS) {
        const dir = copy();
        const store = await openStudyStore(dir, 'write');
        const key = { purpose: 'search', trial: 6 } as const;
        await store.propose([newTrial({ ...key, architecture, fidelity: 0 })]);
        const { fence } = await store.begin(key);
        await store.finish(key, fence, { state: 'complete', metrics: { accuracy: 0.99 }, seconds: 1 });
        await store.close();
        const { code, err } = await netsmith(name, dir);
        assert.equal(code, 2, `${name}: ${err}`);
        assert.doesNotMatch(err, /\n\s+at /);
      }
    }
  });

  test('settings that nest 1,000 deep are refused', async () => {
    const dir = copy();
    setSettings(dir, (record) => {
      record.ownSpace = nested<Json>(1000, (body) => ({ kind: 'scope', name: 'a', body }), { kind: 'identity' });
    });
    const { code, err } = await netsmith('status', dir);
    assert.equal(code, 2);
    assert.match(err, /is nested too deeply/);
  });

  test('a plan without its data, and one of another form, is refused', async () => {
    for (const change of [
      (record: Record<string, unknown>) => Reflect.deleteProperty(record, 'data'),
      (record: Record<string, unknown>) => Object.assign(record.data as object, { input: [-3] }),
      (record: Record<string, unknown>) => Object.assign(record, { predictorAgreement: { tau: 'x' } }),
      (record: Record<string, unknown>) => Object.assign(record, { prior: [1] }),
      (record: Record<string, unknown>) => Object.assign(record, { block: -1 }),
    ]) {
      const dir = copy();
      setSettings(dir, change);
      const { code, err } = await netsmith('status', dir);
      assert.equal(code, 2, err);
      assert.match(err, /copy-\d+": (data|predictorAgreement|prior|block)/);
    }
  });
});

function nested<T>(depth: number, around: (body: T) => T, innermost: T): T {
  return depth === 0 ? innermost : around(nested(depth - 1, around, innermost));
}

function tree(root: Json): Json {
  return { name: 'x', task: { kind: 'classification', input: [3, 32, 32], outputs: 10 }, root };
}

function scoped(body: Json): Json {
  return { kind: 'scope', name: 's', body };
}

function pick(name: string): Json {
  return { kind: 'dropout', rate: { kind: 'pick', name, values: [0, 0.5] } };
}

suite('a study stays in its folder', () => {
  /** A folder beside the study that must not change. */
  function victim(): { readonly dir: string; check(): void } {
    const dir = join(folder, `victim-${copies++}`);
    mkdirSync(dir);
    writeFileSync(join(dir, 'a'.repeat(64)), 'mine');
    return {
      dir,
      check() {
        assert.deepEqual(readdirSync(dir), ['a'.repeat(64)]);
        assert.equal(readFileSync(join(dir, 'a'.repeat(64)), 'utf8'), 'mine');
      },
    };
  }

  for (const name of ['trials', 'artefacts', 'best'])
    test(`"${name}" that is a link is not written through`, async () => {
      const dir = copy();
      const outside = victim();
      rmSync(join(dir, name), { recursive: true, force: true });
      symlinkSync(outside.dir, join(dir, name));
      if (name === 'best') {
        const { code, err } = await netsmith('evaluate', dir);
        assert.equal(code, 2);
        assert.match(err, /best".*is a link/);
      } else if (name === 'trials') {
        await assert.rejects(openStudyStore(dir, 'write'), { name: 'UserError', message: /trials.*is a link/ });
      } else {
        const store = await openStudyStore(dir, 'write');
        await assert.rejects(store.artifacts.put(Uint8Array.of(9)), { name: 'UserError', message: /is a link/ });
        await store.sweep();
        await store.close();
      }
      outside.check();
    });

  for (const name of ['study.db', 'study.db-wal', 'study.db-shm', 'study.db-journal', 'writer.lock'])
    test(`"${name}" that is a link is not opened`, async () => {
      const dir = copy();
      const outside = victim();
      rmSync(join(dir, name), { force: true });
      symlinkSync(join(outside.dir, 'a'.repeat(64)), join(dir, name));
      for (const access of ['read', 'write'] as const)
        await assert.rejects(openStudyStore(dir, access), { name: 'UserError', message: /is a link/ });
      outside.check();
    });

  test('a journal that names another file is not played back', async () => {
    const dir = copy();
    writeFileSync(join(dir, 'study.db-journal'), Buffer.from('d9d505f920a163d7', 'hex'));
    await assert.rejects(openStudyStore(dir, 'write'), { name: 'UserError', message: /refers to a file elsewhere/ });
  });

  test('numbers and hashes of the database become paths only when they are ones', async () => {
    const text = 'a trial whose columns have any type';
    for (const [column, value] of [
      ['trial', '../../victim'],
      ['checkpoint', '../../victim'],
      ['state', 'gone'],
      ['trial', -1],
    ] as const) {
      const dir = copy();
      makeOlder(dir, 3);
      const database = new DatabaseSync(join(dir, 'study.db'));
      database.prepare(`UPDATE trials SET ${column} = ? WHERE trial = 0`).run(value);
      database.close();
      for (const access of ['read', 'write'] as const)
        await assert.rejects(
          openStudyStore(dir, access),
          { name: 'UserError', message: new RegExp(`: ${column} is`) },
          text,
        );
      assert.ok(!existsSync(join(folder, 'victim')));
    }
  });

  test('a number that no trial before it reaches is refused', async () => {
    const dir = copy();
    makeOlder(dir, 3);
    const database = new DatabaseSync(join(dir, 'study.db'));
    database.exec('UPDATE trials SET trial = 123456789 WHERE trial = 4');
    database.close();
    for (const command of ['trials', 'resume']) {
      const { code, err } = await netsmith(command, dir);
      assert.equal(code, 2, err);
      assert.match(err, /trial 4 is missing/);
    }
  });
});

suite('a study that is damaged', () => {
  test('is read as it was written or refused, however it is damaged, and nothing is written outside', async () => {
    const whole = await readingOf(original);
    assert.doesNotMatch(whole, /^refused/);
    const room = join(folder, 'room');
    const dir = join(room, 'study');
    const counts = { same: 0, refused: 0 };
    for (let seed = 0; seed < 60; seed++) {
      mkdirSync(room);
      writeFileSync(join(room, 'victim'), 'mine');
      cpSync(original, dir, { recursive: true });
      const what = `seed ${seed}: ${damage(dir, seed)}`;
      try {
        const found = await readingOf(dir);
        await settle(dir);
        if (found === whole) counts.same++;
        else if (found.startsWith('refused')) counts.refused++;
        // An evaluation that is gone is as one that was never made.
        else if (found.split('\n', 4).join() !== whole.split('\n', 4).join() || !found.endsWith('"no evaluation"'))
          assert.match(what, /^seed \d+: signed/, `read as something else:\n${found}`);
        assert.equal(readFileSync(join(room, 'victim'), 'utf8'), 'mine');
        assert.deepEqual(readdirSync(room).sort(), ['study', 'victim']);
      } catch (error) {
        throw new Error(what, { cause: error });
      }
      rmSync(room, { recursive: true });
    }
    assert.ok(counts.same > 6 && counts.refused > 18, JSON.stringify(counts));
  });

  test('says which trial differs and what to do', async () => {
    const dir = copy();
    const database = new DatabaseSync(join(dir, 'study.db'));
    database.exec(`UPDATE trials SET metrics = '{"accuracy":0.99}' WHERE trial = 3`);
    database.close();
    const { code, err } = await netsmith('best', dir);
    assert.equal(code, 2);
    assert.match(err, /trial 3 in study\.db: has changed since it was written.*restore the study from a copy/);
  });

  test('an evaluation that was changed is refused with its file and the way on', async () => {
    const dir = copy();
    const path = join(dir, 'best', 'evaluation.json');
    for (const text of [
      readFileSync(path, 'utf8').replace(/"accuracy": [\d.]+/, '"accuracy": 0.999'),
      '{"trial": ',
      '[]',
      '['.repeat(1000),
    ]) {
      writeFileSync(path, text);
      const { code, err } = await netsmith('report', dir);
      assert.equal(code, 2, err);
      assert.match(err, /evaluation\.json".*(delete it and run .*netsmith(\.js)? evaluate)/s);
    }
    rmSync(path);
    assert.equal((await netsmith('report', dir)).code, 0);
  });
});

test('a pipe, folder or link in the place of a file in best/ neither hangs a report nor is written through', async () => {
  for (const name of ['evaluation.json', 'predictions.json', 'weights.json', 'weights.bin', 'model.onnx'])
    for (const what of ['pipe', 'folder', 'link'] as const) {
      const dir = copy();
      const path = join(dir, 'best', name);
      const outside = join(folder, `outside-${copies++}`);
      writeFileSync(outside, 'mine');
      rmSync(path, { force: true });
      if (what === 'pipe') execFileSync('mkfifo', [path]);
      else if (what === 'folder') mkdirSync(path);
      else symlinkSync(outside, path);
      for (const command of ['report', 'evaluate'] as const) {
        const { code, err } = await netsmith(command, dir);
        assert.ok(code === 0 || code === 2, `${command}, ${name} as a ${what}: ${err}`);
        assert.doesNotMatch(err, /\n\s+at /);
        if (code === 2) assert.match(err, new RegExp(name.replace('.', '\\.')), `${name} as a ${what}`);
      }
      assert.equal(readFileSync(outside, 'utf8'), 'mine');
    }
});

suite('a study that goes away while it runs', () => {
  for (const [what, act] of Object.entries<(dir: string) => void>({
    'its database is deleted': (dir) => rmSync(join(dir, 'study.db')),
    'its database is moved': (dir) => renameSync(join(dir, 'study.db'), join(dir, 'other.db')),
    'its database is replaced': (dir) => {
      cpSync(join(dir, 'study.db'), join(dir, 'new.db'));
      renameSync(join(dir, 'new.db'), join(dir, 'study.db'));
    },
    'its folder is deleted': (dir) => rmSync(dir, { recursive: true }),
    'its folder is moved': (dir) => renameSync(dir, `${dir}-moved`),
  }))
    test(`${what}: the next report says so`, async () => {
      const dir = copy();
      const store = await openStudyStore(dir, 'write');
      const key = { purpose: 'search' as const, trial: 5 };
      const { fence } = await store.begin(key);
      const report = (step: number) => store.report(key, fence, { step, metrics: {}, seconds: step }, undefined);
      await report(3);
      act(dir);
      await assert.rejects(report(4), {
        name: 'StudyStopped',
        message: /study\.db was (deleted or moved|replaced by another file)/,
      });
      if (!existsSync(dir)) {
        await assert.rejects(store.artifacts.put(Uint8Array.of(7)), { name: 'StudyStopped' });
        assert.ok(!existsSync(dir), 'the folder is not made again');
      }
      await store.close();
      if (!existsSync(`${dir}-moved`)) return;
      const moved = await openStudyStore(`${dir}-moved`, 'read');
      assert.deepEqual(
        (await moved.trial(key))?.curve.map(({ step }) => step),
        [1, 2, 3],
      );
      await moved.close();
    });
});

// V8's stack holds some 120,000 arguments; a fifth of that stack holds fewer than there are trials here.
test('more trials than a call takes arguments are listed, ranked and reported', { timeout: 600_000 }, async () => {
  const dir = join(folder, 'many');
  const { record, trials } = await readStudy(original);
  const [first] = trials;
  assert.ok(first);
  await (await createStudyStore(dir, { name: 'many', settings: record.settings, state: null })).close();
  const database = new DatabaseSync(join(dir, 'study.db'));
  database.exec('BEGIN');
  const names = Object.keys(trialRow(first));
  const insert = database.prepare(
    `INSERT INTO trials (${names.join(', ')}, checksum) VALUES (${names.map(() => '?').join(', ')}, ?)`,
  );
  const MANY = 30_000;
  for (let trial = 0; trial < MANY; trial++) {
    const row = trialRow({ ...first, trial, metrics: { accuracy: (trial % 9973) / 10_000 } });
    insert.run(...Object.values(row), trialSum(row, []));
  }
  const others = { confirm_trials: 0, supernet_trials: 0, evaluate_trials: 0 };
  const progress = { search_trials: MANY, ...others, search_seconds: 1, worker_seconds: 1 };
  database.prepare('UPDATE progress SET search_trials = ?, checksum = ?').run(MANY, progressSum(progress));
  database.prepare('UPDATE progress SET search_seconds = 1, worker_seconds = 1').run();
  database.exec('COMMIT');
  database.close();
  const command = (...args: string[]) =>
    execFileSync(process.execPath, ['--stack-size=200', NETSMITH, ...args], { encoding: 'utf8', maxBuffer: 1e8 });
  // `status` and `best` take the same ways as these two.
  assert.ok(command('trials', dir).split('\n').length > MANY);
  assert.match(command('report', dir), /report/);
});
