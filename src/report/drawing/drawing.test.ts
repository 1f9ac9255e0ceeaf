import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOMParser } from 'linkedom';
import { networkCosts } from '../../network/costs.ts';
import { MODULE_CASES } from '../../network/testing/cases.ts';
import { parseArchitecture, resolve } from '../../space/index.ts';
import { SPACES } from '../../space/spaces/index.ts';
import { exampleTask } from '../../space/testing/example-task.ts';
import * as s from '../../space/tree/builders.ts';
import { reluConvBn, residualReduce } from '../../space/tree/composites.ts';
import type { Module } from '../../space/tree/module.ts';
import { blocksOf } from './blocks.ts';
import { drawArchitecture, drawPanels } from './draw.ts';
import { architectureText } from './text.ts';

const task = { kind: 'classification', input: [3, 16, 16], outputs: 10 } as const;
const cell = s.dag(2, (from, to) => (to === 2 && from === 0 ? s.zero() : reluConvBn(3)));
const network = s.sequential(
  s.conv(8, 3),
  s.batchNorm(),
  s.repeat(5, cell),
  residualReduce(16),
  s.repeat(5, cell),
  s.globalAvgPool(),
  s.linear('outputs'),
);

/** Well-formed SVG, and the texts in it. */
function textsOf(svg: string): string[] {
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
  assert.equal(document.documentElement?.nodeName, 'svg');
  assert.equal(document.toString().match(/<text/g)?.length ?? 0, svg.match(/<text/g)?.length ?? 0);
  assert.doesNotMatch(svg, /NaN|undefined|<script|href/);
  return [...document.querySelectorAll('text')].map((element) => element.textContent ?? '');
}

for (const { name, module } of MODULE_CASES) {
  test(`draws and writes: ${name}`, async () => {
    const texts = textsOf(await drawArchitecture(module));
    assert.ok(texts.includes('input') && texts.includes('output'));
    assert.notEqual(architectureText(module), '');
  });
}

test('every space draws with its choices open', async () => {
  for (const space of Object.values(SPACES)) {
    textsOf(await drawArchitecture(space.create(exampleTask(space, task)).root));
  }
});

test('a cell is drawn once, with its operations; repeats are counted', async () => {
  const texts = textsOf(await drawArchitecture(network));
  assert.equal(texts.filter((text) => text === 'cell').length, 1, 'one panel');
  assert.equal(texts.filter((text) => /^cell\s+×5$/.test(text)).length, 2, 'two places');
  assert.equal(blocksOf(network).cells.length, 1);
});

test('darts is drawn as its normal and its reduction cell, each once, with how often they occur and with which channels', async () => {
  const space = SPACES.darts.create({ ...task, input: [3, 32, 32] });
  const chosen = resolve(space, parseArchitecture(space, 'DARTS_V2'));
  const texts = textsOf(await drawArchitecture(chosen));
  assert.deepEqual(
    texts
      .filter((text) => /cell[ ,]|cell$/.test(text) && !/previous/.test(text))
      .map((text) => text.replace(/\s+/g, ' ')),
    [
      ...['normal cell, 16 channels ×2', 'reduction cell, 32 channels', 'normal cell, 32 channels ×2'],
      ...['reduction cell, 64 channels', 'normal cell, 64 channels ×2', 'normal cell', 'reduction cell'],
    ],
  );
  const panels = await drawPanels(chosen);
  assert.deepEqual(
    panels.map(({ heading }) => heading),
    ['Network', 'Normal cell', 'Reduction cell'],
  );
  const written = architectureText(chosen)
    .split('\n')
    .map((line) => line.trim());
  assert.equal(written.filter((line) => line === 'normal cell').length, 1);
  assert.equal(written.filter((line) => line === 'normal cell, as above').length, 5);
  assert.equal(written.filter((line) => line === 'reduction cell, as above').length, 1);
  // The cells after a reduction take their older input in another way, which is not lost.
  assert.equal(written.filter((line) => /^factorized reduce/.test(line)).length, 2);
});

test('different cells that are of one kind are called by letters', async () => {
  const other = s.dag(2, () => s.identity());
  const texts = textsOf(await drawArchitecture(s.sequential(cell, other, cell)));
  assert.deepEqual(
    texts.filter((text) => /^cell [A-Z]$/.test(text)),
    ['cell A', 'cell B', 'cell A', 'cell A', 'cell B'],
  );
});

test('a drawing has a dark theme for browsers, and the light one in its own attributes for everything else', async () => {
  const svg = await drawArchitecture(network);
  assert.match(svg, /<style>@media screen and \(prefers-color-scheme:dark\)/);
  for (const [, name] of svg.matchAll(/class="(nd-[a-z]+)/g)) assert.ok(svg.includes(`.${name}{`), name);
  for (const [shape] of svg.matchAll(/<(?:rect|text)[^>]*>/g)) assert.match(shape, / fill="/);
});

test('a chosen option shows its key', async () => {
  const chosen = s.dag(1, () => ({ kind: 'choice', name: '0->1', options: { nor_conv_3x3: reluConvBn(3) } }) as const);
  assert.ok(textsOf(await drawArchitecture(chosen)).includes('nor_conv_3x3'));
  assert.match(architectureText(chosen), /0 -> 1 nor_conv_3x3/);
});

test('equal neighbors are counted even where the tree does not repeat them', () => {
  const block = s.residual(s.conv('same', 3));
  const { root } = blocksOf(s.sequential(block, block, block));
  assert.equal(root.kind === 'repeat' && root.times, '×3');
});

test('names from outside are escaped', async () => {
  const name = `<script>"&'\u0000`;
  const open: Module = { kind: 'choice', name, options: { 'a<b': s.relu(), 'c&d': s.sigmoid() } };
  const texts = textsOf(await drawArchitecture(open, { title: name }));
  assert.ok(texts.some((text) => text.includes('<script>')));
});

test('the text shows output, parameters and FLOPs of each line, of everything below it', () => {
  const { layers } = networkCosts(network, task);
  const text = architectureText(network, layers);
  assert.match(text, /^conv 3×3, 8 +\[8, 16, 16\] +216 +55\.3 k$/m);
  // Five cells of two edges, each a 3x3 convolution of 8 channels and its batch norm.
  assert.match(text, /^repeat ×5 +\[8, 16, 16\] +5,920 +1\.47 M$/m);
  // What stands inside a repeat is counted for all of its repetitions, so that the lines add up.
  assert.match(text, /^ +conv 3×3 +\[8, 16, 16\] +2,880 +737 k$/m);
  const { params } = networkCosts(network, task);
  assert.match(text, new RegExp(`^total +\\[.*\\] +${params.toLocaleString('en-US')} `, 'm'));
});

test('layers of sequences and dense prediction are named with what is chosen about them', () => {
  const text = architectureText(
    s.sequential(
      s.shared('tokens', s.embedding('inputs', 8)),
      s.attention(2, { causal: true, window: 3 }),
      s.layerNorm({ axes: 'channel' }),
      s.recurrent('gru', s.pick('units', [4, 8])),
      s.conv(8, [1, 3], { stride: [2, 1] }),
      s.convTranspose(4, 4, { stride: 2 }),
      s.resize('input', { mode: 'bilinear' }),
      s.last(),
    ),
  );
  assert.deepEqual(text.split('\n'), [
    'shared tokens',
    '  embedding of inputs, 8',
    'causal attention, heads 2, window 3',
    'layer norm by position',
    'GRU, units {4, 8}',
    'conv 1×3, 8, stride 2×1',
    'transposed conv 4×4, 4, stride 2',
    'bilinear resize to the input',
    'last position',
  ]);
});
