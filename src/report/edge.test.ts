import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseHTML } from 'linkedom';
import { networkCosts } from '../network/costs.ts';
import * as s from '../space/tree/builders.ts';
import type { ReportData, ReportTrial } from './data.ts';
import { bestOverTime, bestOverTrials, costScatter, learningCurves } from './figures/figures.ts';
import { showTick, wholeTicks } from './figures/plot.ts';
import { renderReport } from './html.ts';
import { noiseOf } from './noise.ts';
import { cellsOf, chooseSamples } from './samples.ts';
import { checkPage, textOf } from './testing/page.ts';
import { imageInfo } from './testing/trained.ts';

// Studies that are not as the common ones are: each must still have a readable page.

const accuracy = { metric: 'accuracy', direction: 'maximize', unit: 'share' } as const;
const network = s.sequential(s.conv(4, 3), s.relu(), s.globalAvgPool(), s.linear('outputs'));
const info = imageInfo([3, 6, 6]);
const start = Date.UTC(2026, 0, 2, 3, 4);

function trial(number: number, metrics: ReportTrial['metrics'], changes: Partial<ReportTrial> = {}): ReportTrial {
  return {
    trial: number,
    purpose: 'search',
    state: 'complete',
    architecture: `width=${number}`,
    metrics,
    costs: { params: 1000 + number, flops: 5000 - number },
    curve: [{ step: 1, metrics, seconds: 1 }],
    seconds: 10,
    startedAt: start + number * 10_000,
    endedAt: start + (number + 1) * 10_000,
    ...changes,
  };
}

function study(trials: readonly ReportTrial[], changes: Partial<ReportData> = {}): ReportData {
  const first = trials.find(({ state }) => state === 'complete');
  return {
    name: 'odd',
    dir: 'runs/odd',
    createdAt: start,
    finished: true,
    space: { name: 'small-cnn', options: {} },
    strategy: 'random',
    estimator: 'train',
    seed: 0,
    objectives: [accuracy],
    costs: [
      { name: 'params', label: 'Parameters', direction: 'minimize' },
      { name: 'flops', label: 'FLOPs', direction: 'minimize' },
    ],
    tested: accuracy,
    data: info,
    trials,
    seconds: 10,
    searchSeconds: 10,
    front: first === undefined ? [] : [first.trial],
    ...(first && {
      winner: {
        trial: first.trial,
        architecture: first.architecture,
        network,
        costs: networkCosts(network, info),
        metrics: { ...first.costs, ...first.metrics },
        runs: 1,
      },
    }),
    agreements: [],
    baselines: [],
    settings: {},
    commands: [],
    versions: { netsmith: '0.1.0' },
    ...changes,
  };
}

/** The circles of a figure. */
function circlesOf(svg: string): { readonly x: number; readonly y: number; readonly r: number }[] {
  const { document } = parseHTML(`<!doctype html><html><body>${svg}</body></html>`);
  return [...document.querySelectorAll('circle')].map((circle) => {
    const [x = Number.NaN, y = Number.NaN, r = Number.NaN] = ['cx', 'cy', 'r'].map((name) =>
      Number(circle.getAttribute(name)),
    );
    return { x, y, r };
  });
}

/** Circles and labels of an axis are within the figure's box. */
function withinBox(svg: string): void {
  const [width = 0, height = 0] = (/viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []).slice(1).map(Number);
  const circles = circlesOf(svg);
  assert.ok(circles.length > 0);
  for (const { x, y, r } of circles) {
    assert.ok(x - r >= 0 && x + r <= width, `x ${x} of ${width}`);
    assert.ok(y - r >= 0 && y + r <= height, `y ${y} of ${height}`);
  }
  const [, labels = ''] = /aria-label="y-axis tick label">(.*?)<\/g>/s.exec(svg) ?? [];
  const texts = [...labels.matchAll(/>([^<]+)<\/text>/g)].map(([, text]) => text ?? '');
  assert.ok(texts.length > 0, 'an axis with labels');
  for (const text of texts) assert.ok(text.length <= 8, `"${text}" is wider than the margin`);
  assert.equal(new Set(texts).size, texts.length, `labels differ: ${texts}`);
}

suite('figures of few or strange values', () => {
  test('one trial stands in the middle of its axes, whole', () => {
    const one = [trial(0, { accuracy: 0.975 })];
    for (const figure of [
      bestOverTrials(one, accuracy, 'validation'),
      bestOverTime(one, accuracy, 'validation'),
      learningCurves(one, accuracy, 0),
    ]) {
      assert.ok(figure);
      withinBox(figure.svg);
      const [{ x, y } = { x: 0, y: 0 }] = circlesOf(figure.svg);
      assert.ok(x > 60 && x < 450 && y > 40 && y < 230, `${x}, ${y}`);
    }
    assert.equal(costScatter(one, accuracy, { name: 'params', label: 'Parameters' }, 0, 'validation'), undefined);
    assert.match(bestOverTrials(one, accuracy, 'validation')?.svg ?? '', />2<\/text>/);
  });

  test('equal values, zeros, tiny and huge ones', () => {
    const loss = { metric: 'loss', direction: 'minimize', unit: 'nats' } as const;
    for (const value of [0, 1, 0.25, 1e-9, 3e30, -4.5, 123_456_789]) {
      const trials = [0, 1, 2].map((n) => trial(n, { loss: value }));
      for (const figure of [
        bestOverTrials(trials, loss, 'validation'),
        learningCurves(trials, loss, 1),
        costScatter(trials, loss, { name: 'params', label: 'Parameters' }, 1, 'validation'),
      ]) {
        assert.ok(figure);
        withinBox(figure.svg);
        assert.doesNotMatch(figure.svg, /NaN|Infinity/);
      }
    }
    for (const value of [0, 1])
      withinBox(bestOverTrials([trial(0, { accuracy: value })], accuracy, 'validation')?.svg ?? '');
  });

  test('ticks are short, and whole where they count', () => {
    assert.deepEqual([97.5, 0.1 + 0.2, 12_345_678, 100_000, -20_500, 3e30, 1e-7, -0.25, 0, 1500].map(showTick), [
      '97.5',
      '0.3',
      '12.3M',
      '100k',
      '−20.5k',
      '3e30',
      '1e-7'.replace('-', '−'),
      '−0.25',
      '0',
      '1500',
    ]);
    assert.deepEqual(
      [wholeTicks(0, 2), wholeTicks(1, 3), wholeTicks(0, 100)],
      [
        [0, 1, 2],
        [1, 2, 3],
        [0, 20, 40, 60, 80, 100],
      ],
    );
  });
});

test('failed trials alone, values that are not finite, and no trials at all', async () => {
  const failed = study([
    trial(0, {}, { state: 'failed', reason: 'out of <memory>', curve: [] }),
    trial(1, {}, { state: 'failed', reason: 'out of <memory>', curve: [] }),
  ]);
  const html = await renderReport(failed);
  checkPage(html);
  assert.match(textOf(html), /No trial is complete: 2 failed, 2 of them with “out of <memory>”/);
  checkPage(await renderReport(study([])));
  assert.match(textOf(await renderReport(study([]))), /No trial is complete, so there is no result yet/);
  const strange = study([
    trial(0, { accuracy: Number.NaN, loss: Number.POSITIVE_INFINITY }),
    trial(1, { accuracy: 0.5, loss: 1 }),
  ]);
  checkPage(await renderReport(strange));
});

test('5,000 trials: figures and table are thinned, which is said, and the file stays small', async () => {
  const many = Array.from({ length: 5000 }, (_, n) =>
    trial(
      n,
      { accuracy: 0.5 + ((n * 7919) % 4999) / 10_000, loss: 1 },
      {
        curve: [1, 2, 3].map((step) => ({ step, metrics: { accuracy: 0.1 * step }, seconds: 1 })),
      },
    ),
  );
  const made = study(many);
  assert.ok(made.winner);
  const html = await renderReport({ ...made, winner: { ...made.winner, trial: 1 } });
  const document = checkPage(html);
  assert.ok(html.length < 1_500_000, `${html.length} characters`);
  const text = textOf(html);
  assert.match(text, /1,0\d\d of 5,000 trials drawn/);
  assert.match(text, /150 of 5,000 curves drawn/);
  assert.match(text, /The 1,000 best of 5,000; netsmith trials runs\/odd lists all/);
  assert.equal(document.querySelectorAll('table[data-sortable] tr.best').length, 1, 'the winner is among them');
});

test('a regression: metrics without per cent, samples as rows', async () => {
  const r2 = { metric: 'r2', direction: 'maximize', unit: 'share' } as const;
  const data = { ...info, kind: 'regression', input: [2], outputs: 1, labels: ['price <€>'] } as const;
  const flat = s.sequential(s.linear(3), s.relu(), s.linear('outputs'));
  const made = study([trial(0, { r2: 0.9, mse: 123_456.7, loss: 0.1 }), trial(1, { r2: -12.5, mse: 9e9, loss: 13 })], {
    objectives: [r2],
    tested: r2,
    data,
  });
  assert.ok(made.winner);
  const samples = { of: 50, columns: ['area', 'town'], shown: [{ cells: ['12', 'Ulm'], truths: [3.5], values: [4] }] };
  const html = await renderReport({
    ...made,
    winner: { ...made.winner, network: flat, costs: networkCosts(flat, data) },
    test: { name: 'found', seeds: [0], metrics: [{ r2: 0.8, mse: 130_000 }], trainedOn: 'train + valid', samples },
  });
  checkPage(html);
  const text = textOf(html);
  assert.match(text, /Test r20\.81 seed/);
  assert.match(text, /1 of 50 test rows, the largest errors first/);
  assert.match(text, /True price <€>PredictedError *areatown *13\.540\.512Ulm/);
  assert.doesNotMatch(text, /0\.8\d* %/);
});

test('several objectives have their front in a table; a cost as the first is not what figures are of', async () => {
  const params = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
  const made = study([trial(0, { accuracy: 0.7 }), trial(1, { accuracy: 0.9 }), trial(2, { accuracy: 0.6 })], {
    objectives: [params, accuracy],
    front: [0, 1],
  });
  const html = await renderReport(made);
  checkPage(html);
  assert.match(textOf(html), /Pareto front: 2 trials that no other beats in every objective/);
  assert.match(html, /↑ accuracy \(validation, %\)/);
  assert.match(textOf(html), /Validation accuracy70\.00 %/);
});

test('a confusion of 100 classes with long names', async () => {
  const labels = Array.from({ length: 100 }, (_, i) => `a rather long name of class number ${i}, & "quoted" <b>`);
  const confusion = labels.map((_, i) =>
    labels.map((_, j) => (i === j ? 9 : j === (i + 1) % 100 && i % 3 === 0 ? 2 : 0)),
  );
  const html = await renderReport(
    study([trial(0, { accuracy: 0.9 })], {
      data: { ...info, labels, outputs: 100 },
      test: {
        name: 'found',
        seeds: [0, 1],
        metrics: [{ accuracy: 0.9 }, { accuracy: 0.91 }],
        trainedOn: 'train + valid',
        confusion,
      },
    }),
  );
  const document = checkPage(html);
  const picture = [...document.querySelectorAll('figure svg')].find((svg) =>
    /Confusion/.test(svg.getAttribute('aria-label') ?? ''),
  );
  assert.match(
    picture?.getAttribute('aria-label') ?? '',
    /100 classes on the test set: 900 of 968 samples on the diagonal/,
  );
  assert.ok(Number(picture?.getAttribute('width')) < 640);
  assert.ok((picture?.toString().length ?? 0) < 60_000, 'empty cells are not drawn');
  assert.match(textOf(html), /class number 0, & "quoted" <b>218\.2 %|a rather long name of class number 0.*218\.2 %/);
  assert.equal(document.querySelectorAll('b').length, 0);
});

test('sample images are in the file, each with what it is; text of the data is not markup', async () => {
  const image = 'data:image/png;base64,iVBORw0KGgo=';
  const shown = [
    { image, truth: 0, predicted: 1, confidence: 0.93 },
    { image, truth: 2, predicted: 2, confidence: 0.99 },
  ];
  const html = await renderReport(
    study([trial(0, { accuracy: 0.9 })], {
      data: { ...info, labels: ['ant', '<i>bee', 'cat', 'dog'] },
      test: {
        name: 'found',
        seeds: [0],
        metrics: [{ accuracy: 0.9 }],
        trainedOn: 'train + valid',
        samples: { of: 40, shown },
      },
    }),
  );
  const document = checkPage(html);
  const items = [...document.querySelectorAll('.samples li')];
  assert.deepEqual(
    items.map((item) => item.textContent),
    ['✗ <i>bee (93 %)true: ant', '✓ cat (99 %)'],
  );
  assert.deepEqual(
    items.map((item) => item.querySelector('img')?.getAttribute('alt')),
    ['Test image of class ant', 'Test image of class cat'],
  );
  assert.match(textOf(html), /2 of 40 test images, the most confident mistakes first; they are stored in this file/);
});

suite('which samples are shown', () => {
  const of = (output: Float32Array, target: Float32Array) => ({ outputs: { output }, truths: { target } });

  test('the most confident mistakes first, then right ones of different classes', () => {
    const logits = [
      [5, 0, 0, 0],
      [0, 3, 0, 0],
      [0, 9, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 4],
      [7, 0, 0, 0],
    ];
    const truths = Float32Array.from([0, 0, 0, 2, 3, 0]);
    const found = chooseSamples(info, of(Float32Array.from(logits.flat()), truths));
    assert.deepEqual(
      found.map(({ index }) => index),
      [2, 1, 0, 3, 4],
    );
    const broken = Float32Array.from(logits.flat(), (value, i) => (i < 4 ? Number.NaN : value));
    assert.ok(chooseSamples(info, of(broken, truths)).every(({ index }) => index !== 0));
  });

  test('of a regression the largest errors first, in deviations of their target', () => {
    const data = { ...info, kind: 'regression', outputs: 2, target: { mean: [0, 0], deviation: [100, 1] } } as const;
    const truths = Float32Array.from([0, 0, 50, 0, 0, 2]);
    const found = chooseSamples(data, of(new Float32Array(6), truths));
    assert.deepEqual(
      found.map(({ index }) => index),
      [2, 1, 0],
    );
  });

  test('a row of features is shown as the columns that it came from', () => {
    const encoding = {
      label: 'y',
      columns: [
        { name: 'size', kind: 'number', missing: 1 },
        { name: 'town', kind: 'category', categories: ['Ulm', ''] },
      ],
    } as const;
    assert.deepEqual(cellsOf(encoding, [2.5, 1, 0]), { columns: ['size', 'town'], cells: ['2.5', 'Ulm'] });
    assert.deepEqual(cellsOf(encoding, [2.5, 0, 1])?.cells, ['2.5', 'missing']);
    assert.deepEqual(cellsOf(encoding, [2.5, 0, 0])?.cells, ['2.5', 'other']);
    assert.equal(cellsOf(encoding, [2.5, 0]), undefined);
  });
});

test('noise: by the deviations of the seeds', () => {
  assert.equal(noiseOf([0.9], [0.8, 0.81]), 'unknown');
  assert.equal(noiseOf([0.9, 0.91, 0.92], [0.8, 0.81, 0.82]), 'beyond');
  assert.equal(noiseOf([0.9, 0.91, 0.92], [0.89, 0.905, 0.915]), 'within');
  assert.equal(noiseOf([0.9, 0.9], [0.9, 0.9]), 'within');
  assert.equal(noiseOf([0.9, 0.9], [0.8, 0.8]), 'beyond');
});
