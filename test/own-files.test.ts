import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { meanOfSeeds } from '../examples/own-estimator.ts';
import { rng } from '../src/common/random.ts';
import { checkEstimator } from '../src/estimate/conformance.node.ts';
import { defineEstimator } from '../src/estimate/own.ts';
import { SPACES, sample } from '../src/space/index.ts';
import { checkStrategy } from '../src/strategy/conformance.node.ts';
import { createStrategy } from '../src/strategy/index.ts';
import { defineStrategy } from '../src/strategy/own.ts';
import type { Problem } from '../src/strategy/strategy.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

const SOURCE = new URL('../src/', import.meta.url).href;
const TINY = ['--space', 'mlp', '--epochs', '1', '--train-samples', '60'];

let folder = '';
let strategy = '';
let estimator = '';
/** Written whenever one of the user's files is run. */
let trace = '';
const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);
const runs = () => (existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : []);

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-own-'));
  [strategy, estimator, trace] = [join(folder, 'strategy.ts'), join(folder, 'estimator.ts'), join(folder, 'trace')];
  const log = (what: string) =>
    `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(trace)}, '${what}\\n');\n`;
  writeFileSync(
    strategy,
    `${log('strategy')}import { createStrategy } from '${SOURCE}strategy/index.ts';
import { defineStrategy } from '${SOURCE}strategy/own.ts';
export default defineStrategy({
  name: 'mine',
  defaults: { population: 3 },
  create: ({ population }) => ({ ...createStrategy('aging-evolution', { population, sample: 2 }), name: 'mine' }),
});`,
  );
  writeFileSync(
    estimator,
    `${log('estimator')}import { defineEstimator } from '${SOURCE}estimate/own.ts';
import { networkCosts } from '${SOURCE}network/costs.ts';
import { resolve } from '${SOURCE}space/index.ts';
export const mine = defineEstimator({
  name: 'smaller-is-better',
  defaults: { scale: 1000 },
  open: (_context, { scale }) => ({
    async estimate({ space, architecture }, run) {
      const { params } = networkCosts(resolve(space, architecture), space.task);
      const report = { step: run.fidelity.epochs, metrics: { accuracy: 1 / (1 + params / scale) }, seconds: 0.001 };
      await run.report(report, undefined);
      return { state: 'complete', metrics: report.metrics, curve: [report], seconds: report.seconds };
    },
  }),
});`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('a search by a strategy and an estimator of files: stored, read without running them, resumed when named again', async () => {
  const dir = join(folder, 'study');
  const own = ['--strategy', strategy, '--estimator', estimator];
  const found = await json(
    'search',
    ...TINY,
    ...own,
    '--strategy-options',
    'population=4',
    '--trials',
    '4',
    '--out',
    dir,
  );
  assert.equal(found.trials, 4);
  assert.ok(runs().includes('strategy') && runs().includes('estimator'));
  const { architecture, metrics, costs } = found.best;
  assert.equal(metrics.accuracy, 1 / (1 + costs.params / 1000));

  const ran = runs().length;
  await rmTrace();
  assert.deepEqual((await json('best', dir)).best.architecture, architecture);
  for (const command of ['status', 'trials', 'show', 'report']) await json(command, dir);
  assert.equal((await json('ls', folder))[0].state, 'finished');
  await json('evaluate', dir, '--seeds', '1', '--no-baselines');
  await json('export', dir);
  assert.deepEqual(runs(), [], 'a stored study runs no file');
  assert.ok(ran > 0);
  const html = readFileSync(join(dir, 'report.html'), 'utf8');
  assert.ok(!html.includes(folder), 'a report shows no folder of the person');

  await refused(
    /its strategy is the file ".*strategy\.ts"; .*name the file again: --strategy/,
    'resume',
    dir,
    '--trials',
    '5',
  );
  await refused(/its estimator is the file/, 'resume', dir, '--trials', '5', '--strategy', strategy);
  assert.deepEqual(runs(), []);
  const moved = join(folder, 'moved.ts');
  renameSync(strategy, moved);
  try {
    const resumed = await json('resume', dir, '--trials', '6', '--strategy', moved, '--estimator', estimator);
    assert.equal(resumed.trials, 6);
    assert.ok(runs().includes('strategy') && runs().includes('estimator'));
  } finally {
    renameSync(moved, strategy);
  }
});

async function rmTrace(): Promise<void> {
  rmSync(trace, { force: true });
}

test('files that cannot be used are refused, and nothing is written', async () => {
  const search = ['search', ...TINY, '--trials', '1', '--out', join(folder, 'never')];
  await refused(
    /--strategy: ".*nothing\.ts"; there is no such file/,
    ...search,
    '--strategy',
    join(folder, 'nothing.ts'),
  );
  await refused(/exports none; must export one made by defineStrategy/, ...search, '--strategy', estimator);
  await refused(/exports none; must export one made by defineEstimator/, ...search, '--estimator', strategy);
  const broken = join(folder, 'broken.ts');
  writeFileSync(broken, "throw new Error('not today');");
  await refused(/broken\.ts" cannot be loaded; not today/, ...search, '--strategy', broken);
  // An example of the package, named where it is installed.
  const installed = join(folder, 'node_modules', 'mine', 'mine.ts');
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(installed, 'export const nothing: number = 1;');
  for (const flag of ['--strategy', '--estimator', '--space'])
    await refused(/no TypeScript under node_modules; copy the file into your project/, ...search, flag, installed);
  await refused(
    /strategy "mine": unknown option "populaton"; did you mean "population"/,
    ...[...search, '--strategy', strategy, '--strategy-options', 'populaton=3'],
  );
  await refused(
    /estimator "smaller-is-better": option scale is "x"; must be a number/,
    ...[...search, '--estimator', estimator, '--estimator-options', 'scale=x'],
  );
});

test('a study with a built-in strategy refuses a strategy file', async () => {
  const dir = join(folder, 'plain');
  await json('search', ...TINY, '--trials', '1', '--out', dir);
  await refused(/the study's strategy is random, and cannot be changed/, 'resume', dir, '--strategy', strategy);
});

test('compare takes a strategy of a file: on a table, and by searches of its own', async () => {
  const named = `${strategy}:population=5`;
  const onTable = ['--benchmark', 'nas-bench-201', '--seeds', '2', '--trials', '8', '--out', join(folder, 'table')];
  const { competitors } = await json('compare', '--strategies', named, ...onTable);
  assert.equal(competitors.length, 2);
  const own = ['compare', '--strategies', strategy, '--estimator', estimator, ...TINY];
  const { code, err } = await netsmith(
    ...own,
    '--seeds',
    '1',
    '--trials',
    '2',
    '--evaluate',
    '1',
    '--out',
    join(folder, 'own'),
  );
  assert.equal(code, 0, err);
});

test('checkStrategy names the first rule that is broken', async () => {
  await checkStrategy(createStrategy('random'));
  const forgetful = defineStrategy({
    name: 'forgetful',
    create: () => ({ ...createStrategy('random'), init: () => ({ date: undefined }) as never }),
  });
  await assert.rejects(
    checkStrategy(forgetful),
    /strategy "forgetful" breaks the rule ".*": .*does not survive a JSON round trip/s,
  );
  const careless = { ...createStrategy('random'), name: 'careless' };
  const outside = {
    ...careless,
    ask: async (...args: Parameters<typeof careless.ask>) => {
      const [state, proposals] = await careless.ask(...args);
      return [state, proposals.map((one) => ({ ...one, fidelity: 7 }))] as [typeof state, typeof proposals];
    },
  };
  await assert.rejects(
    checkStrategy(outside),
    /"proposals are members of the space at a fidelity of the problem": 7 is not the index of a fidelity/,
  );
  const unlimited = {
    ...careless,
    ask: (problem: Problem, ...rest: [never, number, number]) => careless.ask({ ...problem, limits: [] }, ...rest),
  };
  await assert.rejects(checkStrategy(unlimited), /"limits are kept": a proposal is above a limit; `withinLimits` and/);
});

test('checkEstimator names the first rule that is broken', async () => {
  const space = SPACES.mlp.create({ kind: 'classification', input: [4], outputs: 3 });
  const candidate = { space, architecture: sample(space, rng('own')) };
  const silent = defineEstimator({
    name: 'silent',
    open: () => ({
      estimate: async () => ({ state: 'complete', metrics: { accuracy: 1 }, curve: [], seconds: 1 }) as const,
    }),
  });
  const rule = 'breaks the rule "reports once, at the fidelity asked for, and ends with that"';
  const found = 'the steps that it reports (once, the epochs of its fidelity): []; expected [3]';
  await assert.rejects(checkEstimator(silent), { message: `estimator "silent" ${rule}: ${found}` });
  await assert.rejects(checkEstimator(silent, { options: { seeds: 2 } }), /estimator "silent": unknown option "seeds"/);
  const open = await silent.open({} as Parameters<typeof silent.open>[0]);
  await assert.rejects(checkEstimator(open, { candidate }), { message: `the estimator ${rule}: ${found}` });
  await assert.rejects(checkEstimator(open), /^UserError: checkEstimator: no candidate; an estimator that is open/);
});

test('checkEstimator opens a definition by itself, with an engine and data', async () => {
  await checkEstimator(meanOfSeeds, { options: { seeds: 1 } });
});
