import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as s from './builders.ts';
import { dilatedConv, residualReduce, separableConv } from './composites.ts';

const refused: readonly (readonly [string, () => unknown, string])[] = [
  ['one option', () => s.choice('k', { a: s.relu() }), 'choice "k" has 1 option; a choice needs at least 2'],
  ['no options', () => s.choice('k', {}), 'choice "k" has 0 options; a choice needs at least 2'],
  ['one value', () => s.pick('k', [3]), 'pick "k" has 1 value; a pick needs at least 2'],
  ['a value twice', () => s.pick('k', [3, 5, 3]), 'pick "k" has the value 3 twice; values must differ'],
  ['values of one text', () => s.pick('k', [1, '1']), 'pick "k" has the value 1 twice; values must differ'],
  ['a value that is no number', () => s.pick('k', [1, Number.NaN]), 'pick "k" has the value NaN;'],
  ['a separator in a name', () => s.pick('a=b', [1, 2]), 'name of pick is "a=b"; a name has'],
  ['a separator in an option', () => s.choice('k', { 'a/b': s.relu(), c: s.relu() }), 'option of choice is "a/b"'],
  ['a space at the end of a name', () => s.int('k ', 1, 2), 'name of int is "k "'],
  ['an empty name', () => s.scoped('', s.relu()), 'name of scope is ""'],
  ['a name that every object has', () => s.int('constructor', 1, 2), 'name of int is "constructor"'],
  ['an empty range', () => s.int('k', 3, 3), 'int "k" goes from 3 to 3; a range needs two whole numbers'],
  ['half a number', () => s.int('k', 1, 2.5), 'int "k" goes from 1 to 2.5; a range needs two whole numbers'],
  [
    'a logarithm of 0',
    () => s.float('k', 0, 1, { log: true }),
    'float "k" starts at 0; a logarithmic range must start',
  ],
  ['kernel 0', () => s.conv(8, 0), 'kernel of conv is 0; must be a whole number from 1 to 4,096'],
  ['stride 0', () => s.maxPool(3, { stride: 0 }), 'stride of pool is 0; must be a whole number from 1 to 4,096'],
  ['kernel 0 on one side', () => s.conv(8, [3, 0]), 'kernel of conv is 0; must be a whole number from 1 to 4,096'],
  [
    'a kernel of three sides',
    () => s.maxPool([1, 2, 3] as never),
    'kernel of pool is [1,2,3]; a pair is [height, width]',
  ],
  [
    'a pair of groups',
    () => s.conv(8, 3, { groups: [1, 2] as never }),
    'groups of conv is [1,2]; must be a whole number',
  ],
  ['a negative factor', () => s.resize(-2), "factor of resize is -2; must be above 0 and at most 64, or 'input'"],
  ['heads of none', () => s.attention(0), 'heads of attention is 0; must be a whole number from 1 to'],
  [
    'an unknown cell',
    () => s.recurrent('elman' as never),
    'cell of recurrent is "elman"; must be one of rnn, gru, lstm',
  ],
  [
    'axes of a layer norm',
    () => s.layerNorm({ axes: 'time' as never }),
    'axes of layerNorm is "time"; must be one of all',
  ],
  ['a separator in a shared name', () => s.shared('a/b', s.relu()), 'name of shared is "a/b"; a name has'],
  ['kernel of a choice', () => s.conv(8, s.pick('k', [0, 3])), 'kernel of conv can be 0 by pick "k"; must be a whole'],
  ['channels of a float', () => s.conv(s.float('c', 1, 8), 3), 'channels of conv is float "c"; must be a whole number'],
  ['a rate of 1', () => s.dropout(1), 'rate of dropout is 1; must be at least 0 and below 1'],
  [
    'a rate of a range',
    () => s.dropPath(s.float('r', 0, 1)),
    'rate of dropPath can be 1 by float "r"; must be at least',
  ],
  ['a momentum of 0', () => s.batchNorm({ momentum: 0 }), 'momentum of batchNorm is 0; must be above 0 and at most 1'],
  [
    'inputs without a choice',
    () => s.dagOfNodes(1, () => ({ from: s.pickInputs('i', 1) })),
    'node 1 of dag picks 1 of 1',
  ],
  [
    'a later input',
    () => s.dagOfNodes(1, () => ({ from: [1] })),
    'from of node 1 of dag is [1]; must be different earlier',
  ],
  ['inputs twice', () => s.dagOfNodes(2, () => ({ from: [0, 0] })), 'from of node 1 of dag is [0,0]'],
  [
    'a dag without entries',
    () => s.dag(1, () => s.relu(), { entries: [] }),
    'dag has no entries; a dag needs at least 1',
  ],
  [
    'inputs without a choice in a cell of two',
    () => s.dagOfNodes(1, () => ({ from: s.pickInputs('i', 2) }), { entries: [s.relu(), s.relu()] }),
    'node 2 of dag picks 2 of 2',
  ],
  ['a dag without nodes', () => s.dag(0, () => s.relu()), 'dag has no nodes; a dag needs at least 1'],
  [
    'no module',
    () => s.sequential(s.relu(), undefined as never),
    'children[1] of sequential is undefined; must be a module',
  ],
  [
    'a list of modules',
    () => s.sequential([s.relu()] as never),
    'children[0] of sequential is a list of 1; must be a module',
  ],
  [
    'a builder not called',
    () => s.residual(s.relu as never),
    'body of residual is a function (relu, which must be called)',
  ],
  ['another kind', () => s.repeat(2, { kind: 'relu' } as never), 'body of repeat is of kind relu; must be a module'],
  ['a choice of values', () => s.sequential(s.pick('k', [3, 5]) as never), 'children[0] of sequential is of kind pick'],
  ['a negative width', () => s.conv(-16, 3), 'channels of conv is -16; must be a whole number from 1 to 1,000,000'],
  ['a width that is none', () => s.linear(Number.NaN), 'units of linear is NaN; must be a whole number'],
  ['half a kernel', () => s.conv(8, 2.5), 'kernel of conv is 2.5; must be a whole number'],
  ['repetitions below none', () => s.repeat(-1, s.relu()), 'times of repeat is -1; must be a whole number from 0 to'],
  ['an empty pick', () => s.pick('k', []), 'pick "k" has 0 values; a pick needs at least 2'],
  ['more than can be built', () => s.repeat(s.int('n', 1, 1e9), s.relu()), 'times of repeat can be 1000000000 by int'],
  ['a dag of more nodes than can be walked', () => s.dag(1e9, () => s.relu()), 'nodes of dag is 1000000000; must be'],
];

for (const [name, build, message] of refused) {
  test(`refused with place, value and rule: ${name}`, () => {
    assert.throws(build, (error: Error) => {
      assert.equal(error.name, 'UserError');
      assert.equal(error.message.slice(0, message.length), message);
      return true;
    });
  });
}

test('what a builder returns is frozen all the way down, and lists are copied', () => {
  const values = [3, 5];
  const built = s.sequential(s.conv(8, s.pick('kernel', values)), s.choice('k', { a: s.relu(), b: s.identity() }));
  values.push(7);
  assert.throws(() => Object.assign(built.children[0] as object, { kernel: 1 }), TypeError);
  const [conv] = built.children;
  assert.ok(
    conv?.kind === 'conv' && typeof conv.kernel === 'object' && 'kind' in conv.kernel && conv.kernel.kind === 'pick',
  );
  assert.deepEqual(conv.kernel.values, [3, 5]);
  assert.throws(() => (conv.kernel as unknown as { values: number[] }).values.push(9), TypeError);
});

test('a dag has an edge from every earlier node, and picks inputs only where there is a choice', () => {
  const cell = s.dag(3, (from, to) => (from === 0 && to === 3 ? s.zero() : s.identity()), {
    inputs: 2,
    output: 'concat',
  });
  assert.deepEqual(
    cell.nodes.map(({ from }) => from),
    [[0], [0, 1], { kind: 'inputs', name: '3<-', count: 2 }],
  );
  assert.deepEqual(
    cell.nodes[2]?.edges.map(({ kind }) => kind),
    ['zero', 'identity', 'identity'],
  );
});

test('nodes are numbered after the entries', () => {
  const seen: string[] = [];
  const edge = (from: number, to: number) => {
    seen.push(`${from}->${to}`);
    return s.identity();
  };
  const cell = s.dag(2, edge, { entries: [s.relu(), s.conv(8, 1)], inputs: 2 });
  assert.deepEqual(seen, ['0->2', '1->2', '0->3', '1->3', '2->3']);
  assert.deepEqual(
    cell.nodes.map(({ from }) => from),
    [[0, 1], { kind: 'inputs', name: '3<-', count: 2 }],
  );
});

test('the blocks of the literature have their order of layers', () => {
  const kinds = (module: object) => [...JSON.stringify(module).matchAll(/"kind":"(\w+)"/gu)].map(([, kind]) => kind);
  const half = ['activation', 'conv', 'conv', 'batchNorm'];
  assert.deepEqual(kinds(separableConv(3)), ['sequential', ...half, ...half]);
  assert.deepEqual(kinds(dilatedConv(3)), ['sequential', ...half]);
  const block = ['sequential', 'activation', 'conv', 'batchNorm'];
  const shortcut = ['sequential', 'pool', 'conv'];
  assert.deepEqual(kinds(residualReduce(32)), ['residual', 'sequential', ...block, ...block, ...shortcut]);
});
