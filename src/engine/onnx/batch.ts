/** Follows the batch through a graph whose batch size is left open until a run. */
import type { Node, NodeId, Op, Shape } from '../../graph/ir.ts';

/** The axis of each node whose size grows with the batch; undefined where none does. */
export type BatchAxes = readonly (number | undefined)[];

/**
 * Throws Error for a node that has no meaning when the batch is open: one that slices, pads or joins along it. `inputs`
 * names the inputs whose first axis is the batch; they agree on the size that the graph was built with.
 */
export function batchAxes(nodes: readonly Node[], inputs: ReadonlySet<string>): BatchAxes {
  const sizes = nodes.flatMap(({ op, shape }) => (op.kind === 'input' && inputs.has(op.name) ? [shape[0] ?? 0] : []));
  const batch = sizes[0] ?? 1;
  if (sizes.some((size) => size !== batch)) throw new Error(`open batch: its inputs disagree on its size, ${sizes}`);
  const axes: (number | undefined)[] = [];
  for (const node of nodes) axes.push(axisOf(node, axes, nodes, inputs, batch));
  return axes;
}

function axisOf(
  { op, inputs, shape }: Node,
  axes: BatchAxes,
  nodes: readonly Node[],
  open: ReadonlySet<string>,
  batch: number,
): number | undefined {
  const axis = (i: number) => axes[inputs[i] ?? -1];
  const shapeOf = (i: number): Shape => nodes[inputs[i] as NodeId]?.shape ?? [];
  /** Operands of fewer axes are aligned to the right. */
  const aligned = (i: number) => {
    const own = axis(i);
    return own === undefined ? undefined : own + shape.length - shapeOf(i).length;
  };
  const refuse = (what: string): never => {
    throw new Error(`open batch: ${op.kind} of [${shapeOf(0)}] ${what} along the batch`);
  };
  switch (op.kind) {
    case 'input':
      return open.has(op.name) ? 0 : undefined;
    case 'constant':
    case 'convWeightGrad':
    // Of all samples together.
    case 'scatterAdd':
      return undefined;
    case 'unary':
    case 'cast':
    case 'clip':
    case 'logSoftmax':
    case 'conv':
    case 'convInputGrad':
    case 'maxPool':
    case 'maxPoolScatter':
    case 'maxPoolGather':
    case 'avgPool':
    case 'avgPoolGrad':
      return axis(0);
    case 'binary':
    case 'compare':
      return aligned(0) ?? aligned(1);
    case 'where':
      return aligned(0) ?? aligned(1) ?? aligned(2);
    case 'gather':
      return axis(1);
    case 'broadcastTo':
      return aligned(0);
    case 'reduce':
      return reducedAxis(op, axis(0));
    case 'reshape':
      return reshapedAxis(shapeOf(0), axis(0), shape, batch);
    case 'transpose': {
      const own = axis(0);
      return own === undefined ? undefined : op.perm.indexOf(own);
    }
    case 'slice': {
      const own = axis(0);
      const whole = own === undefined || (op.starts[own] === 0 && op.ends[own] === shapeOf(0)[own]);
      return whole ? own : refuse('slices');
    }
    case 'pad': {
      const own = axis(0);
      return own === undefined || (op.before[own] === 0 && op.after[own] === 0) ? own : refuse('pads');
    }
    case 'concat': {
      const own = inputs.map((_, i) => axis(i)).find((a) => a !== undefined);
      return own === op.axis ? refuse('joins') : own;
    }
    case 'select':
      return inputs.map((_, i) => axis(i)).find((a) => a !== undefined);
    case 'matmul':
      return productAxis(op, [axis(0), axis(1)], shape.length);
    default:
      return op satisfies never;
  }
}

function reducedAxis(op: Op & { kind: 'reduce' }, axis: number | undefined): number | undefined {
  if (axis === undefined || op.axes.includes(axis)) return undefined;
  return op.keepDims ? axis : axis - op.axes.filter((reduced) => reduced < axis).length;
}

/** The first axis that starts where the batch's did and is a multiple of the batch. */
function reshapedAxis(from: Shape, axis: number | undefined, to: Shape, batch: number): number | undefined {
  if (axis === undefined) return undefined;
  const before = (shape: Shape, end: number) => shape.slice(0, end).reduce((product, n) => product * n, 1);
  const start = before(from, axis);
  const found = to.findIndex((n, i) => before(to, i) === start && n % batch === 0);
  if (found < 0) throw new Error(`open batch: reshape of [${from}] to [${to}] leaves no axis for the batch`);
  return found;
}

/** Rows come from a, columns from b; what is summed over is gone; leading axes stay. */
function productAxis(
  op: Op & { kind: 'matmul' },
  [a, b]: readonly [number | undefined, number | undefined],
  rank: number,
): number | undefined {
  const [row, column] = [rank - 2, rank - 1];
  if (a !== undefined && a < row) return a;
  if (a === (op.transposeA ? column : row)) return row;
  return b === (op.transposeB ? row : column) ? column : undefined;
}
