import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHTML } from 'linkedom';
import { networkCosts } from '../network/costs.ts';
import * as s from '../space/builders.ts';
import type { ReportData, ReportTrial } from './data.ts';
import { bestSoFar, busyTime, measured, paretoFront } from './figures/series.ts';
import { flatten, renderReport } from './html.ts';
import { imageInfo } from './testing/trained.ts';

const accuracy = { metric: 'accuracy', direction: 'maximise', unit: 'share' } as const;
const start = Date.UTC(2026, 0, 2, 3, 4);

function trial(number: number, value: number | undefined, changes: Partial<ReportTrial> = {}): ReportTrial {
  return {
    trial: number,
    purpose: 'search',
    state: value === undefined ? 'failed' : 'complete',
    architecture: `width=${number}`,
    metrics: value === undefined ? {} : { accuracy: value, loss: 1 - value },
    costs: { params: 1000 + number, flops: 5000 - number },
    curve:
      value === undefined
        ? []
        : [1, 2].map((step) => ({ step, metrics: { accuracy: value / (3 - step) }, seconds: step })),
    seconds: 10,
    startedAt: start + number * 10_000,
    endedAt: start + (number + 1) * 10_000,
    ...changes,
  };
}

const network = s.sequential(s.conv(4, 3), s.relu(), s.globalAvgPool(), s.linear('outputs'));
const info = imageInfo([3, 6, 6], {
  labels: ['ant', '<b>bee</b>', 'cat', 'dog & co'],
  notes: ['A <script>note</script>.'],
});
const data: ReportData = {
  name: 'study "<one>"',
  createdAt: start,
  finished: true,
  space: { name: 'small-cnn', options: { depth: 3 }, size: '81' },
  strategy: 'random',
  estimator: 'train',
  seed: 7,
  objectives: [accuracy],
  tested: accuracy,
  data: info,
  trials: [
    trial(0, 0.8),
    trial(1, undefined, { reason: 'the loss is <NaN> in epoch 2' }),
    trial(2, 0.91),
    trial(3, 0.85),
    trial(4, 0.9, { purpose: 'confirm', repeats: 2 }),
    trial(5, 0.88, { purpose: 'confirm', repeats: 2 }),
  ],
  seconds: 55,
  winner: { trial: 2, architecture: 'width=2', network, costs: networkCosts(network, info) },
  test: {
    name: 'found',
    seeds: [0, 1],
    metrics: [{ accuracy: 0.87 }, { accuracy: 0.89 }],
    confusion: [
      [9, 1, 0, 0],
      [0, 10, 0, 0],
      [2, 0, 8, 0],
      [0, 0, 3, 7],
    ],
    trainedOn: 'train + valid',
  },
  agreements: [],
  baselines: [{ name: 'resnet', seeds: [0, 1], metrics: [{ accuracy: 0.8 }, { accuracy: 0.82 }] }],
  settings: { train: { epochs: 2, learningRate: 0.05 }, objectives: ['accuracy'], secret: '<i>' },
  commands: ['netsmith search --data "a b" --seed 7'],
  versions: { netsmith: '0.1.0', node: '24' },
};

const textOf = (html: string) =>
  parseHTML(html).document.body.textContent?.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ') ?? '';

test('the result in words: winner, confirmation, test, gap and baseline, each under its own name', async () => {
  const text = textOf(await renderReport(data));
  for (const part of [
    'trial 2',
    'reaches 91.00 % on the validation samples',
    'Trained again with other seeds: 89.00 % ± 1.41 (2 seeds)',
    '88.00 % ± 1.41 (2 seeds) on the test samples',
    'From the confirmed validation mean to the test mean: −1.00 points',
    'Baseline resnet, trained with the same budget: 81.00 %',
    'the found network: +7.00 points',
    '3 complete, 1 failed',
    '55.0 s of training in all',
    'the loss is <NaN> in epoch 2',
    'netsmith search --data "a b" --seed 7',
    'train.learningRate',
    'A <script>note</script>.',
    'netsmith 0.1.0'.split(' ')[1] as string,
  ]) {
    assert.ok(text.includes(part), `"${part}" in the report`);
  }
});

test('one file: no script, nothing from elsewhere, nothing of the data as markup', async () => {
  const html = await renderReport(data);
  const { document } = parseHTML(html);
  assert.equal(document.querySelectorAll('script, link, img, iframe, b, i').length, 0);
  assert.doesNotMatch(html, /(?:src|href)=|@import|url\(|NaN(?!&gt;)|undefined|\[object/);
  assert.equal(document.querySelectorAll('figure svg').length, 7, 'five of the search, confusion, drawing');
  assert.equal(document.querySelectorAll('tr.best').length, 1);
});

test('a study that was not evaluated says so, and shows no test value', async () => {
  const { test: _, ...rest } = data;
  const text = textOf(await renderReport({ ...rest, baselines: [], finished: false }));
  assert.match(text, /The test samples have not been used/);
  assert.match(text, /not at its end yet/);
  assert.doesNotMatch(text, /on the test samples, which/);
});

test('an evaluation of another trial than the winner is named, and gives the winner no test value', async () => {
  const { test: _, ...rest } = data;
  const text = textOf(await renderReport({ ...rest, baselines: [], testedInstead: 3 }));
  assert.match(text, /It has not been tested: the evaluation was of trial 3/);
  assert.doesNotMatch(text, /have not been used|not opened|on the test samples, which/);
});

test('rank correlations are shown where there are any', async () => {
  const agreement = { estimate: 'after 2 of 8 epochs', truth: 'after 8 epochs', pairs: 24, tau: 0.613 };
  const shown = textOf(await renderReport({ ...data, agreements: [{ ...agreement, interval: [-0.1, 0.78] }] }));
  assert.match(
    shown,
    /0\.61 \(95\s%: −0\.10 to 0\.78\) between after 2 of 8 epochs and after 8 epochs, 24 architectures/,
  );
  assert.doesNotMatch(textOf(await renderReport(data)), /Rank correlation/);
});

test('what the time of the workers went to is said where it is known', async () => {
  const account = { workerSeconds: 200, train: 150, valid: 30, compile: 10, idle: 6, other: 4 };
  const text = textOf(await renderReport({ ...data, account }));
  assert.match(text, /training steps 75\.0 %, validation 15\.0 %, compiling 5\.0 %, idle 3\.0 %, other 2\.0 %/);
  assert.doesNotMatch(textOf(await renderReport(data)), /What the workers' time went to/);
});

test('a study without any complete trial still has a report', async () => {
  const { test: _, winner: __, ...rest } = data;
  const text = textOf(
    await renderReport({ ...rest, trials: [trial(0, undefined, { reason: 'out of memory' })], baselines: [] }),
  );
  assert.match(text, /No trial is complete/);
  assert.match(text, /out of memory/);
});

test('best so far counts complete trials alone, in the order in which they ended', () => {
  const trials = [
    trial(0, 0.5, { endedAt: start + 90_000 }),
    trial(1, 0.9, { state: 'pruned' }),
    trial(2, 0.7),
    trial(3, undefined),
    trial(4, 0.6, { purpose: 'confirm', repeats: 2 }),
  ];
  const ended = measured(trials, accuracy);
  assert.deepEqual(
    ended.map((t) => t.trial),
    [1, 2, 0],
  );
  assert.deepEqual(bestSoFar(ended, accuracy), [undefined, 0.7, 0.7]);
  const loss = { metric: 'loss', direction: 'minimise', unit: 'nats' } as const;
  assert.deepEqual(bestSoFar([trial(0, 0.5), trial(1, 0.25), trial(2, 0.75)], loss), [0.5, 0.5, 0.25]);
});

test('busy time leaves out the pauses of an interrupted study, and counts workers side by side once', () => {
  const spans = [
    trial(0, 0.5, { startedAt: 0, endedAt: 10_000 }),
    trial(1, 0.5, { startedAt: 5_000, endedAt: 12_000 }),
    trial(2, 0.5, { startedAt: 100_000, endedAt: 101_000 }),
  ];
  const busy = busyTime(spans);
  assert.deepEqual([busy(10_000), busy(12_000), busy(50_000), busy(101_000)], [10, 12, 12, 13]);
});

test('the Pareto front holds what nothing else beats', () => {
  const points = [
    { cost: 1, value: 0.5 },
    { cost: 2, value: 0.4 },
    { cost: 2, value: 0.7 },
    { cost: 3, value: 0.7 },
    { cost: 4, value: 0.9 },
  ];
  assert.deepEqual(
    paretoFront(points, 'maximise').map((p) => [p.cost, p.value]),
    [
      [1, 0.5],
      [2, 0.7],
      [4, 0.9],
    ],
  );
  assert.deepEqual(
    paretoFront(points, 'minimise').map((p) => [p.cost, p.value]),
    [
      [1, 0.5],
      [2, 0.4],
    ],
  );
});

test('settings are listed by path', () => {
  assert.deepEqual(flatten({ a: { b: 1, c: [1, 2] }, d: null, e: [{ f: true }], g: {} }), [
    ['a.b', '1'],
    ['a.c', '[1,2]'],
    ['d', 'null'],
    ['e.0.f', 'true'],
    ['g', '{}'],
  ]);
});
