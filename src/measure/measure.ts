import type { Objective } from '../common/metrics.ts';
import { createGraph, type GraphBuilder } from '../graph/builder.ts';
import { lowerForInference, networkCosts } from '../network/costs.ts';
import type { Costs, LoweredNetwork } from '../network/network.ts';
import type { Architecture, Space } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve } from '../space/tree/resolve.ts';

/** What is measured: an architecture of a space, and its network. */
export interface Subject {
  readonly space: Space;
  readonly architecture: Architecture;
  /** Resolved. */
  readonly network: Module;
  /** Parameters, FLOPs and activation memory; computed once. Throws UserError where the network cannot be built. */
  costs(): Costs;
  /** The graph of one sample's inference, before dead code is removed; built once. Throws UserError as `costs` does. */
  graph(): { readonly g: GraphBuilder; readonly lowered: LoweredNetwork };
}

/** One number that describes a network, by name, with the better direction and the unit. */
export interface Measure {
  readonly metric: Objective;
  /** Known from the description alone; measured on a device; or measured of a trained network. */
  readonly when: 'static' | 'device' | 'trained';
  of(subject: Subject): number | Promise<number>;
}

/** A measure that is known before any training, and at once. */
export interface StaticMeasure extends Measure {
  readonly when: 'static';
  of(subject: Subject): number;
}

export function subjectOf(space: Space, architecture: Architecture): Subject {
  const network = resolve(space, architecture);
  let costs: Costs | undefined;
  let graph: ReturnType<Subject['graph']> | undefined;
  return {
    ...{ space, architecture, network },
    costs: () => {
      costs ??= networkCosts(network, space.task);
      return costs;
    },
    graph: () => {
      graph ??= lower(network, space);
      return graph;
    },
  };
}

function lower(network: Module, { task }: Space): ReturnType<Subject['graph']> {
  const g = createGraph();
  return { g, lowered: lowerForInference(g, network, task) };
}
