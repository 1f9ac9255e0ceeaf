import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-best-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);
const TABLE = ['search', '--benchmark', 'nas-bench-201', '--data', 'cifar-10'];

interface OnFront {
  readonly trial: number;
  readonly metrics: { readonly accuracy: number };
  readonly costs: { readonly flops: number; readonly params: number };
}

suite('several objectives', () => {
  const front = () => join(folder, 'front');
  let found: { best: OnFront[]; choice: { trial: number; by: string; front: number[] } };
  before(async () => {
    const options = ['--strategy', 'nsga2', '--objective', 'accuracy,flops', '--trials', '40'];
    found = await json(...TABLE, ...options, '--out', front());
  });

  test('the best by the first objective comes first, and is what commands take', async () => {
    const accuracies = found.best.map(({ metrics }) => metrics.accuracy);
    assert.ok(accuracies.length >= 4);
    assert.equal(accuracies[0], Math.max(...accuracies));
    assert.deepEqual(found.choice, {
      trial: found.best[0]?.trial,
      by: 'accuracy',
      front: found.best.map(({ trial }) => trial),
    });
    const { out, err } = await netsmith('evaluate', front());
    assert.match(out, new RegExp(`trial ${found.choice.trial} `));
    assert.match(
      err,
      new RegExp(
        `Of ${accuracies.length} networks on the Pareto front, trial ${found.choice.trial} is the best by accuracy`,
      ),
    );
    assert.match(err, /--trial N or --choose knee/);
    for (const { trial } of found.best) assert.match(err, new RegExp(`^${trial} +\\d\\d\\.\\d\\d`, 'm'));
    assert.doesNotMatch(out, /deviation|1 seeds/);
    assert.match((await netsmith('best', front())).out, new RegExp(`Commands take trial ${found.choice.trial}`));
  });

  test('--choose takes the knee or the best by another objective, --trial any', async () => {
    const [first, last] = [found.best[0], found.best.at(-1)] as [OnFront, OnFront];
    const scaled = ({ metrics, costs }: OnFront) =>
      (first.metrics.accuracy - metrics.accuracy) / (first.metrics.accuracy - last.metrics.accuracy) +
      (costs.flops - last.costs.flops) / (first.costs.flops - last.costs.flops);
    const knee = found.best.reduce((a, b) => (scaled(b) < scaled(a) ? b : a));
    assert.ok(![first.trial, last.trial].includes(knee.trial), 'this front has a knee between its ends');
    const taken = async (...args: string[]) => (await json('evaluate', front(), ...args)).choice;
    assert.deepEqual(await taken('--choose', 'knee'), { ...found.choice, trial: knee.trial, by: 'knee' });
    assert.deepEqual(await taken('--choose', 'flops'), { ...found.choice, trial: last.trial, by: 'flops' });
    assert.deepEqual(await taken('--choose', 'first'), found.choice);
    assert.deepEqual(await taken('--trial', String(knee.trial)), { ...found.choice, trial: knee.trial, by: 'trial' });
    const architecture = async (...args: string[]) => (await json('show', front(), ...args)).text;
    assert.equal(await architecture('--choose', 'knee'), await architecture('--trial', String(knee.trial)));
    assert.notEqual(await architecture('--choose', 'knee'), await architecture('--choose', 'first'));
  });

  test('best --where takes only networks like that, and --choose one of them', async () => {
    const middle = found.best[Math.floor(found.best.length / 2)] as OnFront;
    const where = `flops<=${middle.costs.flops},accuracy>0.5`;
    const { best, choice } = await json('best', front(), '--where', where, '--choose', 'flops');
    const kept = found.best.filter(({ costs, metrics }) => {
      return costs.flops <= middle.costs.flops && metrics.accuracy > 0.5;
    });
    assert.deepEqual(
      best.map(({ trial }: OnFront) => trial),
      kept.map(({ trial }) => trial),
    );
    assert.deepEqual([choice.trial, choice.by], [kept.at(-1)?.trial, 'flops']);
    const { out } = await netsmith('best', front(), '--where', where, '--choose', 'knee');
    assert.match(out, /is the knee|has one network/);
    // What is not an objective: the front is that of the networks that are left.
    const small = await json('best', front(), '--where', 'params<400000');
    assert.ok(small.best.length > 0 && small.best.every(({ costs }: OnFront) => costs.params < 400_000));
    await refused(/--where: "flops=3"; must be METRIC<NUMBER/, 'best', front(), '--where', 'flops=3');
    await refused(/--where: "latency"; it must be one of/, 'best', front(), '--where', 'latency<3');
    await refused(/--where: "flops<1"; no network of the study/, 'best', front(), '--where', 'flops<1');
  });

  test('the hypervolume has its reference point, and grows with the trials', async () => {
    const { coverage } = await json('status', front());
    const covered = coverage.history.map(({ hypervolume }: { hypervolume: number }) => hypervolume);
    assert.ok(covered.length > 1 && !coverage.stated);
    assert.deepEqual(
      covered,
      covered.toSorted((a: number, b: number) => a - b),
    );
    assert.equal(covered.at(-1), coverage.hypervolume);
    const stated = join(folder, 'stated');
    const options = ['--strategy', 'ehvi', '--objective', 'accuracy,flops', '--trials', '14', '--out', stated];
    await json(...TABLE, ...options, '--reference', 'accuracy=0.7,flops=3e8');
    const again = (await json('best', stated)).coverage;
    assert.deepEqual([again.worst, again.stated], [{ accuracy: 0.7, flops: 3e8 }, true]);
    assert.match((await netsmith('best', stated)).out, /reference point \(as stated\): accuracy 70\.00/);
    assert.match(readFileSync((await json('report', stated)).file, 'utf8'), /Hypervolume over \d+ networks/);
    const never = ['--objective', 'accuracy,flops', '--out', join(folder, 'never'), '--reference'];
    await refused(
      /--reference: accuracy=0\.7; must have a value of accuracy and flops/,
      ...TABLE,
      ...never,
      'accuracy=0.7',
    );
    await refused(
      /--reference: accuracy=0\.7; the search has one objective/,
      ...[...TABLE, '--out', join(folder, 'never'), '--reference', 'accuracy=0.7'],
    );
  });

  test('the report is of the network that was evaluated', async () => {
    const report = async () => readFileSync((await json('report', front())).file, 'utf8');
    await json('evaluate', front());
    assert.match(await report(), /The best by accuracy of \d+ on the Pareto front/);
    const { choice } = await json('evaluate', front(), '--choose', 'knee');
    const text = await report();
    assert.match(text, /one that was evaluated of \d+ on the Pareto front/);
    assert.match(text, new RegExp(`Trial ${choice.trial}, the winner\\.`));
    assert.doesNotMatch(text, /not measured yet/);
  });

  test('show and best name the network that was evaluated, as export and report do', async () => {
    const { choice } = await json('evaluate', front(), '--choose', 'knee');
    const shown = await netsmith('show', front());
    assert.match(shown.err, new RegExp(`trial ${choice.trial} is the one that was evaluated`));
    assert.equal((await json('show', front())).text, (await json('show', front(), '--choose', 'knee')).text);
    const best = await netsmith('best', front());
    assert.match(best.out, new RegExp(`export, report and show take trial ${choice.trial}, which was evaluated`));
    assert.deepEqual((await json('best', front())).choice, { ...choice, by: 'evaluation' });
  });

  test('refuses what is no choice', async () => {
    await refused(/--choose: "size"; must be first, knee, accuracy or flops/, 'evaluate', front(), '--choose', 'size');
    await refused(
      /--choose: "knee"; cannot be used with --trial 1/,
      ...['evaluate', front(), '--choose', 'knee', '--trial', '1'],
    );
    await refused(/--trial: 99; the study has trials 0 to 39/, 'evaluate', front(), '--trial', '99');
    await refused(
      /--choose: "knee"; must be first: the search has one objective/,
      ...['run', '--choose', 'knee', '--out', join(folder, 'never')],
    );
    await refused(/--epochs: 3; has no effect on a tabular benchmark/, 'evaluate', front(), '--epochs', '3');
  });
});

const SMALL = [...['--space', 'mlp', '--train-samples', '100', '--layout', 'portable']];

test("an export has the evaluation's weights, of however many epochs, and their own test value", async () => {
  const dir = join(folder, 'asha');
  const asha = ['--strategy', 'asha', '--strategy-options', 'eta=2', '--epochs', '2', '--trials', '3'];
  await json('search', ...SMALL, ...asha, '--out', dir);
  // ASHA needs two epochs at least; a final training does not.
  const evaluated = await json('evaluate', dir, '--epochs', '1', '--seeds', '2', '--no-baselines');
  assert.equal(evaluated.epochs, 1);
  const { mean, values } = evaluated.test.accuracy;
  assert.equal(evaluated.kept.test.accuracy, values[0]);

  const { code, out, err } = await netsmith('export', dir, '--json');
  assert.equal(code, 0, err);
  assert.doesNotMatch(err, /training for/);
  const exported = JSON.parse(out);
  assert.deepEqual([exported.epochs, exported.seed, exported.trial], [1, 0, evaluated.trial]);
  assert.equal(exported.test.accuracy, values[0]);
  assert.equal(exported.tested.accuracy.mean, mean);
  const percent = (value: number) => `${(100 * value).toFixed(2)}\u00a0%`;
  const card = () => readFileSync(exported.card, 'utf8');
  assert.ok(card().includes(`| ${percent(values[0])} | ${percent(mean)} ± `), card());
  assert.match(card(), /for 1 epoch,/);
  const { out: text } = await netsmith('export', dir);
  assert.ok(text.includes(`Weights of seed 0, 1 epoch: test accuracy ${percent(values[0])} (this file)`), text);
  assert.ok(text.includes(`(mean of 2 seeds)`), text);
  const html = readFileSync((await json('report', dir)).file, 'utf8');
  assert.match(html, new RegExp(`Test, exported file[\\s\\S]*<td[^>]*>${percent(values[0])}</td>`));

  // Trained for the export alone: there is no test value, and none is shown.
  const longer = await netsmith('export', dir, '--epochs', '2');
  assert.match(longer.err, /The stored weights were trained for 1 epoch; training for 2 epochs/);
  assert.match(longer.out, /Weights of seed 0, 2 epochs: not tested yet/);
  assert.match(card(), /not measured[\s\S]*The weights in this file have not been tested/);
});

test('the network of a front that was evaluated is the one that is exported', async () => {
  const dir = join(folder, 'proxies');
  const proxies = ['--estimator', 'proxies', '--objective', 'synflow,params', '--epochs', '1', '--trials', '8'];
  const { best } = await json('search', ...SMALL, ...proxies, '--workers', '1', '--out', dir);
  assert.ok(best.length > 1);
  const { choice } = await json('evaluate', dir, '--choose', 'params', '--seeds', '1', '--no-baselines');
  assert.equal(choice.trial, best.at(-1).trial);
  const { out, err } = await netsmith('export', dir, '--json');
  assert.deepEqual(JSON.parse(out).choice, { ...choice, by: 'evaluation' });
  assert.match(err, new RegExp(`trial ${choice.trial} is the one that was evaluated`));
  assert.doesNotMatch(err, /training for/);
});

test('of one seed there is no mean and no deviation', async () => {
  const dir = join(folder, 'one');
  const { code, out, err } = await netsmith(
    ...['run', ...SMALL, '--epochs', '1', '--trials', '1', '--confirm', '0', '--workers', '1', '--seeds', '1'],
    ...['--no-baselines', '--out', dir],
  );
  assert.equal(code, 0, err);
  assert.match(out, /^test \(1 seed\) {2}accuracy {2}params/m);
  assert.match(out, /^Found {4}accuracy [\d.]+\s% on the test split$/m);
  assert.match(out, /^ +test accuracy [\d.]+\s% \(this file\)$/m);
  assert.doesNotMatch(out, /mean|deviation|seeds/);
  assert.match(err, /Best by accuracy of a single training run; --confirm N/);
  assert.doesNotMatch(readFileSync(join(dir, 'best', 'MODEL_CARD.md'), 'utf8'), /mean of|±/);
});

suite('a search that has nothing left to try', () => {
  const few = ['--space', join(import.meta.dirname, '../examples/own-space.ts'), '--space-options', 'width=4'];
  const proxies = ['--estimator', 'proxies', '--objective', 'synflow', '--workers', '1', '--trials', '200'];

  test('finds what exhaustive search finds within a tight limit, and says that this is all', async () => {
    const tight = [...few, ...proxies, '--max-params', '110'];
    const architectures = async (strategy: string) => {
      const dir = join(folder, `few-${strategy}`);
      const { code, err } = await netsmith('search', ...tight, '--strategy', strategy, '--out', dir);
      assert.equal(code, 0, err);
      const trials: { text: string }[] = await json('trials', dir);
      const texts = [...new Set(trials.map(({ text }) => text))].sort();
      assert.ok(trials.length < 200, `${trials.length}`);
      const all = texts.length === 1 ? 'The only architecture' : `All ${texts.length} architectures`;
      assert.match(err, new RegExp(`${all} within the limits ha(s|ve) been tried`));
      return texts;
    };
    const expected = await architectures('exhaustive');
    assert.ok(expected.length > 0);
    for (const strategy of ['random', 'aging-evolution']) assert.deepEqual(await architectures(strategy), expected);
  });

  test('a limit below the smallest network is refused with the size of that one', async () => {
    await refused(
      /limits params <= 10: no architecture of space "own-space" is within them \(the smallest has \d+ parameters\)/,
      ...['search', ...few, ...proxies, '--max-params', '10', '--out', join(folder, 'never')],
    );
  });
});

test('a search whose trials all fail alike stops after a few, says why, and exits with 1', async () => {
  const dir = join(folder, 'failing');
  const diverging = [...SMALL, '--epochs', '1', '--learning-rate', '1e30', '--time', '10m', '--workers', '1'];
  const { code, out, err } = await netsmith('search', ...diverging, '--out', dir, '--json');
  assert.equal(code, 1);
  assert.equal(JSON.parse(out).best, null);
  assert.match(err, /Stopped early: all trials fail for the same reason/);
  assert.match(err, /No trial is complete; the first failed with: .*loss/);
  assert.deepEqual((await json('status', dir)).states, { failed: 5 });
});

test('help states the defaults of the command itself', async () => {
  const help = async (command: string) => (await netsmith(command, '--help')).out.replaceAll(/\s+/g, ' ');
  assert.match(
    await help('run'),
    /--confirm <n> [^()]+\(default: 3; 0 for proxies and genomes; with --time as the plan says\)/,
  );
  const workers = Math.min(2, availableParallelism());
  assert.match(await help('run'), new RegExp(`--workers <n> [^()]+\\(default: ${workers}\\)`));
  assert.match(await help('search'), /--confirm <n> [^()]+\(default: 0\)/);
  for (const command of ['evaluate', 'export'])
    assert.match(await help(command), /--epochs <n> [^()]+\(default: as in the study\)/);
  assert.match(await help('resume'), /--memory <size> [^()]+\(default: as in the study\)/);
});
