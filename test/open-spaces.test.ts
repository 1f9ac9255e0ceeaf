import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { rng } from '../src/common/random.ts';
import {
  conv,
  createStudy,
  globalAvgPool,
  linear,
  openStudy,
  type SearchSpace,
  type Study,
  type StudySpec,
  sequential,
} from '../src/node.ts';
import type { Genome } from '../src/space/testing/genome.ts';
import { xorReward, xorSpace } from '../src/study/testing/xor.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

// Studies of a space that is no tree of modules, by the library and by the commands that read them.

const ROOT = join(import.meta.dirname, '..');
const source = (path: string) => pathToFileURL(join(ROOT, path)).href;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-open-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let studies = 0;
const fresh = () => join(folder, `study-${studies++}`);

const XOR = {
  space: xorSpace,
  objective: { reward: 'maximize' },
  strategy: 'aging-evolution',
  strategyOptions: { population: 6, sample: 3 },
  seed: 1,
} as const satisfies StudySpec;

const judge = ({ architecture }: { readonly architecture: Genome }) => ({ reward: xorReward(architecture) });

const outcomes = async (study: Pick<Study, 'trials'>) =>
  (await study.trials()).map(({ number, state, architecture, metrics, costs }) => ({
    ...{ number, state, architecture, metrics, costs },
  }));

test('a growing network is searched by createStudy, asked and told, and continued by openStudy with its space', async () => {
  const study = await createStudy({ ...XOR, dir: fresh() });
  const { best } = await study.optimize(
    ({ architecture, network, text }) => {
      const none: object | undefined = network;
      assert.equal(none, undefined, 'a space without `build` has no networks');
      assert.equal(text, xorSpace.format(architecture));
      return { reward: xorReward(architecture), connections: architecture.connections.length };
    },
    { trials: 20 },
  );
  assert.ok(best !== undefined && best.text === xorSpace.format(best.architecture));
  const expected = await outcomes(study);
  assert.ok(expected.every(({ state }) => state === 'complete'));

  const asked = await createStudy({ ...XOR, dir: fresh() });
  for (let i = 0; i < 10; i++) {
    const trial = (await asked.ask()) ?? assert.fail();
    await asked.tell(trial, {
      reward: xorReward(trial.architecture),
      connections: xorSpace.check(trial.architecture).connections.length,
    });
  }
  await asked.close();
  const opened = await openStudy(asked.dir, { space: xorSpace });
  await opened.optimize(
    ({ architecture }) => ({ reward: xorReward(architecture), connections: architecture.connections.length }),
    { trials: 20 },
  );
  assert.deepEqual(await outcomes(opened), expected);

  const read = await openStudy(asked.dir);
  assert.deepEqual(await outcomes(read), expected);
  assert.deepEqual(JSON.parse((await read.trials())[0]?.text ?? ''), expected[0]?.architecture);
  await assert.rejects(
    read.optimize(() => ({ reward: 1 }), { trials: 30 }),
    /its space "xor" is code of the program that created it; continue it in that program: openStudy\(dir, \{ space \}\)/,
  );
  const other = { ...xorSpace, name: 'nand' };
  await assert.rejects(openStudy(asked.dir, { space: other }), /its space is "xor", not "nand"/);
  await assert.rejects(createStudy({ ...XOR, space: other, dir: asked.dir, ifExists: 'continue' }), /nand/);
  assert.equal((await createStudy({ ...XOR, dir: asked.dir, ifExists: 'continue' })).dir, asked.dir);
});

test('commands read a study whose space is code, and say in one sentence what only its program can do', async () => {
  const { dir, ...study } = await createStudy({ ...XOR, dir: fresh() });
  await study.optimize(judge, { trials: 8, until: 'reward=0.99' });
  const { best } = await json('best', dir);
  assert.deepEqual(best.architecture, (await study.best())?.architecture);
  assert.deepEqual(JSON.parse(best.text), best.architecture);
  const trials = await json('trials', dir);
  assert.equal(trials.length, 8);
  assert.deepEqual(trials[0].costs, {}, 'it is not said to have 0 parameters');
  const listed = await netsmith('trials', dir);
  assert.doesNotMatch(listed.out, /params|flops/);
  const rows: Record<string, string>[] = parse((await netsmith('trials', dir, '--csv')).out, { columns: true });
  assert.equal(Number(rows[3]?.['metric reward']), trials[3].metrics.reward);
  assert.deepEqual(JSON.parse(rows[3]?.['decision connections'] ?? ''), trials[3].architecture.connections);
  assert.equal((await json('status', dir)).trials, 8);
  assert.deepEqual((await json('show', dir)).architecture, best.architecture);
  assert.equal((await json('ls', dir))[0].state, 'finished');
  await json('report', dir);
  const byCommand = readFileSync(join(dir, 'report.html'), 'utf8');
  assert.match(byCommand, /Trial \d+ is the best: 0\.\d+ .*reward\./);
  const withoutSettings = byCommand.replace(/<details><summary>All \d+ settings[\s\S]*?<\/details>/, '');
  const wrong = /.{40}(netsmith (search|resume|evaluate|export)|Parameters|digits).{40}/.exec(withoutSettings);
  assert.equal(wrong, null);
  const byProgram = readFileSync(await study.report(), 'utf8');
  const text = xorSpace.format(best.architecture);
  assert.ok(byProgram.includes(text.replaceAll('>', '&gt;')), 'the program has the notation of the space');

  const program = /its space "xor" is code of the program that created it; continue it in that program/;
  for (const command of ['resume', 'evaluate', 'export']) await refusedIn(folder, program, command, dir);
  await refusedIn(folder, /is no tree of modules/, 'show', dir, '--svg', join(folder, 'x.svg'));
});

test('a module that exports the function and the space judges members in worker processes', async () => {
  const home = mkdtempSync(join(folder, 'judge-'));
  const file = join(home, 'judge.ts');
  const imports = `import { xorReward, xorSpace } from '${source('src/study/testing/xor.ts')}';`;
  const body = 'export default ({ architecture }: { architecture: never }) => ({ reward: xorReward(architecture) });';
  writeFileSync(file, `${imports}\nexport const space = xorSpace;\n${body}\n`);
  const without = join(home, 'without.ts');
  writeFileSync(without, `${imports}\nvoid xorSpace;\n${body}\n`);
  const spec = { ...XOR, strategy: 'random', strategyOptions: {} } as const;
  const [here, there] = [await createStudy({ ...spec, dir: fresh() }), await createStudy({ ...spec, dir: fresh() })];
  await here.optimize(judge, { trials: 6 });
  await assert.rejects(
    there.optimize(without, { trials: 6 }),
    /without\.ts" exports no space "xor"; .* must export it/,
  );
  await there.optimize(file, { trials: 6, workers: 2 });
  assert.deepEqual(await outcomes(there), await outcomes(here));
});

test('a space with build gives the function its networks, whose costs are known', async () => {
  const space = {
    name: 'widths',
    sample: (random) => ({ width: 1 + random.int(4) }),
    check: (found) => found as { width: number },
    mutate: ({ width }) => ({ width: (Number(width) % 4) + 1 }),
    crossover: (a) => a,
    format: ({ width }) => `width ${width}`,
    parse: (text) => ({ width: Number(text.slice(6)) }),
    build: ({ width }) => sequential(conv(Number(width), 1), globalAvgPool(), linear('outputs')),
  } satisfies SearchSpace;
  const objective = { score: 'maximize', params: 'minimize' } as const;
  const study = await createStudy({ space, objective, dir: fresh(), seed: 2 });
  await study.optimize(({ network, architecture }) => ({ score: network.kind.length * architecture.width }), {
    trials: 4,
  });
  for (const { architecture, costs, metrics } of await study.trials()) {
    const { width } = space.check(architecture);
    assert.deepEqual([costs.params, metrics.score], [11 * width + 10, 10 * width]);
  }
  assert.match(readFileSync(await study.report(), 'utf8'), /All \d+ layers/);
});

test('what does not fit such a space is refused before anything is written', async () => {
  const dir = fresh();
  const refused = (changes: StudySpec, expected: RegExp) =>
    assert.rejects(createStudy({ ...XOR, ...changes, dir }), { name: 'UserError', message: expected });
  await refused({ objective: 'accuracy' }, /space "xor": is no tree of modules.*objective: \{ score: 'maximize' \}/);
  await refused({ strategy: 'tpe', strategyOptions: {} }, /space "xor" has no decisions; strategies that need none/);
  await refused({ spaceOptions: { cells: 2 } }, /spaceOptions: cells; space "xor" has no options/);
  await refused({ space: { ...xorSpace, name: 'small-cnn' } }, /small-cnn.*yours must have another/);
  await refused({ objective: { reward: 'maximize', params: 'minimize' } }, /params.*builds no networks/);
  await refused({ limits: { depth: 3 } }, /depth.*builds no networks/);
  const broken = (changes: Partial<SearchSpace>) => ({ space: { ...xorSpace, ...changes } });
  const failing = () => {
    throw new Error('no luck');
  };
  await refused(broken({ sample: failing }), /space "xor": sample fails: no luck/);
  await refused(broken({ check: () => xorSpace.sample(rng('other')) }), /another after it was stored and read/);
  const without: object = { mutate: undefined };
  await refused(broken(without), /a space made by defineSpace, or have the methods of a SearchSpace/);
  assert.ok(!existsSync(dir));
  const file = join(folder, 'xor.ts');
  writeFileSync(file, `export { xorSpace } from '${source('src/study/testing/xor.ts')}';`);
  await refusedIn(folder, /exports a space that is no tree.*createStudy\(\{ space \}\)/, 'search', '--space', file);
});

test('killed with -9 four times at random moments and continued, XOR has the trials of an undisturbed search', async () => {
  const home = mkdtempSync(join(folder, 'killed-'));
  const script = join(home, 'search.mts');
  writeFileSync(
    script,
    `import { createStudy } from '${source('src/node.ts')}';
     import { xorReward, xorSpace } from '${source('src/study/testing/xor.ts')}';
     const { space, ...settings } = ${JSON.stringify(XOR)};
     const study = await createStudy({ ...settings, space: xorSpace, dir: process.argv[2], ifExists: 'continue' });
     let [made, most] = [0, Number(process.argv[3])];
     const onTrial = () => {
       console.log('trial');
       // Stands still until it is killed: it cannot end before, however late that comes.
       if (++made >= most) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     };
     await study.optimize(({ architecture }) => ({ reward: xorReward(architecture) }), { trials: 80, onTrial });`,
  );
  const dir = join(home, 'study');
  /** Kills it a moment after it has made this number of trials, and before it has made ten more. */
  const run = async (trials = Number.POSITIVE_INFINITY, milliseconds = 0) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, ['--conditions=netsmith-source', script, dir, `${trials + 10}`], { env });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    let made = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = made;
      made += text.split('trial').length - 1;
      if (before < trials && made >= trials) setTimeout(() => child.kill('SIGKILL'), milliseconds);
    });
    const [code, signal] = await once(child, 'close');
    return { code, signal, err };
  };
  const moments = rng('kill');
  const done: number[] = [];
  for (let kill = 0; kill < 4; kill++) {
    const { signal, err } = await run(1 + moments.int(4), 10 * moments.float());
    assert.equal(signal, 'SIGKILL', err);
    done.push((await outcomes(await openStudy(dir, { space: xorSpace }))).length);
  }
  assert.ok((done.at(-1) ?? 0) > (done[0] ?? 0), `it made trials in between: ${done.join(', ')}`);
  const last = await run();
  assert.equal(last.code, 0, last.err);
  const undisturbed = await createStudy({ ...XOR, dir: fresh() });
  await undisturbed.optimize(judge, { trials: 80 });
  assert.deepEqual(await outcomes(await openStudy(dir, { space: xorSpace })), await outcomes(undisturbed));
});
