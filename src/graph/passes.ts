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
  const apart = simplified(simplify(simplified(skipZeroInputs(graph)), [concatRules]));
  return simplified(mergeSiblings(foldMoments(apart)));
}

/** Algebra that saves work, equal nodes computed once, and nothing computed that no output needs. */
export function optimize(graph: Graph): Graph {
  return eliminateDeadCode(shareAcrossSwitches(simplified(scaleGradients(simplified(graph)))));
}

function simplified(graph: Graph): Graph {
  let best = graph;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = combineSums(eliminateDeadCode(simplify(settleSwitches(foldZeros(best)), RULES)));
    if (next === best) return next;
    best = next;
  }
  return best;
}
