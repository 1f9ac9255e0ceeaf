import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brier, calibration } from '../examples/own-loss.ts';
import { createStudy, openStudy, type Study, type StudySpec } from '../src/node.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

// A loss and metrics of one's own for a known task: functions of a program, and files for worker processes.

const ROOT = join(import.meta.dirname, '..');
const FILE = join(ROOT, 'examples', 'own-loss.ts');
const FUNCTIONS = { loss: brier.of, metrics: { calibration } } as const;
const FILES = { loss: FILE, metric: FILE } as const;
const SMALL = {
  ...{ space: 'mlp', trainSamples: 60, epochs: 2, batchSize: 30, seed: 5, layout: 'portable' },
  ...{ objective: ['accuracy', 'calibration'], strategy: 'nsga2' },
} as const satisfies StudySpec;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-losses-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let studies = 0;
const fresh = () => join(folder, `study-${studies++}`);
const results = async (study: Study) =>
  (await study.trials()).map(({ number, state, metrics, text }) => ({ number, state, metrics, text }));

test('functions of a program: trained in its process, stored by name, resumed, evaluated, exported and reported', async () => {
  const study = await createStudy({ ...SMALL, ...FUNCTIONS, dir: fresh() });
  const { dir } = study;
  await study.optimize({ trials: 2 });
  const plain = await createStudy({ ...SMALL, objective: ['accuracy', 'params'], dir: fresh() });
  await plain.optimize({ trials: 1 });
  const [first, usual] = [(await study.trials())[0], (await plain.trials())[0]];
  assert.ok((first?.metrics.loss ?? 9) < 1 && (usual?.metrics.loss ?? 0) > 1, 'a Brier score, not a cross-entropy');
  assert.ok((first?.metrics.calibration ?? 9) >= 0);

  const lost = /its (metric calibration|loss) is code of the program that created it; continue it in that program/;
  await refusedIn(folder, lost, 'resume', dir, '--trials', '3');
  await assert.rejects((await openStudy(dir)).optimize({ trials: 3 }), lost);
  await assert.rejects((await openStudy(dir)).evaluate({ seeds: 1 }), lost);
  await refusedIn(folder, lost, 'export', dir);
  const other = { calibration: { ...calibration, direction: 'maximize' } } as const;
  const changed = await openStudy(dir, { ...FUNCTIONS, metrics: other });
  await assert.rejects(changed.optimize({ trials: 3 }), /metric calibration was another, or none/);

  const again = await openStudy(dir, FUNCTIONS);
  assert.equal((await again.optimize({ trials: 3, until: ['calibration=0', 'accuracy=1'] })).trials, 3);
  const { test: tested } = await again.evaluate({ seeds: 1 });
  assert.ok((tested.calibration?.mean ?? -1) >= 0 && (tested.loss?.mean ?? 9) < 1);
  const { file, parity, card = '' } = await again.export();
  assert.ok(parity < 1e-5 && existsSync(file));
  assert.match(readFileSync(card, 'utf8'), /\| calibration \| [\d.]+ \| [\d.]+ \|/);
  const html = readFileSync(await again.report(), 'utf8');
  assert.match(html, /calibration/i);
  assert.doesNotMatch(html, /netsmith search --/, 'no command has the functions');
  assert.match((await netsmith('trials', dir)).out, /accuracy +calibration/);
  assert.match((await netsmith('best', dir)).out, /calibration/);
  // Any other process can run the exported model: it needs neither the loss nor the metrics.
  const samples = join(folder, 'samples.json');
  writeFileSync(samples, JSON.stringify({ input: Array(64).fill(3) }));
  assert.ok('class' in (await json('predict', file, samples))[0]);
});

test('a module in worker processes gives the same trials as the functions, and goes on from their study', async () => {
  const here = await createStudy({ ...SMALL, ...FUNCTIONS, dir: fresh() });
  const there = await createStudy({ ...SMALL, ...FILES, dir: fresh() });
  for (const study of [here, there]) await study.optimize({ trials: 3 });
  assert.deepEqual(await results(there), await results(here));
  const named = ['--loss', FILE, '--metric', FILE];
  assert.equal((await json('resume', here.dir, '--trials', '4', ...named)).trials, 4);
  assert.equal((await json('resume', there.dir, '--trials', '4', ...named)).trials, 4);
  assert.deepEqual(await results(there), await results(here));
  const opened = await openStudy(there.dir, FUNCTIONS);
  assert.equal((await opened.optimize({ trials: 5 })).trials, 5);
  const html = readFileSync(await opened.report(), 'utf8');
  assert.match(html, /netsmith evaluate \S+ --loss \S*own-loss\.ts --metric \S*own-loss\.ts<.code>/);
  assert.ok((await opened.evaluate({ seeds: 1 })).test.calibration);
});

test('killed and started again, a program with functions has the trials of an undisturbed one', async () => {
  const [whole, dir] = [await createStudy({ ...SMALL, ...FUNCTIONS, dir: fresh() }), fresh()];
  await whole.optimize({ trials: 3 });
  const program = join(folder, 'program.ts');
  writeFileSync(
    program,
    `import { brier, calibration } from ${JSON.stringify(FILE)};
import { createStudy } from ${JSON.stringify(join(ROOT, 'src', 'node.ts'))};
const spec = { ...${JSON.stringify(SMALL)}, loss: brier.of, metrics: { calibration }, dir: ${JSON.stringify(dir)} };
const study = await createStudy({ ...spec, ifExists: 'continue' });
// It stands still in the last trial until it is killed: it cannot end before, however late that comes.
const hold = (number: number) => number === 2 && process.argv[2] === 'hold' && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
await study.optimize({ trials: 3, onEpoch: ({ number }) => { console.log(\`at \${number};\`); hold(number); } });
console.log('done');`,
  );
  const run = async (kill: string | undefined) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = ['--conditions=netsmith-source', program, ...(kill === undefined ? [] : ['hold'])];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (kill !== undefined && out.includes(kill)) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'close');
    return { out, signal };
  };
  assert.equal((await run('at 1;')).signal, 'SIGKILL');
  // It ends by itself: nothing of the engine keeps the process alive.
  assert.match((await run(undefined)).out, /done/);
  assert.deepEqual(await results(await openStudy(dir)), await results(whole));
});

test('a signal ends trainings in this process, and the study goes on', async () => {
  const study = await createStudy({ ...SMALL, ...FUNCTIONS, dir: fresh() });
  const stop = new AbortController();
  const end = await study.optimize({ trials: 3, signal: stop.signal, onEpoch: () => stop.abort() });
  assert.equal(end.reason, 'interrupted');
  assert.equal((await study.optimize({ trials: 2 })).trials, 2);
  const evaluation = new AbortController();
  const evaluating = study.evaluate({ seeds: 2, signal: evaluation.signal, onProgress: () => evaluation.abort() });
  await assert.rejects(evaluating, { name: 'AbortError' });
  assert.equal((await study.evaluate({ seeds: 2 })).test.accuracy?.values.length, 2);
});

test('train and compare take them from files', async () => {
  const named = ['--loss', FILE, '--metric', FILE];
  const tiny = ['--space', 'mlp', '--epochs', '1', '--train-samples', '60'];
  const arch = 'depth=1, layer/0/width=16, normalisation=none, activation=relu, dropout=0';
  const { epochs } = await json('train', ...tiny, ...named, '--arch', arch);
  assert.ok(epochs[0].valid.calibration >= 0 && epochs[0].valid.loss < 1);
  const searches = ['compare', '--strategies', 'aging-evolution', ...tiny, '--trials', '1', '--seeds', '1'];
  const compared = ['--objective', 'calibration', '--evaluate', '1', '--out', join(folder, 'compared')];
  const { objective } = await json(...searches, ...named, ...compared);
  assert.equal(objective.metric, 'calibration');
});

test('losses and metrics that cannot be used are refused with their line, and nothing is written', async () => {
  const text = readFileSync(FILE, 'utf8').replaceAll("'netsmith'", JSON.stringify(join(ROOT, 'src', 'node.ts')));
  const write = (name: string, from: string | RegExp, to: string) => {
    const file = join(folder, name);
    const changed = text.replace(from, to);
    assert.notEqual(changed, text);
    writeFileSync(file, changed);
    return file;
  };
  const search = ['search', '--space', 'mlp', '--train-samples', '60', '--trials', '1', '--out', join(folder, 'never')];
  const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...search, ...args);
  const failing = write('failing.ts', 'const difference = ', 'const difference = ops.nothing(); // ');
  await refused(/--loss: "failing\.ts", line \d+: ops\.nothing is not a function/, '--loss', failing);
  const shapes = write('shapes.ts', /return ops\.reduceMean.*/, 'return difference;');
  await refused(
    /returns the shape \[2, 10\], and must return one number, \[\]: the mean over the batch/,
    '--loss',
    shapes,
  );
  const nothing = write('nothing.ts', /return ops\.reduceMean.*/, 'return undefined as never;');
  await refused(/"nothing\.ts": it must return a node of the graph/, '--loss', nothing);
  const throwing = write(
    'throwing.ts',
    'value: () => ',
    "value: () => { throw new Error('no value'); }, other: () => ",
  );
  await refused(/--metric: "throwing\.ts", line \d+: no value/, '--metric', throwing);
  const known = write('known.ts', "name: 'calibration'", "name: 'accuracy'");
  await refused(/--metric: \{"accuracy".*must not have the name of a metric of Netsmith/, '--metric', known);
  await refused(/--loss: "mse"; must be a \.ts or \.js file that exports a loss/, '--loss', 'mse');
  await refused(/--loss: "function"; must be a \.ts or \.js file/, '--loss', 'function');
  await refused(/exports none; must export one made by defineLoss/, '--loss', join(ROOT, 'examples', 'own-measure.ts'));
  await refused(/has no effect on a tabular benchmark/, '--benchmark', 'nas-bench-201', '--loss', FILE);
  await assert.rejects(createStudy({ ...SMALL, ...FUNCTIONS, workers: 2, dir: join(folder, 'never') }), {
    name: 'UserError',
    message: /workers: 2, with a loss or metrics that are functions of this program; a file is needed/,
  });
  const shares = write('shares.ts', 'Math.abs(confidence - correct) / samples', 'Number.NaN');
  const failed = await netsmith(...search.slice(0, -1), join(folder, 'failed'), '--metric', shares);
  assert.equal(failed.code, 1);
  assert.match((await json('trials', join(folder, 'failed')))[0].reason, /the validation calibration is NaN/);
});
