/** Passes: ordinary functions Graph to Graph. Each keeps the outputs' names and values. */
import type { Graph } from './ir.ts';
import { eliminateCommonSubexpressions, eliminateDeadCode } from './passes/eliminate.ts';
import { foldMoments } from './passes/fold-moments.ts';
import { foldZeros } from './passes/fold-zeros.ts';
import { mergeSiblings } from './passes/merge-siblings.ts';
import { concatRules } from './passes/rules/concats.ts';
import { convolutionRules } from './passes/rules/convolutions.ts';
import { matrixRules } from './passes/rules/matrices.ts';
import { numberRules } from './passes/rules/numbers.ts';
import { productRules } from './passes/rules/products.ts';
import { reductionRules } from './passes/rules/reductions.ts';
import { signRules } from './passes/rules/signs.ts';
import { viewRules } from './passes/rules/views.ts';
import { scaleGradients } from './passes/scale-gradients.ts';
import { shareAcrossSwitches } from './passes/share.ts';
import { simplify } from './passes/simplify.ts';
import { sinkTransposes } from './passes/sink-transposes.ts';
import { combineSums } from './passes/sums.ts';
import { settleSwitches } from './passes/switches.ts';
import { skipZeroInputs } from './passes/zero-inputs.ts';

export {
  combineSums,
  eliminateCommonSubexpressions,
  eliminateDeadCode,
  foldMoments,
  foldZeros,
  mergeSiblings,
  scaleGradients,
  settleSwitches,
  skipZeroInputs,
};

const RULES = [numberRules, viewRules, signRules, productRules, reductionRules, convolutionRules, matrixRules];
/** Each round gives the next one something to do at times; graphs settle after two or three. */
const MOST_ROUNDS = 6;

/** Rewrites of a forward graph that make it and its gradient graph cheaper. Call before `gradients`. */
export function optimizeForward(graph: Graph): Graph {
  const joint = simplified(skipZeroInputs(graph));
  const apart = after(joint, simplify(joint, [concatRules]));
  return after(apart, mergeSiblings(foldMoments(apart)));
}

/**
 * Algebra that saves work, equal nodes computed once, and nothing computed that no output needs. A graph that it returned is
 * returned as it is: a training graph is optimized when it is built, and again by whoever compiles it.
 */
export function optimize(graph: Graph): Graph {
  if (optimized.has(graph)) return graph;
  const whole = settled(graph, (next) => scaleGradients(simplifyOnce(next)));
  const result = eliminateDeadCode(shareAcrossSwitches(after(whole, sinkTransposes(whole))));
  optimized.add(result);
  return result;
}

const optimized = new WeakSet<Graph>();

/** What a pass made of a settled graph is settled again; itself where it did nothing. */
function after(before: Graph, rewritten: Graph): Graph {
  return rewritten === before ? before : simplified(rewritten);
}

function simplified(graph: Graph): Graph {
  return settled(graph, simplifyOnce);
}

function settled(graph: Graph, round: (graph: Graph) => Graph): Graph {
  let best = graph;
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
    const next = round(best);
    if (next === best) return next;
    best = next;
  }
  return best;
}

function simplifyOnce(graph: Graph): Graph {
  return combineSums(eliminateDeadCode(simplify(settleSwitches(foldZeros(graph)), RULES)));
}
