import { createGraph, type GraphBuilder } from '../graph/builder.ts';
import { flopsOf } from '../graph/flops.ts';
import { type NodeId, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Task } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import { type LowerOptions, lowerNetwork } from './lower.ts';
import type { Costs, LayerCosts, LoweredNetwork } from './network.ts';

/** Kinds that only arrange others or look at the same memory: they cost nothing of their own. */
const ARRANGING: ReadonlySet<Module['kind']> = new Set([
  'sequential',
  'shared',
  'rows',
  'auxiliary',
  'stack',
  'repeat',
  'choice',
  'scope',
  'identity',
  'flatten',
  'firstChannels',
]);

/** What lowering must know of a task. */
export function endsOf({
  outputs,
  positions,
  vocabulary,
  padded,
  quantiles,
}: Task): Pick<LowerOptions, 'outputs' | 'shape' | 'vocabulary' | 'padded' | 'quantiles'> {
  return {
    outputs,
    ...(positions !== undefined && { shape: [outputs, ...positions] }),
    ...(vocabulary !== undefined && { vocabulary }),
    ...(padded && { padded }),
    ...(quantiles !== undefined && { quantiles }),
  };
}

/** Appends a network of this task, for one sample's inference. Throws UserError where it cannot be built. */
export function lowerForInference(
  g: GraphBuilder,
  network: Module,
  task: Task,
): LoweredNetwork & { readonly input: NodeId } {
  const x = ops.input(g, 'x', [1, ...task.input], task.vocabulary === undefined ? 'float32' : 'int32');
  return { ...lowerNetwork(g, network, x, { ...endsOf(task), mode: 'infer' }), input: x };
}

/**
 * Parameters, FLOPs and activation memory of a network, for one sample's inference, by layer and in all, counted on its
 * graph before dead code is removed (as the published tables count). FLOPs are multiply-accumulates of convolutions and
 * matrix products, a bias once an output; normalization, pooling and activations count nothing. A layer's activation is
 * its output; a residual and a dag count what they add up. Throws UserError where the network cannot be built.
 */
export function networkCosts(network: Module, task: Task): Costs & { readonly layers: readonly LayerCosts[] } {
  const g = createGraph();
  const lowered = lowerForInference(g, network, task);

  const flopsByPath = new Map<string, number>();
  for (const [id, node] of g.nodes.entries()) {
    const flops = flopsOf(g.nodes, id);
    if (flops > 0) flopsByPath.set(node.path, (flopsByPath.get(node.path) ?? 0) + flops);
  }
  const paramsByPath = new Map<string, number>();
  for (const parameter of lowered.parameters) {
    const path = g.nodes[parameter.node]?.path ?? '';
    paramsByPath.set(path, (paramsByPath.get(path) ?? 0) + sizeOf(parameter.shape));
  }
  const counted = new Set<NodeId>([lowered.input]);
  const layers = lowered.layers
    .filter((layer) => !ARRANGING.has(layer.kind))
    .map(({ path, kind, output, steps = 1 }): LayerCosts => {
      const shape = g.shape(output);
      const activationBytes = counted.has(output) ? 0 : 4 * sizeOf(shape) * steps;
      counted.add(output);
      const [flops, params] = [flopsByPath.get(path) ?? 0, paramsByPath.get(path) ?? 0];
      return { path, kind, output: shape.slice(1), params, flops, activationBytes };
    });
  const total = (cost: 'params' | 'flops' | 'activationBytes') => layers.reduce((sum, layer) => sum + layer[cost], 0);
  return { params: total('params'), flops: total('flops'), activationBytes: total('activationBytes'), layers };
}
