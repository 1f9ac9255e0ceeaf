import { fixedOf, sourcesOf } from '../../space/genome/genes.ts';
import type { Genome, GenomeShape } from '../../space/genome/genome.ts';
import { drawPlaced } from './draw.ts';
import { type GraphEdge, type GraphShape, layoutGraph } from './layout.ts';

export interface GenomeDrawing {
  /** Read out by a screen reader. */
  readonly title?: string;
  /** Names of inputs and outputs, in order. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

/** Above this number of connections, weights are not shown. */
const LABELED = 40;

/**
 * A genome as an SVG: inputs above, outputs below, hidden nodes numbered by age of their splits, each connection with its weight; disabled
 * ones are dashed. Recurrent connections lead upwards. Self-contained: no script, no font, no reference to anything outside.
 */
export async function drawGenome(genome: Genome, shape: GenomeShape, options: GenomeDrawing = {}): Promise<string> {
  const { title = 'Genome', inputs = [], outputs = [] } = options;
  const [sources, fixed] = [sourcesOf(shape), fixedOf(shape)];
  const nameOf = (id: number): string => {
    if (id < shape.inputs) return inputs[id] ?? `input ${id}`;
    if (id < sources) return `bias ${shape.bias}`;
    return outputs[id - sources] ?? `output ${id - sources}`;
  };
  const nodes = [
    ...Array.from({ length: fixed }, (_, id): GraphShape => ({ key: String(id), style: 'end', label: nameOf(id) })),
    ...genome.hidden.map((id, i): GraphShape => ({ key: String(id), style: 'node', label: String(i + 1) })),
  ];
  const isLabeled = genome.connections.length <= LABELED;
  const edges = genome.connections.map(
    ({ from, to, weight, enabled }): GraphEdge => ({
      ...{ from: String(from), to: String(to), dashed: !enabled },
      ...(isLabeled && { label: weight.toFixed(2) }),
    }),
  );
  return drawPlaced(title, await layoutGraph(nodes, edges));
}
