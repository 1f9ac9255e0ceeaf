import type { Json } from '../../common/json.ts';
import { toOnnx } from '../../engine/onnx/lower.ts';
import { eliminateDeadCode } from '../../graph/passes.ts';
import { genomeGraph } from '../../network/genome.ts';
import type { Genome, GenomeShape } from '../../space/genome/genome.ts';
import { formatGenome } from '../../space/genome/notation.ts';
import type { TensorSpec } from '../../task/spec.ts';
import { writeMetadata } from './metadata.ts';

export interface GenomeExport {
  readonly genome: Genome;
  readonly shape: GenomeShape;
  readonly about: {
    /** Version of Netsmith. */
    readonly version: string;
    readonly space: string;
    /** The environment, or whatever the genome was evolved for. */
    readonly environment: string;
    /** A name for each output, if they have names. */
    readonly outputs?: readonly string[];
    /** Fitness, generation: whatever is worth knowing. */
    readonly training: Json;
  };
}

const vector = (size: number): TensorSpec => ({ shape: [size], dtype: 'float32', axes: ['feature'] });

/** Rows that the graph is built for; a run may have any number. */
const BUILT_FOR = 2;

/**
 * A genome as an ONNX file that stands alone, of standard operators: `input` [N, inputs] to `output` [N, outputs]. A recurrent one also
 * takes `state` [N, outputs + hidden nodes], zeros at the beginning of an episode, and gives `next:state`. The metadata is that of any
 * export (metadata.ts), so `readModel` reads it, with the task `control` and the environment as the data set.
 */
export function exportGenome({ genome, shape, about }: GenomeExport): Uint8Array {
  const { graph, weights, state } = genomeGraph(genome, shape, BUILT_FOR);
  const tensors = {
    inputs: { input: vector(shape.inputs) },
    outputs: { output: vector(shape.outputs) },
    states: state === 0 ? {} : { state: vector(state) },
  };
  const names = about.outputs ?? Array.from({ length: shape.outputs }, (_, i) => `output ${i}`);
  const metadata = writeMetadata({
    ...{ version: about.version, task: 'control', input: [shape.inputs], tensors, labels: names },
    ...{ range: undefined, decoding: undefined, encoding: undefined, text: undefined, lengths: undefined },
    ...{ dataset: about.environment, space: about.space, training: about.training },
    architecture: formatGenome(genome),
  });
  return toOnnx(eliminateDeadCode(graph), {
    ...{ target: 'standard', initializers: weights, metadata, name: 'netsmith' },
    openBatch: Object.keys({ ...tensors.inputs, ...tensors.states }),
  });
}
