import { finish } from '../graph/builder.ts';
import { sizeOf } from '../graph/ir.ts';
import { optimize } from '../graph/passes.ts';
import type { Module } from '../space/tree/module.ts';
import { childrenOf } from '../space/tree/walk.ts';
import type { Subject } from './measure.ts';

/** The longest chain of layers with weights (convolutions and linear layers; normalization does not count). Zeros pass nothing on: they end it. */
export function depth({ graph }: Subject): number {
  const { g, lowered } = graph();
  const weights = new Set(lowered.parameters.filter(({ shape }) => shape.length > 1).map(({ node }) => node));
  const depths: number[] = [];
  for (const node of g.nodes) {
    const isZero = node.op.kind === 'unary' && node.op.fn === 'zerosLike';
    const before = (isZero ? [] : node.inputs).reduce((most, from) => Math.max(most, depths[from] ?? 0), 0);
    depths.push(before + (node.inputs.some((from) => weights.has(from)) ? 1 : 0));
  }
  return depths[lowered.output] ?? 0;
}

/** Fields that say how large an operation is, and not which one. */
const SIZES: ReadonlySet<string> = new Set(['channels', 'units', 'bias', 'affine', 'momentum', 'epsilon']);
/** These compute nothing. */
const NOTHING: ReadonlySet<Module['kind']> = new Set([
  'identity',
  'zero',
  'flatten',
  'firstChannels',
  'dropout',
  'dropPath',
]);

/**
 * How many different operations the network has: modules without children, equal where they differ in their widths
 * alone. A convolution of kernel 3 and one of kernel 5 are two.
 */
export function distinctOperations({ network }: Pick<Subject, 'network'>): number {
  const found = new Set<string>();
  const visit = (module: Module) => {
    const children = childrenOf(module);
    for (const child of children) visit(child);
    if (children.length > 0 || NOTHING.has(module.kind)) return;
    found.add(JSON.stringify(Object.entries(module).filter(([field]) => !SIZES.has(field))));
  };
  visit(network);
  return found.size;
}

/** Bytes of an exported file beside its weights: its metadata, and each node with its names. */
const FILE = 2_000;
const NODE = 120;

/**
 * Bytes of the ONNX file that an export writes, estimated from shapes: float32 weights and 4 bytes for each channel of
 * a batch normalization, which is folded into the layer before it (docs/measures.md says how exact this is).
 */
export function modelBytes({ graph }: Subject): number {
  const { g, lowered } = graph();
  // As an export does: zeros are folded, and what the output does not need is not written.
  const { nodes } = optimize(finish(g, { output: lowered.output }));
  const inputs = new Set(nodes.flatMap(({ op }) => (op.kind === 'input' ? [op.name] : [])));
  const kept = lowered.parameters.filter(({ path }) => inputs.has(path));
  const parameters = kept.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const operations = nodes.filter(({ op }) => op.kind !== 'input' && op.kind !== 'constant').length;
  return 4 * parameters + NODE * operations + FILE;
}
