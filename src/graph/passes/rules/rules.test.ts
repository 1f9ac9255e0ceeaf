import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph, finish } from '../../builder.ts';
import { interpret } from '../../interpret.ts';
import type { NodeId } from '../../ir.ts';
import * as ops from '../../ops.ts';
import { optimize } from '../../passes.ts';
import { feedsOf } from '../../testing/networks.ts';

type Build = (g: ops.GraphBuilder, inputs: Inputs) => NodeId;
interface Inputs {
  /** [2, 3, 4, 4] */
  readonly x: NodeId;
  readonly y: NodeId;
  /** [1, 3, 1, 1] */
  readonly s: NodeId;
  readonly t: NodeId;
  /** [] */
  readonly a: NodeId;
  readonly b: NodeId;
  /** [5, 3] */
  readonly m: NodeId;
}

/** The operators that are left, inputs and constants aside, in order; the values are checked to be the same. */
function left(build: Build): string {
  const g = createGraph();
  const image = [2, 3, 4, 4];
  const channels = [1, 3, 1, 1];
  const inputs = {
    x: ops.input(g, 'x', image),
    y: ops.input(g, 'y', image),
    s: ops.input(g, 's', channels),
    t: ops.input(g, 't', channels),
    a: ops.input(g, 'a', []),
    b: ops.input(g, 'b', []),
    m: ops.input(g, 'm', [5, 3]),
  };
  const before = finish(g, { y: build(g, inputs) });
  const after = optimize(before);
  const feeds = feedsOf(before, 'rules');
  const [expected, actual] = [interpret(before, feeds).y, interpret(after, feeds).y];
  assert.deepEqual(actual?.shape, expected?.shape);
  for (const [i, value] of (expected?.data ?? []).entries()) {
    const found = actual?.data[i] ?? Number.NaN;
    assert.ok(Math.abs(found - value) <= 1e-12 * Math.max(1, Math.abs(value)), `${found} is not ${value}`);
  }
  return after.nodes
    .flatMap(({ op, shape }) => {
      if (op.kind === 'input' || op.kind === 'constant') return [];
      const name = op.kind === 'unary' || op.kind === 'binary' || op.kind === 'reduce' ? op.fn : op.kind;
      return [`${name}[${shape}]`];
    })
    .join(' ');
}

const IMAGE = '[2,3,4,4]';
const CHANNELS = '[1,3,1,1]';
const pointwise = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
const filters = (g: ops.GraphBuilder, name = 'w', side = 1) => ops.input(g, name, [3, 3, side, side]);

describe('numbers', () => {
  it('positive factors go into exponentials of negative numbers', () => {
    const gauss = (g: ops.GraphBuilder, x: NodeId) => ops.exp(g, ops.neg(g, ops.mul(g, x, x)));
    const power = `mul${IMAGE} sub${IMAGE} exp${IMAGE}`;
    assert.equal(
      left((g, { x }) => ops.scale(g, gauss(g, x), 3)),
      power,
    );
    assert.equal(
      left((g, { x, y }) => ops.scale(g, ops.mul(g, y, ops.scale(g, gauss(g, x), 3)), 0.5)),
      `${power} mul${IMAGE}`,
    );
    assert.equal(
      left((g, { x }) => ops.scale(g, gauss(g, x), -3)),
      `mul${IMAGE} neg${IMAGE} exp${IMAGE} mul${IMAGE}`,
    );
  });

  it('what constants give is a constant; a broadcast one stays a broadcast', () => {
    assert.equal(
      left((g) => ops.exp(g, ops.add(g, ops.constant(g, 1), ops.constant(g, [1, 2])))),
      '',
    );
    assert.equal(
      left((g) => ops.exp(g, ops.constant(g, 1, [4, 4]))),
      'broadcastTo[4,4]',
    );
  });

  it('x + 0, x · 1, x / 1, 0 - x, x + x, (2x) · 3, x / 4', () => {
    assert.equal(
      left((g, { x }) => ops.add(g, ops.mul(g, x, ops.constant(g, 1)), ops.constant(g, 0))),
      '',
    );
    assert.equal(
      left((g, { x }) => ops.div(g, x, ops.constant(g, 1))),
      '',
    );
    assert.equal(
      left((g, { x }) => ops.sub(g, ops.constant(g, 0), ops.exp(g, x))),
      `exp${IMAGE} neg${IMAGE}`,
    );
    assert.equal(
      left((g, { x }) => ops.add(g, x, x)),
      `mul${IMAGE}`,
    );
    assert.equal(
      left((g, { x }) => ops.scale(g, ops.scale(g, x, 2), 3)),
      `mul${IMAGE}`,
    );
    assert.equal(
      left((g, { x }) => ops.scale(g, ops.div(g, x, ops.constant(g, 4)), 4)),
      '',
    );
  });
});

describe('signs', () => {
  it('meet and cancel', () => {
    assert.equal(
      left((g, { x, y }) => ops.sub(g, x, ops.neg(g, y))),
      `add${IMAGE}`,
    );
    assert.equal(
      left((g, { x, y }) => ops.add(g, ops.neg(g, x), y)),
      `sub${IMAGE}`,
    );
    assert.equal(
      left((g, { x, y }) => ops.neg(g, ops.sub(g, x, y))),
      `sub${IMAGE}`,
    );
    assert.equal(
      left((g, { x, y }) => ops.mul(g, ops.neg(g, x), ops.neg(g, y))),
      `mul${IMAGE}`,
    );
    assert.equal(
      left((g, { x, y }) => ops.neg(g, ops.mul(g, ops.neg(g, x), y))),
      `mul${IMAGE}`,
    );
  });

  it('go to the smaller operand', () => {
    assert.equal(
      left((g, { x, s }) => ops.neg(g, ops.mul(g, x, s))),
      `neg${CHANNELS} mul${IMAGE}`,
    );
    assert.equal(
      left((g, { x, s }) => ops.sub(g, x, s)),
      `neg${CHANNELS} add${IMAGE}`,
    );
  });
});

describe('products', () => {
  it('of small tensors first', () => {
    assert.equal(
      left((g, { x, s, a }) => ops.mul(g, ops.mul(g, x, s), a)),
      `mul${CHANNELS} mul${IMAGE}`,
    );
    assert.equal(
      left((g, { s, a, b }) => ops.mul(g, ops.mul(g, s, a), b)),
      `mul[] mul${CHANNELS}`,
    );
  });

  it('with a common factor are one, unless something else reads one of them', () => {
    const sum = (g: ops.GraphBuilder, x: NodeId, y: NodeId) => {
      const [sine, root] = [ops.tanh(g, y), ops.exp(g, y)];
      return { a: ops.mul(g, x, sine), b: ops.mul(g, ops.mul(g, root, x), y) };
    };
    const made = `tanh${IMAGE} exp${IMAGE}`;
    assert.equal(
      left((g, { x, y }) => {
        const { a, b } = sum(g, x, y);
        return ops.sub(g, a, b);
      }),
      `${made} mul${IMAGE} sub${IMAGE} mul${IMAGE}`,
    );
    assert.equal(
      left((g, { x, y }) => {
        const { a, b } = sum(g, x, y);
        return ops.add(g, ops.add(g, a, b), ops.relu(g, a));
      }),
      `${made} mul${IMAGE} mul${IMAGE} mul${IMAGE} add${IMAGE} relu${IMAGE} add${IMAGE}`,
    );
  });

  it('stay where the inner one is needed anyway', () => {
    assert.equal(
      left((g, { x, s, a }) => {
        const scaled = ops.mul(g, x, s);
        return ops.add(g, ops.relu(g, scaled), ops.mul(g, scaled, a));
      }),
      `mul${IMAGE} relu${IMAGE} mul${IMAGE} add${IMAGE}`,
    );
  });

  it('a weighed normalization is one pass', () => {
    assert.equal(
      left((g, { x, s, t, a }) => ops.mul(g, a, ops.add(g, ops.mul(g, x, s), t))),
      `mul${CHANNELS} mul${IMAGE} mul${CHANNELS} add${IMAGE}`,
    );
  });

  it('a factor and a summand by channel go into a convolution', () => {
    assert.equal(
      left((g, { x, s, t }) => ops.add(g, ops.mul(g, ops.conv(g, x, filters(g), pointwise), s), t)),
      'reshape[3,1,1,1] mul[3,3,1,1] reshape[3] conv[2,3,4,4]',
    );
    assert.equal(
      left((g, { x, a }) => ops.mul(g, ops.conv(g, x, filters(g), pointwise, ops.input(g, 'bias', [3])), a)),
      'mul[3,3,1,1] mul[3] conv[2,3,4,4]',
    );
  });
});

describe('reductions', () => {
  it('come before what is the same along their axes', () => {
    assert.equal(
      left((g, { x, s }) => ops.reduceSum(g, ops.mul(g, x, s), [0, 2, 3])),
      'reshape[3] sum[3] mul[3]',
    );
    assert.equal(
      left((g, { x, s }) => ops.reduceMean(g, ops.add(g, x, s), [0, 2, 3], true)),
      `mean${CHANNELS} add${CHANNELS}`,
    );
    assert.equal(
      left((g, { s }) => ops.reduceSum(g, ops.broadcastTo(g, s, [2, 3, 4, 4]), [0, 2, 3], true)),
      `mul${CHANNELS}`,
    );
    assert.equal(
      left((g, { x }) => ops.reduceSum(g, ops.neg(g, x), [1])),
      'sum[2,4,4] neg[2,4,4]',
    );
  });

  it('a sum over n numbers by n is a mean, and a sum over a product goes by channel', () => {
    assert.equal(
      left((g, { x }) => ops.scale(g, ops.reduceSum(g, x, [1]), 1 / 3)),
      'mean[2,4,4]',
    );
    assert.equal(
      left((g, { x }) => ops.scale(g, ops.reduceMean(g, x, [1]), 3)),
      'sum[2,4,4]',
    );
    assert.equal(
      left((g, { x, y }) => ops.reduceSum(g, ops.mul(g, x, y), [0, 1, 2, 3])),
      `mul${IMAGE} sum[3] sum[]`,
    );
  });
});

describe('sums', () => {
  it('multiples of one tensor are one', () => {
    assert.equal(
      left((g, { x, y, s, a }) => ops.sub(g, ops.add(g, ops.mul(g, x, s), y), ops.mul(g, x, a))),
      `neg[] add${CHANNELS} mul${IMAGE} add${IMAGE}`,
    );
    assert.equal(
      left((g, { x, y, a }) => ops.add(g, ops.add(g, x, y), ops.mul(g, x, a))),
      `add[] mul${IMAGE} add${IMAGE}`,
    );
  });

  it('convolutions of one tensor are one, with the sum of their filters', () => {
    assert.equal(
      left((g, { x, y }) => {
        const of = (name: string) => ops.conv(g, x, filters(g, name), pointwise);
        return ops.add(g, ops.add(g, of('v'), y), of('w'));
      }),
      'add[3,3,1,1] conv[2,3,4,4] add[2,3,4,4]',
    );
    assert.equal(
      left((g, { x, y }) => {
        const of = (w: NodeId) => g.add({ kind: 'convInputGrad', shape: [2, 3, 4, 4], ...pointwise }, [x, w]);
        return ops.sub(g, y, ops.add(g, of(filters(g, 'v')), of(filters(g, 'w'))));
      }),
      'add[3,3,1,1] convInputGrad[2,3,4,4] sub[2,3,4,4]',
    );
  });

  it('convolutions of different tensors or geometry stay', () => {
    assert.equal(
      left((g, { x }) =>
        ops.add(
          g,
          ops.conv(g, x, filters(g, 'v'), pointwise),
          ops.conv(g, x, filters(g, 'w', 3), { ...pointwise, pads: [1, 1, 1, 1] }),
        ),
      ),
      'conv[2,3,4,4] conv[2,3,4,4] add[2,3,4,4]',
    );
  });

  it('parts of a tensor amid zeros are joined, along an axis or in memory', () => {
    const whole = (g: ops.GraphBuilder, x: NodeId) =>
      [0, 1, 2].map((c) => ops.pad(g, ops.slice(g, x, [0, c, 0, 0], [2, c + 1, 4, 4]), [0, c, 0, 0], [0, 2 - c, 0, 0]));
    assert.equal(
      left((g, { x, y }) =>
        ops.add(
          g,
          whole(g, x).reduce((sum, part) => ops.add(g, sum, part)),
          y,
        ),
      ),
      `add${IMAGE}`,
    );
    const cell = (g: ops.GraphBuilder, from: NodeId, row: number, column: number) =>
      ops.pad(g, ops.reshape(g, from, [1, 1]), [row, column], [1 - row, 2 - column]);
    assert.equal(
      left((g, { a, b }) =>
        ops.sub(g, ops.add(g, cell(g, a, 1, 0), cell(g, b, 0, 1)), ops.add(g, cell(g, a, 0, 2), cell(g, b, 1, 0))),
      ),
      'reshape[1,1] reshape[1,1] sub[1,1] neg[1,1] reshape[1] reshape[1] reshape[1] broadcastTo[2] concat[6] reshape[2,3]',
    );
  });

  it('overlapping parts stay', () => {
    const rows = (g: ops.GraphBuilder, m: NodeId, from: number) =>
      ops.pad(g, ops.slice(g, m, [0, 0], [3, 3]), [from, 0], [2 - from, 0]);
    assert.equal(
      left((g, { m }) => ops.add(g, rows(g, m, 0), rows(g, m, 1))),
      'slice[3,3] pad[5,3] pad[5,3] add[5,3]',
    );
  });

  it('small summands are added first', () => {
    assert.equal(
      left((g, { x, y, s, t }) => ops.add(g, ops.add(g, ops.add(g, x, s), y), t)),
      `add${CHANNELS} add${IMAGE} add${IMAGE}`,
    );
  });
});

describe('views', () => {
  it('chains become one or none', () => {
    assert.equal(
      left((g, { x }) => ops.reshape(g, ops.reshape(g, x, [96]), [2, 3, 4, 4])),
      '',
    );
    assert.equal(
      left((g, { x }) => ops.transpose(g, ops.transpose(g, x, [1, 0, 2, 3]), [1, 0, 2, 3])),
      '',
    );
    assert.equal(
      left((g, { m }) => ops.slice(g, ops.slice(g, m, [1, 0], [5, 3]), [1, 1], [2, 3])),
      'slice[1,2]',
    );
    assert.equal(
      left((g, { m }) => ops.slice(g, ops.pad(g, m, [1, 2], [3, 4]), [1, 2], [6, 5])),
      '',
    );
    assert.equal(
      left((g, { m }) => ops.pad(g, ops.pad(g, m, [1, 2], [3, 4]), [1, 1], [1, 1])),
      'pad[11,11]',
    );
  });

  it('parts of a joint are found again, and all parts of a tensor are the tensor', () => {
    assert.equal(
      left((g, { s, t }) => ops.slice(g, ops.concat(g, [s, t], 1), [0, 4, 0, 0], [1, 6, 1, 1])),
      'slice[1,2,1,1]',
    );
    assert.equal(
      left((g, { m }) => {
        const parts = [0, 2, 3].map((from, i) => ops.slice(g, m, [from, 0], [[2, 3, 5][i] ?? 0, 3]));
        return ops.concat(g, [ops.concat(g, parts.slice(0, 2), 0), ...parts.slice(2)], 0);
      }),
      '',
    );
  });

  it('computing comes before broadcasting', () => {
    const wide = (g: ops.GraphBuilder, id: NodeId) => ops.broadcastTo(g, id, [2, 3, 4, 4]);
    assert.equal(
      left((g, { s }) => ops.exp(g, wide(g, s))),
      `exp${CHANNELS} broadcastTo${IMAGE}`,
    );
    assert.equal(
      left((g, { s, a }) => ops.mul(g, wide(g, s), a)),
      `mul${CHANNELS} broadcastTo${IMAGE}`,
    );
    assert.equal(
      left((g, { x, s }) => ops.add(g, wide(g, s), x)),
      `add${IMAGE}`,
    );
  });
});

describe('matrices', () => {
  it('are not transposed by themselves', () => {
    assert.equal(
      left((g, { m }) => ops.transpose(g, ops.matmul(g, m, m, { transposeB: true }), [1, 0])),
      'matmul[5,5]',
    );
    assert.equal(
      left((g, { m }) => ops.matmul(g, ops.transpose(g, m, [1, 0]), m)),
      'matmul[3,3]',
    );
  });

  it('a factor by row does not hide that two products are equal', () => {
    const row = (g: ops.GraphBuilder) => ops.input(g, 'row', [5, 1]);
    assert.equal(
      left((g, { m }) => {
        const scaled = ops.mul(g, m, row(g));
        const [one, other] = [[scaled, m] as const, [m, scaled] as const];
        const product = ([p, q]: readonly [NodeId, NodeId]) => ops.matmul(g, p, q, { transposeA: true });
        return ops.add(g, product(one), product(other));
      }),
      'mul[5,3] matmul[3,3] mul[3,3]',
    );
  });

  it('products of all pairs of channels are symmetric', () => {
    assert.equal(
      left((g, { x, m }) => {
        const pairs = g.add({ kind: 'convWeightGrad', shape: [3, 3, 1, 1], ...pointwise }, [x, x]);
        return ops.matmul(g, m, ops.reshape(g, pairs, [3, 3]), { transposeB: true });
      }),
      'convWeightGrad[3,3,1,1] reshape[3,3] matmul[5,3]',
    );
  });
});
