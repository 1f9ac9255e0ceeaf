import type { DType, Node, NodeId, Op, Shape } from '../ir.ts';

/** A graph in the making. Operators are written against this interface alone. */
export interface GraphBuilder {
  readonly nodes: readonly Node[];
  /** Where in the module tree nodes are being added: the segments of the enclosing `within` calls, joined by `/`. */
  readonly path: string;
  /** Appends a node and infers its shape. Throws Error naming the operator, the shapes and the rule that they break. */
  add(op: Op, inputs: readonly NodeId[]): NodeId;
  shape(id: NodeId): Shape;
  dtype(id: NodeId): DType;
  /** Runs `body` with `segment` appended to the path. */
  within<T>(segment: string, body: () => T): T;
}

/** A tensor of the reference interpreter, row-major. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** What a gradient rule sees of the node that it differentiates. */
export interface GradientContext<O extends Op> {
  readonly op: O;
  readonly inputs: readonly NodeId[];
  /** The node itself: rules such as the sigmoid's reuse its value. */
  readonly output: NodeId;
  /** The gradient with respect to the node, of the node's shape. */
  readonly upstream: NodeId;
  /** Whether the gradient of the i-th input is needed; rules may skip the others. */
  wants(input: number): boolean;
}

/** All there is to know of one operator kind. */
export interface Definition<O extends Op> {
  /** The output's shape. Throws Error where the rule is broken. */
  shape(op: O, inputs: readonly Shape[]): Shape;
  /** The output's number format, from the inputs'; where missing, all of them are float32. Throws Error where the rule is broken. */
  dtype?(op: O, inputs: readonly DType[]): DType;
  /** Multiply-accumulates of one run; a bias counts once an output. */
  flops(op: O, inputs: readonly Shape[], output: Shape): number;
  /** Whether the gradient by the i-th input can be other than zero; where missing, it can for all. */
  differentiable?(op: O, input: number): boolean;
  /** Appends the gradient by each input, made of IR operators alone; undefined where it is zero or not needed. */
  gradient(g: GraphBuilder, context: GradientContext<O>): readonly (NodeId | undefined)[];
  /** The reference: plain loops in float64. Never writes to its inputs, but may return one of their arrays. */
  kernel(op: O, inputs: readonly Tensor[], output: Shape): Float64Array;
}

/** The number format of an operator that only moves values: that of its operands, which are alike. */
export function sameDtype(op: Op, inputs: readonly DType[]): DType {
  const [first = 'float32', ...others] = inputs;
  if (others.some((other) => other !== first))
    throw new Error(`${nameOf(op)}: its operands have one number format, found ${inputs.join(', ')}`);
  return first;
}

/** Throws Error unless the operands have these number formats. */
export function expectDtypes(op: Op, inputs: readonly DType[], expected: readonly DType[]): void {
  if (inputs.some((dtype, i) => dtype !== expected[i])) {
    throw new Error(`${nameOf(op)}: takes ${expected.join(', ')}, found ${inputs.join(', ')}`);
  }
}

/** The FLOPs of an operator that is not counted. */
export const notCounted = (): number => 0;

/** Throws the error of a broken shape rule: `conv of [1,3,8,8], [4,2,3,3]: the rule`. */
export function refuse(op: Op | string, inputs: readonly Shape[], rule: string): never {
  const name = typeof op === 'string' ? op : nameOf(op);
  const operands = inputs.length === 0 ? '' : ` of ${inputs.map((shape) => `[${shape.join(',')}]`).join(', ')}`;
  throw new Error(`${name}${operands}: ${rule}`);
}

function nameOf(op: Op): string {
  if (op.kind === 'unary' || op.kind === 'binary') return op.fn;
  return op.kind === 'reduce' ? `reduce ${op.fn}` : op.kind;
}

/** The i-th operand of an operator whose arity has been checked. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no element ${index} among ${items.length}`);
  return item;
}

/** Checks the number of operands, at least `least` and at most `most`. */
export function arity(op: Op, inputs: readonly Shape[], least: number, most = least): void {
  if (inputs.length >= least && inputs.length <= most) return;
  refuse(op, inputs, `takes ${least === most ? least : `${least} to ${most}`} inputs, has ${inputs.length}`);
}

/** Checks that sizes are whole and positive: a tensor without elements has no place in a network. */
export function positive(op: Op, inputs: readonly Shape[], shape: Shape): Shape {
  if (!shape.every((n) => Number.isInteger(n) && n > 0)) {
    refuse(op, inputs, `sizes are whole and at least 1, found [${shape.join(',')}]`);
  }
  return shape;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}
