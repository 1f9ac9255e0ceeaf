import { createGraph, finish, type GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { interpret } from '../interpret.ts';
import { type Graph, type NodeId, type Shape, sizeOf } from '../ir.ts';
import { add, constant, mul, reduceSum, reshape, scale, type Tensor } from '../ops.ts';
import { type GraphCase, tensor } from './case.ts';

/** The graph of a case before any pass. */
export function caseGraph(testCase: GraphCase): Graph {
  const g = createGraph();
  return finish(g, testCase.build(g));
}

/**
 * The case with, beside its outputs, `loss` (a fixed weighted sum of y + y²/2 over all outputs; the square makes second
 * derivatives tell) and the loss's gradient by each input: `d NAME`.
 */
export function gradientGraph(testCase: GraphCase): Graph {
  const g = createGraph();
  const outputs = testCase.build(g);
  const loss = lossOf(g, testCase.name, outputs);
  return finish(g, { ...outputs, loss, ...gradientOutputs(g, loss) });
}

/** `slope`, a fixed weighted sum of all first gradients of `loss`, and its gradient by each input: `d NAME`. */
export function secondGradientGraph(testCase: GraphCase): Graph {
  const g = createGraph();
  const loss = lossOf(g, testCase.name, testCase.build(g));
  const first = gradientOutputs(g, loss);
  const slope = weightedSum(g, `${testCase.name} slope`, Object.values(first));
  return finish(g, { slope, ...gradientOutputs(g, slope) });
}

function lossOf(g: GraphBuilder, name: string, outputs: Readonly<Record<string, NodeId>>): NodeId {
  const curved = Object.values(outputs).map((y) => add(g, y, scale(g, mul(g, y, y), 0.5)));
  return weightedSum(g, `${name} loss`, curved);
}

function weightedSum(g: GraphBuilder, label: string, terms: readonly NodeId[]): NodeId {
  return terms
    .map((y, i) => {
      const flat = reshape(g, y, [sizeOf(g.shape(y))]);
      const weights = constant(g, [...tensor(`${label} ${i}`, g.shape(flat)).data]);
      return reduceSum(g, mul(g, flat, weights), [0]);
    })
    .reduce((sum, term) => add(g, sum, term));
}

function gradientOutputs(g: GraphBuilder, of: NodeId): Record<string, NodeId> {
  const inputs = g.nodes.flatMap(({ op, dtype }, id) =>
    op.kind === 'input' && dtype === 'float32' ? [{ name: op.name, id }] : [],
  );
  const wrt = inputs.map(({ id }) => id);
  return Object.fromEntries(gradients(g, of, wrt).map((id, i) => [`d ${inputs[i]?.name}`, id]));
}

/**
 * The gradient of a scalar output by one input, by central differences of the interpreter in float64. Cost: two runs for
 * each element. The step balances the truncation error (step²) and rounding (1e-16 / step).
 */
export function centralDifferences(
  graph: Graph,
  output: string,
  feeds: Readonly<Record<string, Tensor>>,
  name: string,
  step = 1e-5,
): Float64Array {
  const only: Graph = { nodes: graph.nodes, outputs: { value: outputOf(graph, output) } };
  const { shape, data } = feedOf(feeds, name);
  const valueAt = (i: number, x: number): number => {
    const fed = { shape, data: data.with(i, x) };
    return interpret(only, { ...feeds, [name]: fed }).value?.data[0] ?? Number.NaN;
  };
  return data.map((x, i) => (valueAt(i, x + step) - valueAt(i, x - step)) / (2 * step));
}

function outputOf(graph: Graph, name: string): NodeId {
  const id = graph.outputs[name];
  if (id === undefined) throw new Error(`the graph has no output "${name}"`);
  return id;
}

function feedOf(feeds: Readonly<Record<string, Tensor>>, name: string): { shape: Shape; data: Float64Array } {
  const feed = feeds[name];
  if (feed === undefined) throw new Error(`the case feeds no "${name}"`);
  return feed;
}

/** Norm of the difference over norm of `expected`; over 1 where `expected` is practically zero. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] ?? Number.NaN;
    difference += ((actual[i] ?? Number.NaN) - e) ** 2;
    norm += e ** 2;
  }
  return Math.sqrt(difference) / (norm < 1e-12 ? 1 : Math.sqrt(norm));
}
