import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCosts } from '../network/costs.ts';
import * as s from '../space/tree/builders.ts';
import type { ReportData, ReportTrial } from './data.ts';
import { bestSoFar, busyTime, measured, paretoFront } from './figures/series.ts';
import { renderReport } from './html.ts';
import { flatten } from './sections/reproduce.ts';
import { checkPage, textOf } from './testing/page.ts';
import { imageInfo } from './testing/trained.ts';

const accuracy = { metric: 'accuracy', direction: 'maximize', unit: 'share' } as const;
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
  dir: 'runs/one',
  createdAt: start,
  finished: true,
  space: { name: 'small-cnn', options: { depth: 3 }, size: '81' },
  strategy: 'random',
  estimator: 'train',
  seed: 7,
  objectives: [accuracy],
  costs: [
    { name: 'params', label: 'Parameters', direction: 'minimize' },
    { name: 'flops', label: 'FLOPs', direction: 'minimize' },
  ],
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
  searchSeconds: 40,
  front: [2],
  modelBytes: 2048,
  winner: {
    trial: 2,
    architecture: 'width=2',
    network,
    costs: networkCosts(network, info),
    metrics: { accuracy: 0.89667, loss: 0.1 },
    runs: 3,
  },
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
  baselines: [
    {
      name: 'resnet',
      seeds: [0, 1],
      metrics: [{ accuracy: 0.8 }, { accuracy: 0.82 }],
      costs: { params: 1056, flops: 9000 },
    },
  ],
  settings: { train: { epochs: 2, learningRate: 0.05 }, objectives: ['accuracy'], secret: '<i>' },
  commands: ['netsmith search --data "a b" --seed 7'],
  versions: { netsmith: '0.1.0', node: '24' },
};

test('baselines that are no networks have a table, and the verdict names the best of them', async () => {
  const one = { seconds: 2, notes: [] };
  const classical = [
    { ...one, name: 'majority', validation: { accuracy: 0.3 }, test: { accuracy: 0.25 } },
    {
      ...{ ...one, name: 'boosted-trees', validation: { accuracy: 0.9 }, test: { accuracy: 0.9 } },
      ...{ exported: 'best/baselines/boosted-trees.onnx', notes: ['The time limit ended it early.'] },
    },
  ];
  const text = textOf(await renderReport({ ...data, classical }));
  for (const part of [
    'The best baseline that is not a neural network, boosted-trees, is 2.00 points better (90.00 %): best/baselines/boosted-trees.onnx.',
    'boosted-trees: The time limit ended it early.',
    'majority25.00 %−63.00 points30.00 %2.0 s',
  ])
    assert.ok(text.includes(part), part);
  assert.ok(text.indexOf('boosted-trees90.00 %') < text.indexOf('majority25.00 %'));
  const [worse] = classical;
  const without = textOf(await renderReport({ ...data, classical: worse === undefined ? [] : [worse], baselines: [] }));
  assert.ok(without.includes('majority, is 63.00 points worse (25.00 %).'), without.slice(0, 600));
});

test('tiles and the verdict come first, then the contents; facts stand in tables', async () => {
  const html = await renderReport(data);
  const document = checkPage(html);
  const tiles = [...document.querySelectorAll('.tiles > div')].map((tile) =>
    [...tile.children].map(({ textContent }) => textContent?.replaceAll('\u00a0', ' ')),
  );
  assert.deepEqual(tiles, [
    ['Test accuracy', '88.00 %', '± 1.41, 2 seeds'],
    ['Validation accuracy', '89.67 %', 'trial 2, mean of 3 runs'],
    ['Parameters', '128', '128'],
    ['FLOPs', '3.91 k', 'per sample'],
    ['Model file', '2.00 KiB', 'best/model.onnx'],
    ['Search time', '40.0 s', '55.0 s of training'],
    ['Trials', '3', 'complete, 1 failed'],
  ]);
  const order = ['class="tiles"', 'class="verdict', '<nav', '<section'].map((part) => html.indexOf(part));
  assert.deepEqual(
    order,
    order.toSorted((x, y) => x - y),
  );
  const text = textOf(html);
  for (const part of [
    'Verdict: Trial 2 is 7.00 points better than the baseline, resnet, in test accuracy: 88.00 % ± 1.41 against 81.00 % ± 1.41 (beyond the noise of 2 seeds), with 8.3 times fewer parameters.',
    'Random search tried 4 of 81 architectures in small-cnn.',
    '3 complete, 1 failed',
    '91.00 %89.00 % ± 1.41−1.00 points', // Its search value, its confirmations, and how far below them its test value is.
    '−7.00 points', // The baseline against the found one.
    'Confusion matrix on the test set (2 seeds summed; rows normalized).',
    'the loss is <NaN> in epoch 2',
    'netsmith search --data "a b" --seed 7',
    'train.learningRate',
    'A <script>note</script>.',
  ]) {
    assert.ok(text.includes(part), `"${part}" in the report:\n${text}`);
  }
  assert.equal(document.querySelectorAll('#content p').length, 0, 'no paragraph of prose');
});

test('one file, in which nothing of the data is markup', async () => {
  const html = await renderReport(data);
  const document = checkPage(html);
  assert.equal(document.querySelectorAll('img, b, i').length, 0);
  assert.equal(document.querySelectorAll('figure svg[role=img]').length, 7, 'five of the search, confusion, drawing');
  assert.equal(document.querySelectorAll('table[data-sortable] tr.best').length, 1);
});

test('light and dark themes and paper: figures and drawing take their colors from the theme', async () => {
  const html = await renderReport(data);
  assert.match(html, /@media screen and \(prefers-color-scheme: dark\)/);
  assert.match(html, /@media print/);
  const document = checkPage(html);
  for (const svg of document.querySelectorAll('#search ~ .figures svg')) {
    assert.doesNotMatch(svg.toString(), /(?:fill|stroke)="#/, 'no color of its own');
  }
  // Every variable that is used is there in both themes.
  const used = new Set([...html.matchAll(/var\((--[a-z0-9-]+)\)/g)].map(([, name]) => name ?? ''));
  const [, light = '', dark = ''] = /:root \{([^}]*)\}[^{]*\{ :root \{([^}]*)\}/.exec(html) ?? [];
  for (const name of used) {
    if (name.startsWith('--plot')) continue;
    assert.ok(light.includes(`${name}:`) && dark.includes(`${name}:`), name);
  }
});

test('colors of text have a contrast of 4.5 on what they stand on, in both themes', async () => {
  const html = await renderReport(data);
  const [, light = '', dark = ''] = /:root \{([^}]*)\}[^{]*\{ :root \{([^}]*)\}/.exec(html) ?? [];
  const luminance = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const theme of [light, dark]) {
    const color = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(theme)?.[1] ?? '';
    for (const ink of ['ink', 'quiet', 'accent', 'warm', 'good', 'bad']) {
      for (const ground of ['page', 'panel']) {
        const [low = 0, high = 0] = [luminance(color(ink)), luminance(color(ground))].toSorted((x, y) => x - y);
        assert.ok((high + 0.05) / (low + 0.05) >= 4.5, `${ink} on ${ground}`);
      }
    }
  }
});

test('a difference within the noise of the seeds is called so; one seed has no noise to judge by', async () => {
  const close = { name: 'resnet', seeds: [0, 1], metrics: [{ accuracy: 0.86 }, { accuracy: 0.895 }] };
  const near = textOf(await renderReport({ ...data, baselines: [close] }));
  assert.match(
    near,
    /0\.25 points better than the baseline, resnet.*\(within the noise of 2 seeds\).*More seeds narrow the noise: netsmith evaluate runs\/one --seeds 5/,
  );
  const one = { ...close, seeds: [0], metrics: [{ accuracy: 0.9 }] };
  assert.match(
    textOf(await renderReport({ ...data, baselines: [one] })),
    /2\.00 points worse than .*\(1 seed, so the noise is unknown\)/,
  );
  const far = { ...close, metrics: [{ accuracy: 0.99 }, { accuracy: 0.991 }] };
  assert.match(
    textOf(await renderReport({ ...data, baselines: [close, far] })),
    /points worse than the best baseline, resnet.*A longer search/,
  );
});

test('a study that was not evaluated says so, with the command, and shows no test value', async () => {
  const { test: _, ...rest } = data;
  const html = await renderReport({ ...rest, baselines: [], finished: false });
  checkPage(html);
  const text = textOf(html);
  assert.match(text, /Test accuracy–not measured yet: netsmith evaluate runs\/one/);
  assert.match(text, /Trial 2 is the best so far: 89\.67 % validation accuracy with 128 parameters/);
  assert.match(text, /The test set has not been used yet/);
  assert.match(text, /netsmith resume runs\/one/);
  assert.doesNotMatch(text, /Confusion|Sample predictions/);
});

test('an evaluation of another trial than the winner is named, and gives the winner no test value', async () => {
  const { test: _, ...rest } = data;
  const text = textOf(await renderReport({ ...rest, baselines: [], testedInstead: 3 }));
  assert.match(text, /Only trial 3 has been tested/);
  assert.doesNotMatch(text, /has not been used|not measured on/);
});

test('the report shows how the winner was chosen, and the exported file value beside the mean of the seeds', async () => {
  const { winner, test: tested } = data;
  assert.ok(winner && tested);
  const by = 'The best by mean accuracy over search trial and confirmations';
  const html = await renderReport({
    ...data,
    winner: { ...winner, by },
    test: { ...tested, ofFile: { accuracy: 0.8712 } },
  });
  checkPage(html);
  assert.match(
    textOf(html),
    /The best by mean accuracy over search trial and confirmations\. Validation values selected/,
  );
  assert.match(textOf(html), /Test, exported file.*87\.12 %/);
  const one = { ...tested, seeds: [0], metrics: [{ accuracy: 0.8712 }], ofFile: { accuracy: 0.8712 } };
  assert.doesNotMatch(textOf(await renderReport({ ...data, test: one })), /exported file/);
});

test('rank correlations are shown of 20 architectures and more', async () => {
  const agreement = { estimate: 'params', truth: 'after 8 epochs', pairs: 24, tau: 0.613 };
  const of = async (pairs: number) =>
    textOf(await renderReport({ ...data, agreements: [{ ...agreement, pairs, interval: [-0.1, 0.78] }] }));
  assert.match(
    await of(24),
    /Kendall tau between parameter count and the value after 8 epochs: 0\.61 \(95 % CI −0\.10 to 0\.78, n=24\)/,
  );
  assert.doesNotMatch(await of(19), /Kendall/);
});

test('what the time of the workers went to is said where it is known', async () => {
  const account = { workerSeconds: 200, train: 150, valid: 30, compile: 10, idle: 6, other: 4 };
  const text = textOf(await renderReport({ ...data, account }));
  assert.match(
    text,
    /Worker time *training steps 75\.0 %, validation 15\.0 %, compiling 5\.0 %, idle 3\.0 %, other 2\.0 %/,
  );
  assert.doesNotMatch(textOf(await renderReport(data)), /Worker time/);
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
  const loss = { metric: 'loss', direction: 'minimize', unit: 'nats' } as const;
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
    paretoFront(points, 'maximize').map((p) => [p.cost, p.value]),
    [
      [1, 0.5],
      [2, 0.7],
      [4, 0.9],
    ],
  );
  assert.deepEqual(
    paretoFront(points, 'minimize').map((p) => [p.cost, p.value]),
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
