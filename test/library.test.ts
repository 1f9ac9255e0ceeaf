import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readStudy } from '../src/app/study.ts';
import {
  asha,
  choice,
  compare,
  conv,
  createStudy,
  defineSpace,
  globalAvgPool,
  linear,
  listStudies,
  openStudy,
  openStudyStore,
  pick,
  type Study,
  type StudySpec,
  sequential,
  tpe,
} from '../src/node.ts';
import { json, netsmith } from './support/netsmith.ts';

const ROOT = join(import.meta.dirname, '..');
const LIBRARY = pathToFileURL(join(ROOT, 'src', 'node.ts')).href;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-library-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let studies = 0;
const fresh = () => join(folder, `study-${studies++}`);

const SMALL = {
  space: 'mlp',
  trainSamples: 100,
  epochs: 1,
  seed: 3,
} as const satisfies StudySpec;
const SMALL_FLAGS = '--space mlp --train-samples 100 --epochs 1 --seed 3';

const toy = defineSpace('toy', () =>
  sequential(
    choice('kernel', { small: conv(pick('a', [2, 4, 6, 8]), 3), large: conv(pick('b', [2, 4, 6, 8]), 5) }),
    conv(pick('c', [2, 3, 4, 5, 6, 7, 8]), 3),
    globalAvgPool(),
    linear('outputs'),
  ),
);
const score = (text: string) => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 0);
const judged = {
  space: toy,
  strategy: 'aging-evolution',
  strategyOptions: { population: 4, sample: 2 },
  seed: 5,
} as const;

/** Trials as far as they can be equal. */
const outcomes = async (study: Study) =>
  (await study.trials()).map(({ number, state, architecture, metrics }) => ({ number, state, architecture, metrics }));

/** The examples of README's section on the library, by the name of the file they would be in. */
function readmeExamples(): Map<string, string> {
  const section = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n## Your own space, and the library')[1] ?? '';
  const blocks = [...(section.split('\n## ')[0]?.matchAll(/```ts\n([\s\S]*?)```/g) ?? [])].map(([, code = '']) => code);
  const [space, search, own] = blocks;
  assert.ok(space !== undefined && search !== undefined && own !== undefined);
  return new Map([
    ['my-space.ts', space],
    ['search.ts', search],
    ['own-objective.ts', own],
  ]);
}

const linesOf = (code = '') => code.split('\n').filter((line) => line.trim() !== '').length;

async function runFile(
  cwd: string,
  file: string,
  onOutput: (child: ChildProcess, out: string) => void = () => {},
  ...more: readonly string[]
) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--conditions=netsmith-source', file, ...more], { cwd, env });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    onOutput(child, out);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, out, err };
}

test("README's search from the library has at most 8 lines, and its custom objective at most 6; both run", async () => {
  const home = mkdtempSync(join(folder, 'readme-'));
  const examples = readmeExamples();
  assert.ok(linesOf(examples.get('search.ts')) <= 8);
  assert.ok(linesOf(examples.get('own-objective.ts')) <= 6);
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(home, 'my-score.ts'),
    'export const myScore = async (network: object) => JSON.stringify(network).length;\n',
  );
  for (const [file, code] of examples) {
    // The same code, from source and in a moment.
    const quick = code
      .replaceAll(/'netsmith(\/node)?'/g, `'${LIBRARY}'`)
      .replace('seed: 1', 'seed: 1, epochs: 1, trainSamples: 60')
      .replace('trials: 40', file === 'search.ts' ? 'trials: 2' : 'trials: 8')
      .replace('seeds: 3', 'seeds: 1');
    writeFileSync(join(home, file), quick);
  }
  const searched = await runFile(home, 'search.ts');
  assert.equal(searched.code, 0, searched.err);
  assert.match(searched.out, /^0 0\.\d+\n1 0\.\d+\n/);
  assert.ok(existsSync(join(home, 'model.onnx')));
  const [name] = readdirSync(join(home, 'runs'));
  assert.equal((await json('best', join(home, 'runs', name ?? ''))).trials, 2);

  const first = await runFile(home, 'own-objective.ts');
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /depth=\d.* \d+\n$/);
  const again = await runFile(home, 'own-objective.ts');
  assert.equal(again.out, first.out, 'a study that is done is continued, not begun again');
});

test('a strategy is a name, or a factory with typed options, which a study stores', async () => {
  const study = await createStudy({
    ...{ space: toy, seed: 5, dir: fresh(), objective: { score: 'maximize' } },
    strategy: tpe({ initial: 3, gamma: 0.2 }),
  });
  await study.optimize(async ({ text }) => ({ score: score(text) }), { trials: 5 });
  assert.equal((await study.trials()).length, 5);
  const { settings } = await readStudy(study.dir);
  assert.deepEqual([settings.strategy, settings.strategyOptions], ['tpe', { initial: 3, gamma: 0.2 }]);
  assert.deepEqual(asha({ inner: tpe({ gamma: 0.3 }), eta: 4 }), {
    strategy: 'asha',
    options: { eta: 4, inner: 'tpe', 'inner.gamma': 0.3 },
  });
  assert.throws(() => tpe({ gamma: 2 }), /strategy "tpe": option gamma is 2; must be less than 1|must be below 1/);
  // @ts-expect-error an option that the strategy does not have
  assert.throws(() => tpe({ gama: 0.2 }), /did you mean "gamma"|unknown option/);
  await assert.rejects(
    createStudy({ ...judged, strategy: tpe(), strategyOptions: { gamma: 0.2 }, objective: { score: 'maximize' } }),
    /strategyOptions.*the strategy tpe has its options already/,
  );
});

test('a function that a module exports judges candidates in worker processes, with the same results', async () => {
  const file = join(mkdtempSync(join(folder, 'judge-')), 'judge.ts');
  writeFileSync(
    file,
    `export default async ({ text, number, rng }: { text: string; number: number; rng(): { float(): number } }) => {
      if (number === 2) throw new Error('as it should');
      const score = [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 0);
      return { score: score + rng().float() };
    };`,
  );
  const { default: judge } = await import(pathToFileURL(file).href);
  const spec = { ...judged, strategy: 'random', strategyOptions: {}, objective: { score: 'maximize' } } as const;
  const [here, there] = [await createStudy({ ...spec, dir: fresh() }), await createStudy({ ...spec, dir: fresh() })];
  await here.optimize(judge, { trials: 6 });
  await there.optimize(file, { trials: 4, workers: 2 });
  await there.optimize(pathToFileURL(file), { trials: 6, workers: 2 });
  assert.deepEqual(await outcomes(there), await outcomes(here));
  const trials = await there.trials();
  assert.deepEqual(
    trials.map(({ state }) => state),
    ['complete', 'complete', 'failed', 'complete', 'complete', 'complete'],
  );
  assert.equal(trials[2]?.reason, 'as it should');
  await assert.rejects(
    there.optimize('./nowhere.ts', { trials: 7 }),
    /optimize: ".*nowhere\.ts"; there is no such file/,
  );
});

test('a study of the command line is continued, evaluated and exported by the library, and the other way round', async () => {
  const dir = fresh();
  await json('search', ...SMALL_FLAGS.split(' '), '--trials', '1', '--out', dir);
  const study = await openStudy(dir);
  const seen: number[] = [];
  let epochs = 0;
  const steps: number[] = [];
  const end = await study.optimize({
    trials: 2,
    onTrial: ({ number }) => seen.push(number),
    onEpoch: () => epochs++,
    onStep({ number }, { epoch, step, loss }) {
      assert.ok(number === 1 && epoch === 1 && loss > 0);
      steps.push(step);
    },
  });
  // 100 samples in batches of 32.
  assert.deepEqual(steps, [1, 2, 3]);
  assert.deepEqual([end.reason, end.trials, seen, epochs], ['trials', 2, [1], 1]);
  const found = await json('best', dir);
  assert.deepEqual(found.best.architecture, (await study.best())?.architecture);
  assert.equal(found.trials, 2);

  const other = await createStudy({ ...SMALL, dir: fresh() });
  await other.optimize({ trials: 1 });
  await json('resume', other.dir, '--trials', '2');
  assert.deepEqual(await outcomes(other), await outcomes(study), 'the same settings make the same trials');

  const evaluated = await study.evaluate({ seeds: 1 });
  const byCommand = await json('evaluate', other.dir, '--seeds', '1', '--no-baselines');
  assert.deepEqual(evaluated.test, byCommand.test);
  const file = join(folder, 'of-the-library.onnx');
  const exported = await study.export(file);
  assert.ok(existsSync(file) && exported.parity < 1e-3);
  assert.deepEqual(exported.test, evaluated.kept?.test);
  assert.match(readFileSync(await study.report(), 'utf8'), /Netsmith report/);
});

/** The file with what the final training of this seed answered. */
async function answersOf(dir: string, repetition: number): Promise<string> {
  const store = await openStudyStore(dir, 'read');
  const trials = await store.trials('evaluate');
  await store.close();
  return join(dir, 'artefacts', trials.find(({ final }) => final?.repetition === repetition)?.artifacts?.answers ?? '');
}

test('an evaluation that was interrupted keeps the seeds that are done', async () => {
  const whole = await createStudy({ ...SMALL, dir: fresh() });
  await whole.optimize({ trials: 1 });
  await whole.close();
  const copy = fresh();
  cpSync(whole.dir, copy, { recursive: true });
  const broken = await openStudy(copy);
  const expected = await whole.evaluate({ seeds: 2 });
  const stop = new AbortController();
  await assert.rejects(
    broken.evaluate({ seeds: 2, signal: stop.signal, onDone: () => stop.abort(new Error('enough')) }),
    /enough/,
  );
  let begun: readonly number[] = [];
  const onBegin = (...counts: readonly number[]) => {
    begun = counts;
  };
  const result = await broken.evaluate({ seeds: 2, onBegin });
  assert.deepEqual(begun, [1, 1]);
  assert.deepEqual(result.test, expected.test);

  rmSync(await answersOf(broken.dir, 1));
  const again = await broken.evaluate({ seeds: 2, onBegin });
  assert.deepEqual(begun, [1, 1], 'a training whose artifacts are gone is no result: it is made again');
  assert.deepEqual(again.test, expected.test);
});

test('resume continues a run in what follows the search: the trainings that are done are kept, the result is the same', async () => {
  const dir = fresh();
  const flags = `${SMALL_FLAGS} --trials 1 --confirm 0 --workers 1 --seeds 2 --no-baselines --no-samples`;
  const whole = await json('run', ...flags.split(' '), '--out', dir);
  // As after a kill in the second training.
  const best = join(dir, 'best');
  for (const file of [
    await answersOf(dir, 1),
    join(best, 'evaluation.json'),
    join(best, 'model.onnx'),
    join(dir, 'report.html'),
  ])
    rmSync(file);
  const { code, out, err } = await netsmith('resume', dir, '--json');
  assert.equal(code, 0, err);
  assert.match(err, /1 final training of an earlier evaluation kept/);
  assert.doesNotMatch(err, /seed 0: test/);
  const { export: exported, ...result } = JSON.parse(out);
  assert.deepEqual(result.evaluation, whole.evaluation);
  assert.ok(existsSync(exported.file) && existsSync(result.report));
});

test('ask and tell make the trials that a function makes; what was asked for and not told comes again', async () => {
  const byFunction = await createStudy({ ...judged, objective: { score: 'minimize' }, dir: fresh() });
  const end = await byFunction.optimize(({ text }) => ({ score: score(text) }), { trials: 12 });
  const expected = await outcomes(byFunction);
  assert.equal(end.best?.metrics.score, Math.min(...expected.map(({ metrics }) => metrics.score ?? Number.NaN)));

  const asked = await createStudy({ ...judged, objective: { score: 'minimize' }, dir: fresh() });
  for (let i = 0; i < 12; i++) {
    let trial = await asked.ask();
    if (i === 5) {
      await asked.close();
      trial = await asked.ask();
    }
    assert.ok(trial !== undefined);
    await asked.tell(trial, { score: score(trial.text) });
  }
  await asked.close();
  assert.deepEqual(await outcomes(asked), expected);
  await assert.rejects(asked.tell(3, { score: 1 }), /trial 3; must be a trial from `ask` that has no result yet/);
  const trial = await asked.ask();
  assert.ok(trial !== undefined);
  await assert.rejects(asked.tell(trial, { other: 1 }), /no finite score/);
  assert.equal((await asked.tell(trial, { failed: 'no luck' })).reason, 'no luck');
  await asked.close();
});

test('a search by a function survives kill -9, and resumes to the trials of an undisturbed one', async () => {
  const home = mkdtempSync(join(folder, 'killed-'));
  const settings = JSON.stringify({
    ...SMALL,
    objective: { score: 'maximize' },
    ifExists: 'continue',
    strategy: 'evolution',
  });
  const script = [
    `import { createStudy } from '${LIBRARY}';`,
    `const study = await createStudy({ ...${settings}, dir: 'study' });`,
    // It stands still in the last trial until it is killed: it cannot end before, however late that comes.
    "const hold = (number) => number === 8 && process.argv[2] === 'hold' && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
    "const judge = ({ number, text }) => { console.log('at ' + number + ';'); hold(number); return { score: text.length + number / 100 }; };",
    'await study.optimize(judge, { trials: 9 });',
  ].join('\n');
  writeFileSync(join(home, 'search.mts'), script);
  for (const number of [2, 5]) {
    const kill = (child: ChildProcess, out: string) => void (out.includes(`at ${number};`) && child.kill('SIGKILL'));
    const { signal } = await runFile(home, 'search.mts', kill, 'hold');
    assert.equal(signal, 'SIGKILL');
  }
  const last = await runFile(home, 'search.mts');
  assert.equal(last.code, 0, last.err);
  assert.ok(!last.out.includes('at 1;'), 'what is done is not done again');
  const undisturbed = await createStudy({
    ...SMALL,
    strategy: 'evolution',
    objective: { score: 'maximize' },
    dir: fresh(),
  });
  await undisturbed.optimize(({ number, text }) => ({ score: text.length + number / 100 }), { trials: 9 });
  assert.deepEqual(await outcomes(await openStudy(join(home, 'study'))), await outcomes(undisturbed));
});

test('what a function throws is the reason of a failed trial; an abort leaves its trial waiting', async () => {
  const study = await createStudy({ ...judged, objective: { score: 'maximize' }, dir: fresh() });
  await study.optimize(
    ({ number, text }) => {
      if (number === 1) throw new Error('out of luck');
      return number === 2 ? {} : { score: score(text) };
    },
    { trials: 4 },
  );
  assert.deepEqual(
    (await study.trials()).map(({ reason }) => reason),
    [undefined, 'out of luck', 'the estimate gave no finite score', undefined],
  );
  const stop = new AbortController();
  const end = await study.optimize(
    ({ number, text, signal }) => {
      if (number < 5) return { score: score(text) };
      stop.abort();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
    { trials: 8, signal: stop.signal },
  );
  assert.equal(end.reason, 'interrupted');
  assert.deepEqual((await study.trials()).map(({ state }) => state).slice(4), ['complete', 'waiting']);
  assert.equal((await study.optimize(({ text }) => ({ score: score(text) }), { trials: 8 })).trials, 8);
});

test('commands read a study that a function judged, and say who can continue it', async () => {
  const study = await createStudy({ ...judged, objective: { score: 'maximize', params: 'minimize' }, dir: fresh() });
  await study.optimize(({ text }) => ({ score: score(text) }), { trials: 5 });
  const front = await study.front();
  assert.deepEqual(
    (await json('best', study.dir)).best.map(({ trial }: { trial: number }) => trial),
    front.map(({ number }) => number),
  );
  const refused = await netsmith('resume', study.dir);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /judged by a function; continue it in the program/);
  const report = readFileSync(await study.report(), 'utf8');
  assert.doesNotMatch(report, /netsmith search/);
  assert.equal((await netsmith('search', '--estimator', 'function', '--out', fresh())).code, 2);
});

test('what does not fit is refused before anything is written', async () => {
  const dir = fresh();
  const refused = (spec: StudySpec, expected: RegExp) => assert.rejects(createStudy({ ...spec, dir }), expected);
  await refused({ space: 'small-cn' }, /small-cn.*small-cnn/);
  await refused({ space: defineSpace('small-cnn', () => sequential(globalAvgPool(), linear('outputs'))) }, /another/);
  await refused({ epochs: 0 }, /createStudy: epochs: 0; must be/);
  await refused({ objective: { params: 'minimize' } }, /must name what the function is to return/);
  await refused({ objective: { accuracy: 'minimize' } }, /accuracy is something to maximi[sz]e/);
  assert.ok(!existsSync(dir));

  const trained = await createStudy({ ...SMALL, dir });
  await assert.rejects(
    trained.optimize(() => ({ score: 1 })),
    /not judged by a function/,
  );
  await assert.rejects(createStudy({ ...SMALL, dir }), /already contains a study/);
  await assert.rejects(createStudy({ ...SMALL, seed: 4, dir, ifExists: 'continue' }), /seed is 3, not 4/);
  const own = await createStudy({ ...judged, objective: { score: 'maximize' }, dir: fresh() });
  await assert.rejects(own.optimize({ trials: 1 }), /judged by a function; give it/);
  const changed = defineSpace('toy', () => sequential(conv(4, 3), globalAvgPool(), linear('outputs')));
  await assert.rejects(
    createStudy({ ...judged, space: changed, objective: { score: 'maximize' }, dir: own.dir, ifExists: 'continue' }),
    /space "toy" was another/,
  );
});

test('compare searches a table, as the command does', async () => {
  const found = await compare({ benchmark: 'nas-bench-201', strategies: [tpe({ initial: 4 })], seeds: 2, trials: 20 });
  const args = ['--benchmark', 'nas-bench-201', '--strategies', 'tpe:initial=4', '--seeds', '2', '--trials', '20'];
  const { files, ...told } = await json('compare', ...args, '--out', fresh());
  assert.deepEqual(JSON.parse(JSON.stringify(found)), told);
  assert.ok(existsSync(files.report));
  assert.deepEqual(found.competitors.map(({ name }) => name).toSorted(), ['random', 'tpe:initial=4']);
  const wrong = { benchmark: 'nas-bench-201', strategies: ['tpe'], epochs: 3 };
  await assert.rejects(compare(wrong), /compare: epochs: given with benchmark; has no effect/);
  await assert.rejects(compare({}), /nothing to compare/);
  await assert.rejects(compare({ benchmark: 'nas-bench-201', strategies: ['tep'] }), /did you mean "tpe"/);
});

test('compare runs searches of a space of your own, and continues where a signal stopped it', async () => {
  const out = fresh();
  const stop = new AbortController();
  const spec = { ...SMALL, spaceOptions: {}, space: toy, strategies: ['evolution'], trials: 2, seeds: 2, out } as const;
  const onNote = (text: string) => text.includes('[3 of 4]') && stop.abort(new Error('enough'));
  await assert.rejects(compare({ ...spec, onNote, signal: stop.signal }), /enough/);
  assert.deepEqual(readdirSync(out).toSorted(), ['evolution-seed-3', 'random-seed-3', 'random-seed-4']);
  const { competitors, files, reference } = await compare(spec);
  assert.equal(reference, 'random');
  assert.deepEqual(
    competitors.map(({ seeds }) => seeds),
    [
      [3, 4],
      [3, 4],
    ],
  );
  assert.ok(files !== undefined && existsSync(files.report) && existsSync(files.runs));
  const again = await compare({ studies: [out] });
  assert.equal(again.conclusion.length > 0 && again.files, undefined);
  await assert.rejects(compare({ studies: [out], epochs: 2 }), /compare: epochs: given with studies/);
});

test('listStudies finds what createStudy made; a space may be the path of a file', async () => {
  const file = join(folder, 'own-space.ts');
  writeFileSync(
    file,
    `export { mlp as default } from '${pathToFileURL(join(ROOT, 'src', 'space', 'spaces', 'index.ts')).href}';`,
  );
  const dir = fresh();
  const study = await createStudy({ ...SMALL, spaceOptions: {}, space: file, trials: 1, dir });
  assert.equal(study.space.name, 'mlp');
  await study.optimize();
  const [found] = await listStudies(dir);
  assert.deepEqual([found?.study, found?.state, found?.trials], [dir, 'finished', 1]);
});

test('progress shows a line for each trial on standard error', async (t) => {
  const study = await createStudy({ ...judged, objective: { score: 'maximize' }, trials: 2, dir: fresh() });
  const { mock } = t.mock.method(process.stderr, 'write', () => true);
  await study.optimize(async ({ text }) => ({ score: score(text) }), { progress: true });
  mock.restore();
  const told = mock.calls.map(({ arguments: [text] }) => String(text)).join('');
  assert.match(told, /^\[1 of 2\] trial 0: .*\n\[2 of 2\] trial 1: .*\n$/);
});
