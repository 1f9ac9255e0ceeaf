import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { createGraph, finish } from '../../../graph/builder.ts';
import { type FedTensor, interpret } from '../../../graph/interpret.ts';
import { sizeOf } from '../../../graph/ir.ts';
import * as ops from '../../../graph/ops.ts';
import { networkCosts } from '../../../network/costs.ts';
import { type LowerOptions, lowerNetwork } from '../../../network/lower.ts';
import type { Architecture, Space, Task } from '../../space.ts';
import { searchSpaceConformance } from '../../testing/conformance.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { decisions } from '../../tree/decisions.ts';
import { derive } from '../../tree/derive.ts';
import type { Module } from '../../tree/module.ts';
import { resolve, supernet } from '../../tree/resolve.ts';
import { searchSpaceOf } from '../../tree/tree-search-space.ts';
import { SPACES } from '../index.ts';
import { RNN_CELLS } from './published-rnn-cells.ts';
import { rnnCell } from './rnn-cell.ts';

const languageModel = (time: number, vocabulary: number): Task => ({
  kind: 'language-model',
  input: [time],
  positions: [time],
  vocabulary,
  outputs: vocabulary,
});
const [TIME, WORDS, UNITS, BATCH] = [6, 5, 4, 3];
const task = languageModel(TIME, WORDS);
const small = { units: UNITS };

test('Penn Treebank: parameters of the published cells at 850 units', () => {
  const paramsOf = (name: keyof typeof RNN_CELLS, options = {}) => {
    const space = rnnCell.create(languageModel(35, 10_000), { units: 850, ...options });
    return networkCosts(resolve(space, parseArchitecture(space, name)), space.task).params;
  };
  assert.equal(paramsOf('DARTS_V1'), 22_960_000);
  assert.equal(paramsOf('DARTS_V2'), 22_960_000);
  assert.equal(paramsOf('ENAS', RNN_CELLS.ENAS.options), 27_295_000);
});

test('the space: 2 · 4^8 · 8! cells, with the decisions of the network that is searched', () => {
  const space = rnnCell.create(task, small);
  assert.equal(count(space), 2n * 4n ** 8n * 40_320n);
  const searched = rnnCell.create(task, { ...small, search: true });
  assert.deepEqual(
    decisions(searched).map(({ name }) => name),
    decisions(space).map(({ name }) => name),
  );
  assert.equal(SPACES['rnn-cell'], rnnCell);
});

suite('genotypes', () => {
  const space = rnnCell.create(task, small);
  const refuses = (text: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, text), { name: 'UserError', message });

  test('published ones are members, by name and in their notation, and are written as they are published', () => {
    for (const [name, { text, ...one }] of Object.entries(RNN_CELLS)) {
      const own = rnnCell.create(task, { ...small, ...('options' in one && one.options) });
      const architecture = parseArchitecture(own, name);
      assert.equal(formatArchitecture(own, architecture), text);
      assert.deepEqual(parseArchitecture(own, text.replaceAll("'", '"').replaceAll(' ', '')), architecture);
    }
    const listed = RNN_CELLS.DARTS_V2.text.replace('range(1, 9)', '[1, 2, 3, 4, 5, 6, 7, 8]');
    assert.deepEqual(parseArchitecture(space, listed), parseArchitecture(space, 'DARTS_V2'));
  });

  test('a cell whose nodes all read node 0 puts out all nodes either way', () => {
    const pairs = Array(8).fill("('tanh', 0)").join(', ');
    const range = parseArchitecture(space, `Genotype(recurrent=[${pairs}], concat=range(1, 9))`);
    const list = parseArchitecture(space, `Genotype(recurrent=[${pairs}], concat=[1, 2, 3, 4, 5, 6, 7, 8])`);
    assert.deepEqual([range.output, list.output], ['mean', 'looseMean']);
    for (const one of [range, list]) assert.deepEqual(parseArchitecture(space, formatArchitecture(space, one)), one);
  });

  test('malformed ones are refused with place, value and rule', () => {
    const { text } = RNN_CELLS.DARTS_V2;
    refuses('LSTM', /has no recurrent=\[...\]; must be .*, or one of DARTS_V1, DARTS_V2, ENAS/u);
    refuses('ENAS', /recurrent has 11 pairs; must have 8, as the option nodes says/u);
    refuses(text.replace("('relu', 1)", "('relu', 2)"), /node 2 reads 2; must be a node below 2/u);
    refuses(text.replace('sigmoid', 'softmax'), /"0->1" is "softmax"; must be one of tanh, relu, sigmoid, identity/u);
    refuses(text.replace('range(1, 9)', '[2, 3]'), /concat is \[2, 3\]; must be range\(1, 9\), or .* \[4, 6, 7, 8\]/u);
  });
});

/** Any task's network on random tokens, with random weights; `feeds` has all that was drawn. */
function lowered(network: Module, time: number, options: Partial<LowerOptions> = {}) {
  const g = createGraph();
  const x = ops.input(g, 'x', [BATCH, time], 'int32');
  const about = { outputs: WORDS, vocabulary: WORDS, shape: [WORDS, time], mode: 'infer' as const };
  const found = lowerNetwork(g, network, x, { ...about, ...options });
  const random = rng('weights');
  const draw = (shape: readonly number[]) => Array.from({ length: sizeOf(shape) }, () => 0.7 * random.normal());
  const feeds: Record<string, FedTensor> = {};
  for (const { path, shape } of [...found.parameters, ...found.architecture])
    feeds[path] = { shape, data: draw(shape) };
  const ends = Object.fromEntries(found.states.map(({ name, output }) => [name, output]));
  const graph = finish(g, { output: found.output, ...ends });
  return {
    ...found,
    feeds,
    run: (given: Readonly<Record<string, FedTensor>>) => interpret(graph, { ...feeds, ...given }),
  };
}

const tokens = Array.from({ length: BATCH * TIME }, (_, i) => (i * i + 2) % WORDS);
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const FUNCTIONS = {
  tanh: Math.tanh,
  relu: (v: number) => Math.max(0, v),
  sigmoid,
  identity: (v: number) => v,
} as const;
type Activation = keyof typeof FUNCTIONS;

/** What a node makes of h: h + σ(c) · (f(a) − h), [c, a] = W h. */
type Edge = (h: readonly number[], weight: readonly number[], node: number) => readonly number[];

/** Logits [BATCH, WORDS, TIME] of a cell in plain loops: `nodes` gives the states of all nodes after node 0, `loose` those that count. */
function expected(
  feeds: Readonly<Record<string, FedTensor>>,
  nodes: (state: readonly number[], edge: (fn: Activation) => Edge) => readonly (readonly number[])[],
): readonly number[] {
  const numbers = (name: string) => (feeds[name]?.data ?? []) as readonly number[];
  const [embedding, bias] = [numbers('shared/tokens/weight'), numbers('shared/tokens/bias')];
  const row = (weight: readonly number[], r: number, x: readonly number[]) =>
    x.reduce((sum, v, i) => sum + v * (weight[r * x.length + i] ?? Number.NaN), 0);
  const gate = (h: readonly number[], sums: (r: number) => number, fn: Activation) =>
    h.map((v, u) => v + sigmoid(sums(u)) * (FUNCTIONS[fn](sums(UNITS + u)) - v));
  const logits = Array<number>(BATCH * WORDS * TIME);
  for (let n = 0; n < BATCH; n++) {
    let h: readonly number[] = Array(UNITS).fill(0);
    for (let t = 0; t < TIME; t++) {
      const token = tokens[n * TIME + t] ?? 0;
      const x = embedding.slice(token * UNITS, (token + 1) * UNITS);
      const [before, input, hidden] = [h, numbers('1/input/weight'), numbers('1/hidden/weight')];
      const entered = gate(before, (r) => row(input, r, x) + row(hidden, r, before), 'tanh');
      const states = nodes(entered, (fn) => (from, weight) => gate(from, (r) => row(weight, r, from), fn));
      h = entered.map((_, u) => states.reduce((sum, state) => sum + (state[u] ?? 0), 0) / states.length);
      for (let w = 0; w < WORDS; w++) logits[(n * WORDS + w) * TIME + t] = row(embedding, w, h) + (bias[w] ?? 0);
    }
  }
  return logits;
}

function assertClose(actual: ArrayLike<number> | undefined, wanted: readonly number[], tolerance = 1e-9): void {
  assert.equal(actual?.length, wanted.length);
  const worst = Math.max(...wanted.map((v, i) => Math.abs(v - (actual?.[i] ?? Number.NaN))));
  assert.ok(worst < tolerance, `${worst}`);
}

/** The pairs of a genotype: activation and node of each node. */
const pairsOf = (text: string) =>
  [...text.matchAll(/\('(\w+)', (\d+)\)/gu)].map(([, fn, from]) => [fn as Activation, Number(from)] as const);

for (const [name, one] of Object.entries(RNN_CELLS))
  test(`${name}: the forward pass is that of plain loops, in one window or two with the state carried`, () => {
    const space = rnnCell.create(task, { ...small, ...('options' in one && one.options) });
    const network = resolve(space, parseArchitecture(space, name));
    const whole = lowered(network, TIME);
    const pairs = pairsOf(one.text);
    const loose = pairs.map((_, i) => i + 1).filter((node) => pairs.every(([, from]) => from !== node));
    const wanted = expected(whole.feeds, (state, edge) => {
      const states = [state];
      for (const [i, [fn, from]] of pairs.entries()) {
        const weight = whole.feeds[`shared/node${i + 1}/weight`]?.data as readonly number[];
        states.push(edge(fn)(states[from] ?? [], weight, i + 1));
      }
      return name === 'ENAS' ? loose.map((node) => states[node] ?? []) : states.slice(1);
    });
    assertClose(whole.run({ x: { shape: [BATCH, TIME], data: tokens } }).output?.data, wanted);

    const half = lowered(network, TIME / 2, { state: true });
    const [state] = half.states;
    assert.deepEqual([state?.name, state?.shape], ['1/state/hidden', [BATCH, UNITS]]);
    let carried: FedTensor = { shape: [BATCH, UNITS], data: Array<number>(BATCH * UNITS).fill(0) };
    for (const from of [0, TIME / 2]) {
      const inside = (i: number) => i % TIME >= from && i % TIME < from + TIME / 2;
      const x = { shape: [BATCH, TIME / 2], data: tokens.filter((_, i) => inside(i)) };
      const found = half.run({ ...whole.feeds, '1/state/hidden': carried, x });
      assertClose(
        found.output?.data,
        wanted.filter((_, i) => inside(i)),
      );
      carried = found['1/state/hidden'] as FedTensor;
    }
  });

test('a mixture of a node is the sum over all earlier nodes and activations, each by its share of its edge (DARTS)', () => {
  const space = rnnCell.create(task, { ...small, nodes: 3 });
  const mixed = lowered(supernet(space), TIME, { choices: 'mixture' });
  const shares = new Map<string, readonly number[]>();
  for (const { path, decisions: rows } of mixed.architecture)
    for (const [k, { name, options }] of rows.entries()) {
      const raw = Array.from(mixed.feeds[path]?.data ?? []).slice(k * options.length, (k + 1) * options.length);
      const total = raw.reduce((sum, v) => sum + Math.exp(v), 0);
      shares.set(
        name,
        raw.map((v) => Math.exp(v) / total),
      );
    }
  assert.deepEqual([...shares.keys()].toSorted(), ['0->1', '0->2', '0->3', '1->2', '1->3', '2->3']);
  const wanted = expected(mixed.feeds, (state, edge) => {
    const states = [state];
    for (const node of [1, 2, 3]) {
      const weight = mixed.feeds[`shared/node${node}/weight`]?.data as readonly number[];
      const terms = states.flatMap((from, j) =>
        (['tanh', 'relu', 'sigmoid', 'identity'] as const).map((fn, k) =>
          edge(fn)(from, weight, node).map((v) => v * (shares.get(`${j}->${node}`)?.[k] ?? Number.NaN)),
        ),
      );
      states.push(state.map((_, u) => terms.reduce((sum, term) => sum + (term[u] ?? 0), 0)));
    }
    return states.slice(1);
  });
  assertClose(mixed.run({ x: { shape: [BATCH, TIME], data: tokens } }).output?.data, wanted);
});

test('a supernet of switches is the network of the architecture that it is set to', () => {
  const space = rnnCell.create(task, { ...small, nodes: 3 });
  const open = lowered(supernet(space), TIME, { choices: 'switch' });
  const architecture: Architecture = {
    '0->1': 'relu',
    ...{ '2<-': [1], '1->2': 'sigmoid', '3<-': [0], '0->3': 'identity', output: 'mean' },
  };
  const chosen = Object.fromEntries(
    open.switches.map(({ name, decision, options }) => {
      const value = architecture[decision];
      const option = options.indexOf(String(Array.isArray(value) ? value[0] : (value ?? options[0])));
      return [name, { shape: [], data: [option] }];
    }),
  );
  const x = { shape: [BATCH, TIME], data: tokens };
  const single = lowered(resolve(space, architecture), TIME);
  const wanted = single.run({ ...open.feeds, x }).output?.data ?? [];
  assertClose(open.run({ ...chosen, x }).output?.data, Array.from(wanted));
});

test('what a mixture derives: the strongest edge of each node, whatever none weighs', () => {
  const space = rnnCell.create(task, { ...small, nodes: 2, search: true });
  const found = derive(space, {
    '0->1': [0.9, 0.01, 0.05, 0.02, 0.02],
    '0->2': [0.1, 0.2, 0.2, 0.3, 0.2],
    '1->2': [0.0, 0.1, 0.4, 0.3, 0.2],
  });
  assert.equal(formatArchitecture(space, found), "Genotype(recurrent=[('relu', 0), ('relu', 1)], concat=range(1, 3))");
});

test('behind the end of a sample the state stays, and the last position is that of the sample', () => {
  const classes: Task = { kind: 'text', input: [TIME], vocabulary: WORDS, outputs: 2, padded: true };
  const space = rnnCell.create(classes, { ...small, nodes: 2 });
  const network = resolve(space, searchSpaceOf(space).sample(rng('padded')));
  const about = { outputs: 2, shape: [2], padded: true };
  const whole = lowered(network, TIME, about);
  const padded = [...[1, 2, 3, 0, 0, 0], ...[4, 0, 0, 0, 0, 0], ...[1, 2, 3, 4, 1, 2]];
  const values = whole.run({ x: { shape: [BATCH, TIME], data: padded } }).output?.data ?? [];
  const short = lowered(network, 3, about);
  const cut = [...[1, 2, 3], ...[4, 0, 0], ...[1, 2, 3]];
  const found = short.run({ ...whole.feeds, x: { shape: [BATCH, 3], data: cut } }).output?.data ?? [];
  assertClose(Array.from(found).slice(0, 4), Array.from(values).slice(0, 4));
});

const sequences: Task = { kind: 'classification', input: [2, 3], outputs: 2 };
for (const [about, options] of [
  [task, { ...small, nodes: 3 }],
  [sequences, { units: 3, nodes: 2, search: true, dropout: 0.2, inputDropout: 0.3, outputDropout: 0.4 }],
] as const) {
  const space: Space = rnnCell.create(about, options);
  const network = (one: Module) => networkCosts(one, about);
  searchSpaceConformance(searchSpaceOf(space), { network, samples: 5 });
}

test('images are refused', () => {
  assert.throws(() => rnnCell.create({ kind: 'classification', input: [3, 8, 8], outputs: 2 }), {
    name: 'UserError',
    message: /space "rnn-cell": input is \[3,8,8\]; must be tokens or sequences/u,
  });
});
