import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { rng } from '../../../common/random.ts';
import { sharedData } from '../../../common/testing/shared-data.ts';
import { createGraph, finish } from '../../../graph/builder.ts';
import { interpret } from '../../../graph/interpret.ts';
import { sizeOf } from '../../../graph/ir.ts';
import * as ops from '../../../graph/ops.ts';
import { networkCosts } from '../../../network/costs.ts';
import { lowerNetwork } from '../../../network/lower.ts';
import type { Task } from '../../space.ts';
import { searchSpaceConformance } from '../../testing/conformance.ts';
import { architectureKey, formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { recurrentGraph } from '../../tree/builders.ts';
import { resolve } from '../../tree/resolve.ts';
import { searchSpaceOf } from '../../tree/tree-search-space.ts';
import { listedCells, nasBenchNlp } from './nas-bench-nlp.ts';
import { publishedNodes, recipeOf } from './nlp-recipe.ts';

const languageModel = (time: number, vocabulary: number): Task => ({
  kind: 'language-model',
  input: [time],
  positions: [time],
  vocabulary,
  outputs: vocabulary,
});
const space = nasBenchNlp.create(languageModel(1, 33_278));

/** Of the release: rows 1000001, 1000002, 1000000 and 1000050, and their parameters on WikiText-2. */
const LSTM =
  '{"i": {"op": "linear", "input": ["x", "h_prev_0"]}, "i_act": {"op": "activation_tanh", "input": ["i"]}, "j": {"op": "linear", "input": ["x", "h_prev_0"]}, "j_act": {"op": "activation_sigm", "input": ["j"]}, "f": {"op": "linear", "input": ["x", "h_prev_0"]}, "f_act": {"op": "activation_sigm", "input": ["f"]}, "o": {"op": "linear", "input": ["x", "h_prev_0"]}, "o_act": {"op": "activation_tanh", "input": ["o"]}, "h_new_1_part1": {"op": "elementwise_prod", "input": ["f_act", "h_prev_1"]}, "h_new_1_part2": {"op": "elementwise_prod", "input": ["i_act", "j_act"]}, "h_new_1": {"op": "elementwise_sum", "input": ["h_new_1_part1", "h_new_1_part2"]}, "h_new_1_act": {"op": "activation_tanh", "input": ["h_new_1"]}, "h_new_0": {"op": "elementwise_prod", "input": ["h_new_1_act", "o_act"]}}';
const GRU =
  '{"r": {"op": "linear", "input": ["x", "h_prev_0"]}, "r_act": {"op": "activation_sigm", "input": ["r"]}, "z": {"op": "linear", "input": ["x", "h_prev_0"]}, "z_act": {"op": "activation_sigm", "input": ["z"]}, "rh": {"op": "elementwise_prod", "input": ["r_act", "h_prev_0"]}, "h_tilde": {"op": "linear", "input": ["x", "rh"]}, "h_tilde_act": {"op": "activation_tanh", "input": ["h_tilde"]}, "h_new_0": {"op": "blend", "input": ["z_act", "h_prev_0", "h_tilde_act"]}}';
const RNN = '{"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}';
const paramsOf = (recipe: string) => networkCosts(resolve(space, parseArchitecture(space, recipe)), space.task).params;

test('cells of the release have the parameters that it counts', () => {
  assert.equal(paramsOf(LSTM), 20_230_878);
  assert.equal(paramsOf(GRU), 18_509_278);
  assert.equal(paramsOf(RNN), 15_066_078);
});

const file = sharedData('nas-tables/nas-bench-nlp-wikitext2.csv.gz');

test('all 345 rows of the table are read, and their parameters are those of the table', { skip: file.skip }, () => {
  const rows: readonly { recepie_json: string; num_params: string }[] = parse(gunzipSync(readFileSync(file.url)), {
    columns: true,
  });
  assert.equal(rows.length, 345);
  const counted = new Map<string, number>();
  for (const { recepie_json: recipe, num_params: expected } of rows) {
    const architecture = parseArchitecture(space, recipe);
    const text = formatArchitecture(space, architecture);
    assert.deepEqual(parseArchitecture(space, text), architecture);
    const params = counted.get(text) ?? paramsOf(recipe);
    counted.set(text, params);
    assert.equal(params, Number(expected), text);
  }
});

test('names, order and inputs that may change places make no other cell', () => {
  const one = parseArchitecture(space, 'h_new_0=sum(b,h_prev_0) b=tanh(a) a=linear(x,h_prev_0) unused=tanh(a)');
  const other = parseArchitecture(space, 'p=linear(h_prev_0,x) h_new_0=sum(h_prev_0,q) q=tanh(p)');
  assert.equal(architectureKey(one), architectureKey(other));
  assert.equal(formatArchitecture(space, one), 'n0=linear(h_prev_0,x) n1=tanh(n0) h_new_0=sum(h_prev_0,n1)');
});

test('nodes that make no valid cell are refused with the rule', () => {
  const refuses = (text: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, text), { name: 'UserError', message });
  refuses('h_new_0=tanh(a) a=tanh(h_new_0)', /in a circle/u);
  refuses('h_new_1=tanh(x)', /h_new_0/u);
  refuses('h_new_0=tanh(x)', /reads x; only linear does/u);
  refuses('h_new_0=linear(x,h_prev_1)', /reads "h_prev_1"; must be x, a state or a node/u);
  refuses('h_new_0=tanh(h_prev_0)', /does not read x/u);
  refuses('h_new_0=blend(x)', /blend reads 3/u);
  refuses('h_new_0=swish(x)', /must be one of linear, sum/u);
  refuses('h_new_0', /part 1 is "h_new_0"; must be NODE=OPERATION/u);
  refuses('{"h_new_0": {"op": "conv", "input": ["x"]}}', /op of h_new_0 is "conv"; must be one of linear, blend/u);
});

test('the cell of a GRU is that of plain loops', () => {
  const [batch, channels, units, time] = [2, 3, 4, 3];
  const { nodes } = recipeOf(publishedNodes(JSON.parse(GRU), 'GRU'), 24, 'GRU');
  const g = createGraph();
  const x = ops.input(g, 'x', [batch, channels, time]);
  const { output, parameters } = lowerNetwork(g, recurrentGraph(units, nodes), x, {
    outputs: 1,
    shape: 'any',
    mode: 'infer',
  });
  const random = rng('gru');
  const draw = (shape: readonly number[]) => ({
    shape,
    data: Array.from({ length: sizeOf(shape) }, () => random.normal()),
  });
  const feeds = Object.fromEntries([
    ['x', draw([batch, channels, time])],
    ...parameters.map((p) => [p.path, draw(p.shape)]),
  ]);
  const found = interpret(finish(g, { output }), feeds).output?.data ?? [];

  const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
  const numbers = (name: string): readonly number[] => feeds[name]?.data ?? [];
  const values = new Map<string, readonly number[]>();
  for (let n = 0; n < batch; n++) {
    values.set('h_prev_0', Array(units).fill(0));
    for (let t = 0; t < time; t++) {
      const of = (name: string) => values.get(name) ?? [];
      values.set(
        'x',
        Array.from({ length: channels }, (_, c) => numbers('x')[(n * channels + c) * time + t] ?? Number.NaN),
      );
      for (const { name, op, from } of nodes) {
        const [a, b, c] = from.map(of);
        const make = (u: number): number => {
          const [first, second, third] = [a?.[u] ?? Number.NaN, b?.[u] ?? Number.NaN, c?.[u] ?? Number.NaN];
          if (op === 'linear')
            return from.reduce(
              (sum, one, k) =>
                sum +
                of(one).reduce((s, v, i) => s + v * (numbers(`${name}/${k}/weight`)[u * of(one).length + i] ?? 0), 0),
              numbers(`${name}/bias`)[u] ?? Number.NaN,
            );
          if (op === 'product') return first * second;
          if (op === 'blend') return first * second + (1 - first) * third;
          return op === 'sigmoid' ? sigmoid(first) : Math.tanh(first);
        };
        values.set(
          name,
          Array.from({ length: units }, (_, u) => make(u)),
        );
      }
      values.set('h_prev_0', of('h_new_0'));
      for (let u = 0; u < units; u++)
        assert.ok(Math.abs((found[(n * units + u) * time + t] ?? Number.NaN) - (of('h_new_0')[u] ?? 9)) < 1e-9);
    }
  }
});

const small = nasBenchNlp.create(languageModel(3, 5), { embedding: 4, hidden: 6, layers: 2 });
const network = (one: Parameters<typeof networkCosts>[0]) => networkCosts(one, small.task);
searchSpaceConformance(searchSpaceOf(small), { network, samples: 8 });

test('random cells are of many kinds, and a mutation changes little', () => {
  const members = searchSpaceOf(small);
  const cells = Array.from({ length: 60 }, (_, i) => members.sample(rng('cells', i)));
  const texts = cells.map((one) => members.format(one));
  assert.ok(new Set(texts).size > 50);
  for (const op of ['linear', 'sum', 'product', 'blend', 'tanh', 'sigmoid', 'leakyRelu'])
    assert.ok(
      texts.some((text) => text.includes(`${op}(`)),
      op,
    );
  for (const state of ['h_new_1', 'h_new_2'])
    assert.ok(
      texts.some((text) => text.includes(state)),
      state,
    );
});

const listed = listedCells(
  small,
  [LSTM, GRU, RNN, 'h_new_0=sigmoid(a) a=linear(x,h_prev_0)', 'h_new_0=tanh(a) a=linear(x,h_prev_0,h_prev_0)'].map(
    (text) => parseArchitecture(small, text),
  ),
);
searchSpaceConformance(searchSpaceOf({ ...listed, name: 'listed cells' }), { samples: 5 });

test('a space of listed cells has no others', () => {
  const other = parseArchitecture(small, 'h_new_0=leakyRelu(a) a=linear(x,h_prev_0)');
  assert.throws(() => searchSpaceOf(listed).check(other), { name: 'UserError', message: /is not listed/u });
});
