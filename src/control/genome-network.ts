/** Runs genomes, without tensors: one observation at a time, as fast as plain arrays allow. */
import { fixedOf, sourcesOf } from '../space/genome/genes.ts';
import { type Genome, type GenomeShape, SIGMOID_SLOPE } from '../space/genome/genome.ts';
import { layersOf } from '../space/genome/paths.ts';

export interface GenomeNetwork {
  /** [outputs], from 0 to 1: the array is the network's own, and the next activation writes it. */
  readonly outputs: Float64Array;
  /** Takes [inputs] and gives `outputs`. */
  activate(inputs: ArrayLike<number>): Float64Array;
  /** Forgets all state. */
  reset(): void;
}

/**
 * A genome as a network. Feed-forward: each node after those that it reads. Recurrent: one step; all nodes read the values of the step
 * before, those of inputs and bias aside, so a value passes one connection a step, as in Stanley's NEAT C++. The first step reads zeros.
 * A node without incoming connections has the value 1/2.
 *
 * Differs from that code in a recurrent network's first steps: there, a node is 0 until a value has reached it, and the network runs until
 * its outputs have one. O(connections) an activation.
 */
export function genomeNetwork(genome: Genome, shape: GenomeShape): GenomeNetwork {
  const [sources, fixed] = [sourcesOf(shape), fixedOf(shape)];
  const scale = Float64Array.from({ length: shape.inputs }, (_, i) => shape.scale?.[i] ?? 1);
  const enabled = genome.connections.filter((one) => one.enabled);
  const last = Array.from({ length: shape.outputs }, (_, i) => sources + i);
  const inner = [...last, ...genome.hidden];
  const layers = shape.recurrent
    ? undefined
    : layersOf(
        inner,
        enabled.filter(({ from }) => from >= sources),
      );
  const order = layers?.flat() ?? inner;
  const places = new Map<number, number>(Array.from({ length: sources }, (_, id) => [id, id]));
  for (const [i, id] of order.entries()) places.set(id, sources + i);
  const placeOf = (id: number): number => places.get(id) ?? 0;
  const incoming = order.map((id) => enabled.filter(({ to }) => to === id));
  const starts = new Int32Array(order.length + 1);
  for (const [i, ways] of incoming.entries()) starts[i + 1] = (starts[i] ?? 0) + ways.length;
  const from = Int32Array.from(incoming.flat(), (way) => placeOf(way.from));
  const weights = Float64Array.from(incoming.flat(), (way) => way.weight);
  const answers = Int32Array.from(last, placeOf);

  const values = new Float64Array(fixed + genome.hidden.length);
  const next = layers === undefined ? new Float64Array(values.length) : values;
  const outputs = new Float64Array(shape.outputs);
  const reset = () => {
    values.fill(0);
    if (shape.bias !== 0) values[shape.inputs] = shape.bias;
  };
  reset();
  return {
    outputs,
    reset,
    activate(inputs) {
      for (let i = 0; i < shape.inputs; i++) values[i] = (inputs[i] as number) * (scale[i] as number);
      for (let node = 0; node < incoming.length; node++) {
        let sum = 0;
        const end = starts[node + 1] as number;
        for (let k = starts[node] as number; k < end; k++)
          sum += (weights[k] as number) * (values[from[k] as number] as number);
        next[sources + node] = 1 / (1 + Math.exp(-SIGMOID_SLOPE * sum));
      }
      if (next !== values) for (let i = sources; i < values.length; i++) values[i] = next[i] as number;
      for (let i = 0; i < outputs.length; i++) outputs[i] = values[answers[i] as number] as number;
      return outputs;
    },
  };
}
