import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkMeasure } from '../src/measure/conformance.node.ts';
import { defineMeasure } from '../src/measure/own.ts';
import { createStudy, openStudy } from '../src/node.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';
import { startHeld } from './support/process.ts';

// Measures of one's own in a file: `--measure ./mine.ts`.

const SOURCE = new URL('../src/', import.meta.url).href;
const TINY = ['--space', 'mlp', '--epochs', '1', '--train-samples', '60', '--seed', '3'];

let folder = '';
let measure = '';
/** A line for each architecture that was measured, by any process. */
let trace = '';
const measured = () => (existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : []);
const write = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const source = (name: string, body: string) => `import { appendFileSync } from 'node:fs';
import { defineMeasure } from '${SOURCE}measure/own.ts';
import { networkCosts } from '${SOURCE}network/costs.ts';
export const mine = defineMeasure({ name: '${name}', direction: 'minimize', unit: 'ms', async of({ network, task, text }) {
  ${body}
} });`;
const LATENCY = 'return networkCosts(network, task).params / 1000;';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-measure-'));
  trace = join(folder, 'trace');
  const log = `appendFileSync(${JSON.stringify(trace)}, text + '\\n');`;
  measure = write('measure.ts', source('latency', `${log} ${LATENCY}`));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('a measure of a file is objective, limit and target; stored, shown without running it, resumed when named again', async () => {
  const dir = join(folder, 'study');
  const goal = ['--objective', 'accuracy,latency', '--strategy', 'nsga2', '--limit', 'latency=10,params=1000000'];
  const found = await json('search', ...TINY, ...goal, '--measure', measure, '--trials', '5', '--out', dir);
  const [{ costs }] = found.best;
  assert.equal(costs.latency, costs.params / 1000);
  assert.equal(new Set(measured()).size, measured().length, 'once for each architecture');
  const trials = await json('trials', dir);
  const above = trials.filter((trial: { costs: { latency: number } }) => trial.costs.latency > 10);
  assert.ok(above.length > 0 && above.every(({ state }: { state: string }) => state === 'failed'));
  assert.match(above[0].reason, /^latency is [\d.]+, above the limit 10$/);

  rmSync(trace);
  assert.match((await netsmith('trials', dir)).out, /latency \(ms\)/);
  const html = readFileSync((await json('report', dir)).file, 'utf8');
  assert.match(html, /Latency \(ms\)/);
  assert.match(html, /netsmith search [^<]*--measure \S*measure\.ts/);
  assert.ok(!html.includes(folder) && !html.includes('[object Object]'));
  await json('evaluate', dir, '--seeds', '1', '--no-baselines');
  await refusedIn(
    folder,
    /its measure is the file ".*"; .*name the file again: --measure/,
    'resume',
    dir,
    '--trials',
    '6',
  );
  const other = write('other.ts', source('energy', LATENCY));
  await refusedIn(folder, /its measure latency is code of the program/, 'resume', dir, '--measure', other);
  assert.deepEqual(measured(), [], 'a stored study runs no file');

  const moved = join(folder, 'moved.ts');
  renameSync(measure, moved);
  try {
    assert.equal((await json('resume', dir, '--trials', '6', '--measure', moved)).trials, 6);
  } finally {
    renameSync(moved, measure);
  }
  const until = ['--trials', '9', '--until', 'latency=1000'];
  assert.equal((await json('resume', dir, ...until, '--measure', measure)).trials, 6, 'the target is reached');
  const opened = await openStudy(dir, { measure });
  assert.equal((await opened.optimize({ trials: 7, until: 'latency=0' })).trials, 7);
});

test('a program’s study with a measure goes on by a file, and a file’s study by a program', async () => {
  const dir = join(folder, 'both');
  const { mine } = await import(measure);
  const spec = { space: 'mlp', epochs: 1, trainSamples: 60, objective: ['accuracy', 'latency'], strategy: 'nsga2' };
  const study = await createStudy({ ...spec, measures: { latency: mine }, dir });
  await study.optimize({ trials: 1 });
  assert.equal((await json('resume', dir, '--trials', '2', '--measure', measure)).trials, 2);
  const again = await openStudy(dir, { measures: { latency: mine } });
  assert.equal((await again.optimize({ trials: 3 })).trials, 3);
  await assert.rejects(
    createStudy({ ...spec, measures: { latency: mine }, measure, dir: join(folder, 'never') }),
    /--measure: "latency"; is given by the program and by the file/,
  );
});

test('killed while it is measured, a study measures no architecture again, and has the trials of an undisturbed one', async () => {
  const slow = write(
    'slow.ts',
    source(
      'latency',
      `await new Promise((done) => setTimeout(done, 20)); appendFileSync(${JSON.stringify(trace)}, text + '\\n'); ${LATENCY}`,
    ),
  );
  const search = ['search', ...TINY, '--objective', 'accuracy,latency', '--strategy', 'nsga2', '--measure', slow];
  const [whole, dir] = [join(folder, 'whole'), join(folder, 'killed')];
  await json(...search, '--trials', '4', '--out', whole);
  rmSync(trace);
  const child = startHeld({ text: '[3 of 4]', times: 1 }, ...search, '--trials', '4', '--out', dir);
  const exit = once(child, 'exit');
  let err = '';
  for await (const text of child.stderr ?? []) {
    err += text;
    if (err.includes('[2 of 4]')) child.kill('SIGKILL');
  }
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  const before = measured().length;
  await json('resume', dir, '--measure', slow);
  // The one that was under way when the process was killed is measured twice at most.
  assert.ok(before >= 2 && measured().length - new Set(measured()).size <= 1, measured().join('\n'));
  const kept = async (of: string) =>
    (await json('trials', of)).map(({ trial, state, metrics, costs, text }: Readonly<Record<string, unknown>>) => ({
      ...{ trial, state, metrics, costs, text },
    }));
  assert.deepEqual(await kept(dir), await kept(whole));
});

test('compare and a tabular benchmark take measures of a file', async () => {
  const table = ['search', '--benchmark', 'nas-bench-201', '--trials', '8', '--objective', 'accuracy,latency'];
  const found = await json(...table, '--strategy', 'nsga2', '--measure', measure, '--out', join(folder, 'table'));
  assert.ok(found.best.every(({ costs }: { costs: { latency: number } }) => costs.latency > 0));
  const searches = ['compare', '--strategies', 'aging-evolution', ...TINY, '--trials', '1', '--seeds', '1'];
  const own = ['--measure', measure, '--limit', 'latency=1000'];
  const { competitors } = await json(...searches, ...own, '--out', join(folder, 'compared'));
  assert.equal(competitors.length, 2);
});

test('files that cannot be used are refused, and nothing is written', async () => {
  const search = ['search', ...TINY, '--trials', '1', '--out', join(folder, 'never')];
  const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...search, ...args);
  await refused(/--measure: ".*nothing\.ts"; there is no such file/, '--measure', join(folder, 'nothing.ts'));
  await refused(/--measure: "latency"; must be a \.ts or \.js file that exports measures/, '--measure', 'latency');
  const named = write('params.ts', source('params', LATENCY));
  await refused(/--measure: \{"params".*must not have the name of a metric of Netsmith/, '--measure', named);
  const empty = write('empty.ts', 'export const nothing = 1;');
  await refused(/empty\.ts" exports none; must export one made by defineMeasure, or several/, '--measure', empty);
  const twice = write('twice.ts', `${source('a', LATENCY)}\nexport const again = { ...mine };`);
  await refused(/twice\.ts" exports "a" twice; each needs its own name/, '--measure', twice);
  await refused(/--objective: "delay"; must be one of/, '--objective', 'delay');
  const config = write('config.json', JSON.stringify({ measure: named }));
  await refused(/config\.json: "measure": .*must not have the name of a metric of Netsmith/, '--config', config);
});

test('checkMeasure names the first rule that is broken', async () => {
  const good = {
    name: 'length',
    direction: 'minimize',
    of: ({ text }: { readonly text: string }) => text.length,
  } as const;
  await checkMeasure(defineMeasure(good));
  const broken = (changes: object, expected: RegExp) =>
    assert.rejects(checkMeasure(defineMeasure({ ...good, ...changes })), expected);
  await broken({ name: 'params' }, /measure "params" breaks the rule "its name is .*params is a metric of Netsmith/);
  await broken({ name: 'two words' }, /breaks the rule "its name is a word of letters and digits/);
  await broken({ direction: 'down' }, /its direction is down/);
  await broken({ of: () => Number.NaN }, /gives NaN, which is not a finite number/);
  const changes = ({ network }: { readonly network: object }) => Object.assign(network, { kind: 'other' }) && 1;
  await broken({ of: changes }, /"it gives a finite number for each network, and changes none": Cannot assign/);
  let calls = 0;
  const drifting = { of: () => 100 + ++calls };
  await broken(drifting, /"the same network has the same value, whatever was measured before it"/);
  await checkMeasure(defineMeasure({ ...good, ...drifting }), { tolerance: 0.5 });
});
