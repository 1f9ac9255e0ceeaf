import type { Rng } from '../../common/random.ts';
import { fixedOf, sourcesOf } from './genes.ts';
import { type Connection, type Genome, type GenomeShape, genomeOf, rounded } from './genome.ts';
import { markOf, splitMark } from './marks.ts';
import { addConnection, FIRST_WEIGHT, uniform, wayTo } from './vary.ts';

/**
 * A first member with random weights. minimal: all inputs and the bias lead to all outputs. layered: they lead to `hidden` nodes, and
 * these to all outputs; the bias also leads to the outputs. random: 1 to `hidden` nodes, each with a connection from a random input and
 * one to a random output, and as many random connections again as there are nodes, inputs and outputs, on a minimal network of which
 * each connection is there with probability 1/2.
 */
export function firstGenome(shape: GenomeShape, start: string, hidden: number, stream: Rng): Genome {
  const [sources, fixed] = [sourcesOf(shape), fixedOf(shape)];
  const weight = () => rounded(uniform(stream, FIRST_WEIGHT), shape.weightLimit);
  const way = (from: number, to: number): Connection => wayTo(from, to, weight(), fixed);
  const from = Array.from({ length: sources }, (_, id) => id);
  const to = Array.from({ length: shape.outputs }, (_, i) => sources + i);
  const all = from.flatMap((a) => to.map((b) => [a, b] as const));
  if (start === 'minimal')
    return genomeOf(
      [],
      all.map(([a, b]) => way(a, b)),
    );
  // Hidden nodes are numbered as if each had split the connection from the first input to the first output.
  const nodes = (count: number) => Array.from({ length: count }, (_, i) => splitMark(markOf(0, sources, fixed), i));
  if (start === 'layered') {
    const layer = nodes(hidden);
    const bias = shape.bias === 0 ? [] : to.map((b) => way(shape.inputs, b));
    const ways = layer.flatMap((node) => [...from.map((a) => way(a, node)), ...to.map((b) => way(node, b))]);
    return genomeOf(layer, [...bias, ...ways]);
  }
  const some = nodes(1 + stream.int(hidden));
  const direct = all.filter(() => stream.float() < 0.5).map(([a, b]) => way(a, b));
  const through = some.flatMap((node) => [way(stream.pick(from), node), way(node, stream.pick(to))]);
  let genome = genomeOf(some, [...direct, ...through]);
  for (let left = some.length + fixed; left > 0; left--) genome = addConnection(genome, shape, stream) ?? genome;
  return genome;
}
