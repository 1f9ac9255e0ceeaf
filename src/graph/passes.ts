/** Passes: ordinary functions Graph to Graph. Each keeps the outputs' names and values. */
import type { Graph } from './ir.ts';
import { eliminateCommonSubexpressions, eliminateDeadCode } from './passes/eliminate.ts';
import { foldZeros } from './passes/foldZeros.ts';

export { eliminateCommonSubexpressions, eliminateDeadCode, foldZeros };

/** Rewrites of a forward graph that make it, and what differentiation makes of it, cheaper. Call before `gradients`. */
export function optimiseForward(graph: Graph): Graph {
  return eliminateDeadCode(eliminateCommonSubexpressions(foldZeros(graph)));
}

/** All passes, in the order in which each finds most to do. */
export function optimise(graph: Graph): Graph {
  return eliminateDeadCode(eliminateCommonSubexpressions(foldZeros(graph)));
}
