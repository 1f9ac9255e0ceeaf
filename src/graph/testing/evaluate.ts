import { createGraph, finish, type GraphBuilder } from '../builder.ts';
import { interpret } from '../interpret.ts';
import type { NodeId, Shape } from '../ir.ts';

/** The value of the node that `build` returns, by the reference interpreter; the graph has no inputs. */
export function evaluate(build: (g: GraphBuilder) => NodeId): { shape: Shape; data: number[] } {
  const g = createGraph();
  const { y } = interpret(finish(g, { y: build(g) }), {});
  if (y === undefined) throw new Error('the interpreter left out an output');
  return { shape: y.shape, data: [...y.data] };
}

/** 0, 1, 2, ... */
export function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
