/**
 * Data sets of a user's own, with tasks of their own, as files: a stored study is searched by worker processes, killed, resumed,
 * evaluated, exported and predicted by the command line as those of Netsmith are.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { createStudy, openStudy } from '../src/app/open.ts';
import { rng } from '../src/common/random.ts';
import { checkDataset } from '../src/data/conformance.node.ts';
import type { Dataset, Samples } from '../src/data/dataset.ts';
import type { DatasetDefinition, OwnDataRequest } from '../src/data/own.ts';
import { openStudyStore } from '../src/study/study.node.ts';
import { trainedEssence } from '../src/study/testing/studies.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';
import { startHeld } from './support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-own-data-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string) => join(import.meta.dirname, 'support', 'data', `${name}.ts`);
const ownOf = (name: string) => ['--data', fixture(name), '--space', fixture(name)];
const SOURCE = new URL('../src/', import.meta.url).href;

const TRIALS = 6;
/** A session stands still after two trials: two of them cannot come to the study's end, however late a kill comes. */
const HOLD = { text: `of ${TRIALS}]`, times: 2 };

interface Case {
  readonly name: string;
  /** Where it is killed: while the data are read and the study is created, or within the second trial. */
  readonly kills: readonly ('at first' | 'later')[];
  readonly search: readonly string[];
  /** The files to predict, and what is said of the first sample. */
  files(dir: string): Promise<readonly string[]>;
  isAnswer(answer: unknown): boolean;
  readonly baselines: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'next-token',
    kills: ['at first', 'later'],
    search: ['--strategy', 'aging-evolution', '--strategy-options', 'population=3,sample=2'],
    async files(dir) {
      const file = join(dir, 'sentences.json');
      writeFileSync(file, JSON.stringify([{ tokens: [0, 1, 2, 3] }, { tokens: [4, 1, 3, 0] }]));
      return [file];
    },
    isAnswer: (answer) => Array.isArray(answer) && answer.length === 4 && answer.every((one) => 'abcde'.includes(one)),
    baselines: [],
  },
  {
    name: 'pixel-classes',
    kills: ['later'],
    search: ['--workers', '2', '--confirm', '1'],
    async files(dir) {
      const file = join(dir, 'square.png');
      await sharp(Buffer.alloc(36, 90), { raw: { width: 6, height: 6, channels: 1 } })
        .png()
        .toFile(file);
      return [file];
    },
    isAnswer: (answer) =>
      Array.isArray(answer) && answer.length === 36 && answer.every((one) => one === 0 || one === 1),
    baselines: [],
  },
  {
    name: 'class-and-number',
    kills: ['later'],
    search: ['--strategy', 'tpe', '--objective', 'r2,params'],
    async files(dir) {
      const file = join(dir, 'point.json');
      writeFileSync(file, JSON.stringify({ input: [3, -1] }));
      return [file];
    },
    isAnswer: (answer) => ['left', 'right'].includes(String(Reflect.get(Object(answer), 'class'))),
    baselines: ['straight'],
  },
];

/** Waits until a line that holds the text has been written so many times; false where the process ends before. */
function wrote(child: ChildProcess, text: string, times: number): Promise<boolean> {
  return new Promise((resolve) => {
    let all = '';
    child.stderr?.on('data', (chunk: string) => {
      all += chunk;
      if (all.split(text).length > times) resolve(true);
    });
    child.on('close', () => resolve(false));
  });
}

async function trialsIn(dir: string) {
  const store = await openStudyStore(dir, 'read');
  try {
    return await trainedEssence(store);
  } finally {
    await store.close();
  }
}

suite('a data set and a task of a file, through a stored study', { concurrency: 2 }, () => {
  for (const { name, kills, search, files, isAnswer, baselines } of CASES)
    test(`${name}: killed and resumed, it has the trials of the undisturbed study; then evaluate, export, predict`, {
      timeout: 600_000,
    }, async () => {
      const settings = ['--trials', `${TRIALS}`, '--epochs', '1', '--batch-size', '8', '--seed', '3'];
      const began = ['search', ...ownOf(name), ...search, ...settings];
      const [whole, dir] = [join(folder, `${name}-whole`), join(folder, name)];
      await json(...began, '--out', whole);

      const moments = rng('own data', name);
      for (const kill of kills) {
        const child = existsSync(join(dir, 'study.db'))
          ? startHeld(HOLD, 'resume', dir, '--data', fixture(name))
          : startHeld(HOLD, ...began, '--out', dir);
        const exit = once(child, 'exit');
        const line = kill === 'at first' ? 'Estimate' : `of ${TRIALS}]`;
        assert.ok(await wrote(child, line, 1), `the study has ended before it is killed ${kill}`);
        await sleep(moments.int(kill === 'at first' ? 400 : 30));
        child.kill('SIGKILL');
        assert.deepEqual(await exit, [null, 'SIGKILL']);
      }
      if (existsSync(join(dir, 'study.db'))) await json('resume', dir, '--data', fixture(name));
      else await json(...began, '--out', dir);
      assert.deepEqual(await trialsIn(dir), await trialsIn(whole));

      const own = ['--data', fixture(name)];
      const evaluated = await json('evaluate', dir, ...own, '--seeds', '1');
      assert.deepEqual(Object.keys(evaluated.baselines), baselines);
      assert.ok(evaluated.test.accuracy.mean >= 0);
      const { file, parity } = await json('export', dir, ...own);
      assert.ok(parity < 1e-5);
      const [first] = await json('predict', file, ...(await files(dir)), ...own);
      assert.ok(isAnswer(first.answer), JSON.stringify(first));
      const html = readFileSync((await json('report', dir)).file, 'utf8');
      assert.ok(html.includes(name) && !html.includes(import.meta.dirname), 'names the task, and no folder');
      const card = readFileSync(join(dir, 'best', 'MODEL_CARD.md'), 'utf8');
      assert.match(card, new RegExp(`network for the task ${name}`));
    });
});

test('a stored study runs no file: it is read without, and what trains wants it named again', async () => {
  const [file, moved, trace] = ['mine.ts', 'moved.ts', 'trace'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(
    file,
    `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(trace)}, 'ran\\n');
export * from ${JSON.stringify(new URL(`file://${fixture('class-and-number')}`).href)};`,
  );
  const dir = join(folder, 'stored');
  const tiny = ['--trials', '1', '--epochs', '1', '--batch-size', '8'];
  await json('search', '--data', file, '--space', fixture('class-and-number'), ...tiny, '--out', dir);
  assert.ok(existsSync(trace));
  rmSync(trace);
  for (const command of ['status', 'trials', 'best', 'show', 'report']) await json(command, dir);
  const again = /its data set is the file ".*mine\.ts"; a stored study runs no code, so name the file again: --data/;
  for (const command of [
    ['resume', dir, '--trials', '2'],
    ['evaluate', dir],
    ['export', dir],
  ])
    await refusedIn(folder, again, ...command);
  await assert.rejects((await openStudy(dir)).optimize({ trials: 2 }), again);
  await assert.rejects((await openStudy(dir)).export(), again);
  assert.ok(!existsSync(trace));

  copyFileSync(file, moved);
  assert.equal((await json('resume', dir, '--trials', '2', '--data', moved)).trials, 2);
  const other = fixture('next-token');
  await refusedIn(folder, /the data have changed since the study was created/, 'evaluate', dir, '--data', other);
  await refusedIn(folder, /the study's data set is digits/, 'resume', await digits(), '--data', file);
});

async function digits(): Promise<string> {
  const dir = join(folder, 'digits');
  await json('search', '--space', 'mlp', '--train-samples', '60', '--trials', '1', '--epochs', '1', '--out', dir);
  return dir;
}

test('the library takes the file as the commands do, and train and compare take it, too', async () => {
  const name = fixture('class-and-number');
  const settings = { data: name, space: name, epochs: 1, batchSize: 8, trials: 2 };
  const study = await createStudy({ ...settings, dir: join(folder, 'library') });
  assert.equal((await study.optimize()).trials, 2);
  const opened = await openStudy(study.dir, { data: name });
  const { baselines } = await opened.evaluate({ seeds: 1, baselines: true });
  assert.deepEqual(Object.keys(baselines), ['straight']);
  assert.ok((await opened.export()).parity < 1e-5);
  const trained = await json('train', ...ownOf('next-token'), '--arch', 'size=4, units=4', '--epochs', '1', '--test');
  assert.ok(trained.test.accuracy >= 0);
  const { code, err } = await netsmith(
    ...['compare', ...ownOf('pixel-classes'), '--strategies', 'tpe', '--seeds', '1', '--evaluate', '1'],
    ...['--trials', '1', '--epochs', '1', '--out', join(folder, 'compared')],
  );
  assert.equal(code, 0, err);
});

test('a baseline that fails is kept as a failed trial, and is trained again only with --retry-failed', async () => {
  const file = join(folder, 'failing-baseline.ts');
  const tree = (name: string) => `'${SOURCE}space/tree/${name}.ts'`;
  writeFileSync(
    file,
    `import { data as given, space } from ${JSON.stringify(fixture('class-and-number'))};
import { linear, pick, sequential } from ${tree('builders')};
import { defineSpace } from ${tree('define')};
export { space };
const wrong = defineSpace('wrong', () => sequential(linear(pick('units', [7, 9]))));
const broken = (task) => ({ space: wrong.create(task), architecture: { units: 7 } });
const more = (task) => ({ ...task, baselines: (at) => ({ ...task.baselines(at), broken: broken(at) }) });
const open = async (request) => {
  const { search, ...rest } = await given.open(request);
  return { ...rest, search: { ...search, task: more(search.task) } };
};
export const data = { ...given, open };`,
  );
  const dir = join(folder, 'failing-baseline');
  const tiny = ['--trials', '1', '--epochs', '1', '--batch-size', '8'];
  await json('search', '--data', file, '--space', fixture('class-and-number'), ...tiny, '--out', dir);
  const evaluate = async (...flags: readonly string[]) => {
    const { code, out, err } = await netsmith('evaluate', dir, '--data', file, '--seeds', '1', ...flags, '--json');
    assert.equal(code, 0, err);
    assert.deepEqual(Object.keys(JSON.parse(out).baselines), ['straight']);
    const store = await openStudyStore(dir, 'read');
    const trials = await store.trials('evaluate');
    await store.close();
    return { err, states: trials.map(({ final, state }) => `${final?.baseline ?? 'found'} ${state}`).toSorted() };
  };
  const states = ['broken failed', 'found complete', 'straight complete'];
  const first = await evaluate();
  assert.deepEqual(first.states, states);
  assert.match(first.err, /baseline broken, seed 0: failed: the network cannot be built/);
  const second = await evaluate();
  assert.deepEqual(second.states, states);
  assert.match(second.err, /baseline broken, seed 0: failed before: .*--retry-failed/);
  assert.deepEqual((await evaluate('--retry-failed')).states, ['broken failed', ...states]);
});

suite('what a file may give', () => {
  let bad = 0;
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, `import { defineDataset } from '${SOURCE}data/own.ts';\n${text}`);
    return path;
  };
  const spots = (more = '') => `export default defineDataset({
  name: 'spots',
  ${more}
  open: ({ dir }) => ({
    input: [3],
    labels: ['no', 'yes'],
    train: {
      count: 40,
      async read(indices, { input, target }) {
        for (const [at, index] of indices.entries()) {
          input?.set([index % 2, index % 7, index % 5], 3 * at);
          if (target) target[at] = dir?.endsWith('wrong') ? 5 : index % 2;
        }
      },
    },
  }),
});`;

  test('classes: Netsmith divides, standardizes and has its baselines', async () => {
    const path = write('spots.ts', spots());
    await checkDataset((await import(path)).default);
    const dir = join(folder, 'spots');
    const { best } = await json(
      ...['search', '--data', path, '--space', 'mlp', '--trials', '1', '--epochs', '2', '--out', dir],
    );
    assert.ok(best.metrics.f1 >= 0);
    const { baselines } = await json('evaluate', dir, '--data', path, '--seeds', '1');
    assert.deepEqual(Object.keys(baselines), ['mlp']);
    const samples = join(folder, 'spots.json');
    writeFileSync(samples, '[{"input": [1, 3, 2]}, {"input": [1, 3]}, {"inputs": 1}, 3]');
    const { file } = await json('export', dir, '--data', path);
    const { code, out } = await netsmith('predict', file, samples, '--json');
    assert.equal(code, 1);
    const [first, ...wrong] = JSON.parse(out);
    assert.ok(['no', 'yes'].includes(first.class) && first.row === 1);
    assert.deepEqual(
      wrong.map(({ error }: { error: string }) => error),
      [
        '"input": 2 values; must have 3: [3]',
        'a sample: "inputs" is unknown; must be an object with the values of input',
        'a sample: 3; must be an object with the values of input',
      ],
    );
  });

  test('a known task with another loss and a metric of its own, which can be searched for', async () => {
    const path = write(
      'weighted.ts',
      `import { taskOf } from '${SOURCE}task/index.ts';
import { withMetric } from '${SOURCE}task/own.ts';
const task = withMetric(taskOf({ kind: 'classification' }), { metric: 'positives', direction: 'maximize', unit: 'share' }, () => {
  let [positive, all] = [0, 0];
  return {
    add({ probabilities = [] }, _targets, count) {
      for (let n = 0; n < count; n++) if (probabilities[2 * n + 1] > probabilities[2 * n]) positive++;
      all += count;
    },
    value: () => positive / all,
  };
});
${spots('task,')}`,
    );
    const dir = join(folder, 'weighted');
    const { best } = await json(
      ...['search', '--data', path, '--space', 'mlp', '--trials', '1', '--epochs', '1', '--out', dir],
      ...['--objective', 'positives'],
    );
    assert.ok(best.metrics.positives >= 0 && best.metrics.accuracy >= 0);
  });

  test('what no data set may be is refused with its name, and nothing is written', async () => {
    const never = ['--space', 'mlp', '--trials', '1', '--out', join(folder, 'never')];
    const refused = (expected: RegExp, file: string, ...more: string[]) =>
      refusedIn(folder, expected, 'search', '--data', file, ...never, ...more);
    await refused(/--data: ".*nothing\.ts"; there is no such file/, join(folder, 'nothing.ts'));
    const spotty = write('spotty.ts', spots());
    await refused(
      /training samples: "target" has the value 5; must be a whole number from 0 to 1/,
      spotty,
      '--data-dir',
      'wrong',
    );
    await refused(/label is given; it only applies to csv/, spotty, '--label', 'x');
    for (const [text, expected] of [
      ['export const other = 1;', /exports none; must export one made by defineDataset/],
      [
        spots("kind: 'spot',"),
        /data set "spots": kind is "spot"; must be one of classification, regression, .*, or come with/,
      ],
      [spots().replace('input: [3]', 'input: []'), /input is \[\]; must be the shape of a sample/],
      [spots().replace("'no', 'yes'", "'yes', 'yes'"), /labels repeat a name/],
      [spots().replace('count: 40', 'count: -1'), /train is not a set of samples/],
      [spots().replace('index % 7', 'NaN'), /"input" has the value NaN; must be a finite number/],
      [spots().replace('async read', 'async red'), /train is not a set of samples/],
      [spots().replace('input?.set(', 'input.sit('), /"bad-7\.ts", line \d+: .*sit/],
    ] as const)
      await refused(expected, write(`bad-${bad++}.ts`, text));
  });
});

test('checkDataset names the first rule that is broken', async () => {
  for (const name of ['next-token', 'pixel-classes', 'class-and-number']) {
    const { data } = await import(fixture(name));
    await checkDataset(data);
    const broken = (change: (samples: Samples) => Partial<Samples>): DatasetDefinition => ({
      ...data,
      async open(request: OwnDataRequest) {
        const dataset: Dataset = await data.open(request);
        const { train } = dataset.search;
        return { ...dataset, search: { ...dataset.search, train: { ...train, ...change(train) } } };
      },
    });
    const breaks = (rule: RegExp, ...args: Parameters<typeof broken>) =>
      assert.rejects(checkDataset(broken(...args)), rule, basename(name));
    await breaks(/breaks the rule "each part has the samples that its count says/, () => ({ count: 3 }));
    let calls = 0;
    await breaks(/breaks the rule "a sample is found by its number/, ({ count, read }) => ({
      read: (indices, into) =>
        read(
          indices.map((i) => (i + calls) % count),
          into,
        ).then(() => void calls++),
    }));
    await breaks(/breaks the rule "only the tensors that are asked for are needed/, ({ read }) => ({
      read: (indices, into) => (Object.keys(into).length === 1 ? Promise.resolve() : read(indices, into)),
    }));
    let opened = 0;
    await breaks(/breaks the rule "opened again with the same seed, it is the same/, ({ count, read }) => {
      const shift = opened++;
      return {
        read: (indices, into) =>
          read(
            indices.map((i) => (i + shift) % count),
            into,
          ),
      };
    });
  }
});

test('what a task of its own cannot have is refused before anything is written; inherited weights can', async () => {
  const never = ['--trials', '1', '--out', join(folder, 'never')];
  for (const [name, expected] of [
    [
      'pixel-classes',
      /--resolution: 0\.5; must be 1 for the task pixel-classes: its targets have a value for each pixel/,
    ],
    ['next-token', /--resolution: 0\.5; only applies to images; a sample of steps is \[4\]/],
  ] as const) {
    await refusedIn(folder, expected, 'search', ...ownOf(name), '--resolution', '0.5', ...never);
    await refusedIn(
      folder,
      /--estimator: "proxies"; only serves/,
      'search',
      ...ownOf(name),
      '--estimator',
      'proxies',
      ...never,
    );
    const dir = join(folder, `warm-${name}`);
    const warm = ['--strategy', 'local-search', '--strategy-options', 'warmStart=true,starts=1', '--trials', '4'];
    await json('search', ...ownOf(name), ...warm, '--epochs', '1', '--batch-size', '8', '--out', dir);
    const { trials } = await trialsIn(dir);
    assert.ok(trials.every(({ state }) => state === 'complete'));
    assert.ok(trials.some(({ start }) => start.kind === 'inherit'));
  }
});
