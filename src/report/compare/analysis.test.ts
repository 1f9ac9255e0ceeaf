import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../../common/random.ts';
import { checkPage, textOf } from '../testing/page.ts';
import { analyze, bands, regretOf } from './analysis.ts';
import { comparisonCsv, trajectoryCsv } from './csv.ts';
import type { ComparedRun, Comparison } from './data.ts';
import { renderComparison } from './html.ts';
import { winnerOf } from './verdict.ts';

const run = (seed: number, valid: number, more: Partial<ComparedRun> = {}): ComparedRun => ({
  seed,
  trajectory: [
    { at: 10, value: valid - 0.1 },
    { at: 50, value: valid },
  ],
  end: 100,
  architecture: { a: 'x', b: 1 },
  text: 'a=x, b=1',
  valid,
  test: valid + 0.05,
  evaluations: 12,
  seconds: 60,
  ...more,
});

/** `better` is above `random` by 0.1 with every seed. */
const comparison: Comparison = {
  title: 'a "comparison" & more',
  objective: { metric: 'accuracy', direction: 'maximize', unit: 'share' },
  axis: 'seconds',
  budget: '100 s',
  protocol: { epochs: '3' },
  reference: 'random',
  competitors: [
    { name: 'random', runs: [0, 1, 2, 3, 4, 5].map((seed) => run(seed, 0.5 + seed / 100)) },
    { name: '<better>', runs: [5, 4, 3, 2, 1, 0].map((seed) => run(seed, 0.6 + seed / 100)) },
  ],
  decisions: ['a', 'b', 'c'],
  optimum: { valid: 0.7, test: 0.8 },
  tested: 'tested once.',
  warnings: [],
  command: 'netsmith compare',
  versions: { netsmith: '0.1.0' },
};
const [random, better] = comparison.competitors;
assert.ok(random && better);

suite('the result of a comparison', () => {
  test('means, deviations, regret and the gap to test', () => {
    const [one] = analyze(comparison).competitors;
    assert.ok(one?.test && one.valid && one.regret && one.gap && one.testRegret);
    assert.ok(Math.abs(one.valid.mean - 0.525) < 1e-12);
    assert.ok(Math.abs(one.valid.sd - 0.018708) < 1e-6);
    assert.ok(one.valid.interval[0] > 0.505 && one.valid.interval[1] < 0.545);
    assert.ok(one.valid.interval[0] < one.valid.mean && one.valid.mean < one.valid.interval[1]);
    assert.ok(Math.abs(one.regret.mean - 0.175) < 1e-12);
    assert.ok(Math.abs(one.gap.mean + 0.05) < 1e-12);
    assert.ok(Math.abs(one.testRegret.mean - 0.225) < 1e-12);
    assert.equal(one.totalSeconds, 360);
    assert.equal(one.against, undefined);
  });

  test('the same seeds are paired, whatever their order; others are two samples', () => {
    const paired = analyze(comparison);
    assert.match(paired.test, /paired by seed/);
    const against = paired.competitors[1]?.against?.valid;
    assert.ok(against);
    assert.ok(Math.abs(against.difference - 0.1) < 1e-12);
    assert.equal(against.p, 2 ** -5); // All six differences are positive.
    const others = better.runs.map((one) => ({ ...one, seed: one.seed + 10 }));
    const unpaired = analyze({ ...comparison, competitors: [random, { name: 'other', runs: others }] });
    assert.equal(unpaired.test, 'Mann-Whitney test');
    assert.ok(Math.abs((unpaired.competitors[1]?.against?.valid?.p ?? 0) - 2 / 924) < 1e-9);
  });

  test('p is corrected for the number of comparisons', () => {
    const competitors = [random, better, { ...better, name: 'again' }];
    const { against } = analyze({ ...comparison, competitors }).competitors[1] ?? {};
    assert.equal(against?.valid?.holm, 2 * 2 ** -5);
  });

  test('without a test of every run there is no test comparison', () => {
    const { test: _, ...untested } = run(0, 0.6);
    const competitors = [random, { name: 'new', runs: [untested, ...better.runs.slice(0, 5)] }];
    const { competitors: found } = analyze({ ...comparison, competitors });
    assert.equal(found[1]?.test, undefined);
    assert.equal(found[1]?.gap, undefined);
    assert.equal(found[1]?.against?.test, undefined);
    assert.ok(found[1]?.against?.valid);
  });

  test('where searches have trained nothing there are test values alone', async () => {
    const competitors = comparison.competitors.map(({ name, runs }) => ({
      name,
      runs: runs.map(({ valid: _, ...one }) => ({ ...one, trajectory: [] })),
    }));
    const { optimum: _, ...unknown } = comparison;
    const trainless = { ...unknown, competitors };
    const [, one] = analyze(trainless).competitors;
    assert.deepEqual(
      [one?.valid, one?.regret, one?.gap, one?.against?.valid],
      [undefined, undefined, undefined, undefined],
    );
    assert.ok(Math.abs((one?.against?.test?.difference ?? 0) - 0.1) < 1e-12);
    assert.deepEqual(bands(trainless), []);
    const text = await renderComparison(trainless, analyze(trainless));
    checkPage(text);
    assert.doesNotMatch(textOf(text), /Validation accuracy|NaN|undefined/);
    assert.equal(comparisonCsv(trainless).split('\r\n')[1]?.startsWith('random,0,,,0.55,12,60'), true);
  });

  test('of a metric that is to be small, regret and ranks turn round', () => {
    const objective = { metric: 'loss', direction: 'minimize', unit: 'nats' } as const;
    const { competitors } = analyze({ ...comparison, objective, optimum: { valid: 0.4 } });
    assert.ok(Math.abs((competitors[0]?.regret?.mean ?? 0) - 0.125) < 1e-12);
  });

  test('architectures are compared decision by decision; an inactive one differs from an active one', () => {
    const runs = [
      run(0, 0.5),
      run(1, 0.5, { architecture: { b: 1, a: 'x' } }),
      run(2, 0.5, { architecture: { a: 'y', c: [0, 1] } }),
    ];
    const { likeness } = analyze({ ...comparison, competitors: [{ name: 'random', runs }] }).competitors[0] ?? {};
    assert.deepEqual(likeness, { distance: (0 + 3 + 3) / 3, equal: 1 / 3 });
  });

  test('the interval holds the true mean about as often as it says', () => {
    let held = 0;
    for (let round = 0; round < 100; round++) {
      const stream = rng('coverage', round);
      const runs = Array.from({ length: 20 }, (_, seed) => run(seed, stream.normal()));
      const { valid } = analyze({ ...comparison, competitors: [{ name: 'random', runs }] }).competitors[0] ?? {};
      if (valid && valid.interval[0] < 0 && valid.interval[1] > 0) held++;
    }
    assert.ok(held >= 82, `${held} of 100`);
  });
});

test('bands go from the first moment at which all have a value to the end', () => {
  const points = bands(comparison).filter(({ name }) => name === 'random');
  assert.deepEqual([points[0]?.at, points.at(-1)?.at], [10, 100]);
  assert.ok(Math.abs((points[0]?.mean ?? 0) - 0.425) < 1e-12);
  assert.ok(Math.abs((points.at(-1)?.mean ?? 0) - 0.525) < 1e-12);
  for (const { mean, low, high } of points) assert.ok(low <= mean && mean <= high);
  const regret = regretOf(points, 0.7, comparison.objective).at(-1);
  assert.ok(regret && regret.low < regret.mean && regret.mean < regret.high);
  assert.ok(Math.abs(regret.mean - 0.175) < 1e-12);
});

test('the report is one file, whatever the names are, and says at both its ends who won', async () => {
  const html = await renderComparison(comparison, analyze(comparison));
  const document = checkPage(html);
  assert.ok(html.includes('a &quot;comparison&quot; &amp; more') && html.includes('&lt;better&gt;'));
  assert.doesNotMatch(html, /<better>/);
  assert.doesNotMatch(textOf(html), /NaN/);
  assert.equal(html.match(/<svg[^>]* role="img"/g)?.length, 4);
  const won = '<better> is best: 67.50 % mean test accuracy, better than random (p = 0.031); 6 seeds.';
  const text = textOf(html);
  assert.ok(text.includes(`Verdict: ${won}`), text);
  assert.equal(document.querySelector('section:last-of-type h2')?.textContent, 'Conclusion');
  assert.ok(text.includes(`Conclusion${won}`));
});

suite('who won', () => {
  const won = (
    competitors: readonly { name: string; runs: readonly ComparedRun[] }[],
    more: Partial<Comparison> = {},
  ) => {
    const one = { ...comparison, ...more, competitors };
    return winnerOf(one, analyze(one)).text.replaceAll('\u00a0', ' ');
  };
  const seeds = [0, 1, 2, 3, 4, 5, 6, 7];
  const of = (name: string, value: (seed: number) => number) => ({
    name,
    runs: seeds.map((seed) => run(seed, value(seed))),
  });
  const low = of('random', (seed) => 0.5 + seed / 1000);

  test('of three, what can be told apart and what cannot', () => {
    const high = of('tpe', (seed) => 0.6 + seed / 500);
    const alike = of('gp', (seed) => 0.6 + ((seed * 5) % 8) / 500);
    assert.equal(
      won([low, high, alike]),
      'tpe is best: 65.70 % mean test accuracy, better than random (p = 0.023); not distinguishable from gp; 8 seeds.',
    );
    assert.match(won([low, of('worse', (seed) => 0.4 + seed / 100)]), /^random is best: .*better than worse/);
  });

  test('without significance there is none', () => {
    const alike = of('tpe', (seed) => 0.5 + ((seed * 5) % 8) / 1000 + 0.0001);
    assert.match(
      won([low, alike]),
      /^No clear winner: tpe has the best mean \(.*ahead of random\), but is not distinguishable from random \(p = /,
    );
  });

  test('so few seeds that no difference could be significant are no result', () => {
    const few = ({ name, runs }: { name: string; runs: readonly ComparedRun[] }) => ({ name, runs: runs.slice(0, 3) });
    assert.equal(
      won([few(low), few(of('tpe', () => 0.9))]),
      'No winner yet: tpe has the best mean (95.00 % mean test accuracy), but 3 seeds cannot show a difference (smallest possible p: 0.25); use at least 6 seeds.',
    );
    assert.match(won([few(low), few({ ...low, name: 'same' })]), /have the same mean/);
    assert.match(won([few(low)]), /nothing to compare it with/);
  });

  test('of a metric that is to be small, the smallest', () => {
    const objective = { metric: 'loss', direction: 'minimize', unit: 'nats' } as const;
    assert.match(
      won([low, of('worse', (seed) => 0.6 + seed / 1000)], { objective }),
      /^random is best: 0\.5535 mean test loss/,
    );
  });

  test('other seeds in each are two samples', () => {
    const others = of('tpe', (seed) => 0.6 + seed / 500).runs.map((one) => ({ ...one, seed: one.seed + 10 }));
    assert.match(won([low, { name: 'tpe', runs: others }]), /^tpe is best: .*random \(p < 0\.001\)/);
  });
});

test('tables have a row for each search, and for each time one became better', () => {
  const lines = comparisonCsv(comparison).trimEnd().split('\r\n');
  assert.equal(
    lines[0],
    'name,seed,valid,regret,test,evaluations,seconds,architecture,study,decision a,decision b,decision c',
  );
  assert.equal(lines.length, 13);
  assert.match(lines[1] ?? '', /^random,0,0\.5,0\.19\d*,0\.55,12,60,"a=x, b=1",,x,1,$/);
  const steps = trajectoryCsv(comparison).trimEnd().split('\r\n');
  assert.deepEqual([steps[0], steps[1], steps.length], ['name,seed,seconds,valid', 'random,0,10,0.4', 25]);
});

test('no cell is a formula or steers a terminal; numbers stay numbers', () => {
  const runs = [run(0, 0.5, { text: '@sum', architecture: { a: '=cmd|x', b: -1.5, c: '+1,"' }, valid: -2 })];
  const names = ['=HYPERLINK("x")', '-2+3', '\ttab', '-7', '\u001b[2J'];
  const text = comparisonCsv({ ...comparison, competitors: names.map((name) => ({ name, runs })) });
  const cells = text.trimEnd().split('\r\n').slice(1);
  const begins = [`"'=HYPERLINK(""x"")"`, `'-2+3`, `'\\u0009tab`, '-7', '\\u001b[2J'];
  assert.deepEqual(
    cells.map((line, i) => line.startsWith(`${begins[i]},0,-2,`)),
    names.map(() => true),
  );
  assert.ok(cells[0]?.endsWith(`,'@sum,,'=cmd|x,-1.5,"'+1,"""`), cells[0]);
});
